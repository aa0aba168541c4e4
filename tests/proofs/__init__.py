"""The tests of the rules: their pages' examples and the literate cases beside this file."""
