"""The web room: the API, the dashboard and the server that carries both."""
