"""Programs of several files."""
