"""Where tweets come from: one protocol, and one module for each source."""
