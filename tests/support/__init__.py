"""Helpers of the tests that stand in for the outside world."""
