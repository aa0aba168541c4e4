"""Codemods: what they make of a text, and that the program stays the same."""
