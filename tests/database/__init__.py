"""The guarantees of the reference session module, one by one, on real SQLite files."""
