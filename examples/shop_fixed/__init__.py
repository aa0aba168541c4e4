"""The small shop as it should be: ``shop`` without its mistakes."""
