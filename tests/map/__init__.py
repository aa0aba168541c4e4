"""The map of a code base's sessions."""
