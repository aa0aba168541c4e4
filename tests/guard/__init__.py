"""The runtime guard, and that it tells what the linter tells."""
