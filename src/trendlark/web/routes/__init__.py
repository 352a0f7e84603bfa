"""What the server answers: health, the API, the pages."""
