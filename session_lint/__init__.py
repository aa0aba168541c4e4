"""A linter for SQLAlchemy sessions, and the codemods that mend what it finds.

The pipeline, one floor a package, is told in ``docs/architecture.md``.
"""

__version__ = "0.1.0"
