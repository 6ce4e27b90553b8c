"""Records, locations and plans in a database: SQLite in a file, or PostgreSQL by URL; the only room with SQLAlchemy."""

from planner.storage.store import SqlStore, open_store

__all__ = ["SqlStore", "open_store"]
