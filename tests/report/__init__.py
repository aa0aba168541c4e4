"""The reports that other programs read, each held against what reads it."""
