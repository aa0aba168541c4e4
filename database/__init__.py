"""The reference session module: three ways to hold a SQLAlchemy session, each with its owner.

``scoped_session()`` for a script, ``get_session()`` with ``close_global_session()`` for a long-running process, and
:func:`database.flask.init_app` for a web application. Importing it opens nothing and reads no settings.
"""

from .session import SessionLocal, close_global_session, configure, get_engine, get_session, scoped_session

__all__ = ["SessionLocal", "close_global_session", "configure", "get_engine", "get_session", "scoped_session"]
