"""The three jobs of an hour, and what drives them."""
