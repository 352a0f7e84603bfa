"""The lake: Delta Lake tables under one URI, written hour by hour."""
