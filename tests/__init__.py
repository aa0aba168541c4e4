"""The tests of session-lint."""
