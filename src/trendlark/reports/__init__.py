"""What an hour of a trend says: pure computation, and the same questions asked of the lake."""
