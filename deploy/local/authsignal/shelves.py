"""Records of the smaller kinds: found by id or by user, and kept in one table."""

import sqlite3
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)

SCHEMA = """
CREATE TABLE shelves (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, user_id TEXT, doc BLOB NOT NULL,
    UNIQUE (kind, id));
CREATE INDEX shelves_by_user ON shelves (user_id, kind);
"""


class Shelf(Generic[T]):
    """All records of one kind."""

    def __init__(self, db: sqlite3.Connection, shape: type[T]) -> None:
        self._db = db
        self._shape = shape
        self._kind = shape.__name__

    def get(self, record_id: str) -> T | None:
        """One record."""
        query = "SELECT doc FROM shelves WHERE kind = ? AND id = ?"
        row = self._db.execute(query, (self._kind, record_id)).fetchone()
        return msgspec.json.decode(row[0], type=self._shape) if row else None

    def all(self, *, user_id: str | None = None) -> list[T]:
        """Every record, or one user's, oldest first."""
        rows = self._db.execute(
            "SELECT doc FROM shelves WHERE kind = ?1 AND (?2 IS NULL OR user_id = ?2) ORDER BY number",
            (self._kind, user_id),
        )
        return [msgspec.json.decode(doc, type=self._shape) for (doc,) in rows]

    def save(self, record_id: str, record: T, *, user_id: str | None = None) -> None:
        """Insert or replace, keeping the place in the list."""
        self._db.execute(
            "INSERT INTO shelves (kind, id, user_id, doc) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET doc = excluded.doc",
            (self._kind, record_id, user_id, msgspec.json.encode(record)),
        )

    def delete(self, record_id: str) -> None:
        """Remove one; nothing happens if there is none."""
        self._db.execute("DELETE FROM shelves WHERE kind = ? AND id = ?", (self._kind, record_id))

    def clear(self) -> None:
        """Remove them all."""
        self._db.execute("DELETE FROM shelves WHERE kind = ?", (self._kind,))
