"""Reports: one module a format, each a function from findings to text."""
