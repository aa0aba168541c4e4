"""Surveys: many projects on many workers."""
