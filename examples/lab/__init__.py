"""Experiments: a script, a loop with worker processes, and a web application, each with the sessions that fit it.

``python -m lab.create pi --runs 20``, ``python -m lab.experiments --workers 4``, ``flask --app lab.web run``: on
SQLite, or on the database that ``DATABASE_URL`` names. A project of one's own gets its ``database`` by
``session-lint init``.
"""
