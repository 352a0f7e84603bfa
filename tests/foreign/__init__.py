"""What others have made decides: clients and testers that know nothing of this project."""
