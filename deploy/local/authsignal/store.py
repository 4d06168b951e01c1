"""
What the simulator remembers, in one SQLite file: users, authenticators, actions, challenges, and smaller things.

Every record is kept as one JSON document beside the columns that are searched. Each write is on its way to disk when
the call returns, so a killed process loses nothing; a restart keeps every account. The file is locked for the life of
the process: two simulators on one file would each believe in their own accounts.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from deploy.local.authsignal import shelves
from deploy.local.authsignal.model import (
    Action,
    Authenticator,
    Challenge,
    ChallengeOrigin,
    Device,
    Session,
    SigningKey,
    User,
    VerificationMethod,
    VirtualPhone,
)
from deploy.local.authsignal.shelves import Shelf

# Each step brings a file of the version before it to its own version, one step a version.
_STEPS = (
    """
CREATE TABLE users (user_id TEXT PRIMARY KEY, email TEXT, phone_number TEXT, username TEXT, doc BLOB NOT NULL);
CREATE TABLE authenticators (
    number INTEGER PRIMARY KEY, user_authenticator_id TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL, doc BLOB NOT NULL);
CREATE INDEX authenticators_by_user ON authenticators (user_id);
CREATE TABLE actions (
    number INTEGER PRIMARY KEY, user_id TEXT NOT NULL, action_code TEXT NOT NULL, idempotency_key TEXT NOT NULL,
    doc BLOB NOT NULL, UNIQUE (user_id, action_code, idempotency_key));
CREATE TABLE challenges (
    number INTEGER PRIMARY KEY, challenge_id TEXT NOT NULL UNIQUE, user_id TEXT, action_code TEXT NOT NULL,
    idempotency_key TEXT NOT NULL, method TEXT NOT NULL, origin TEXT NOT NULL, created_at REAL NOT NULL,
    doc BLOB NOT NULL);
CREATE INDEX challenges_by_user ON challenges (user_id);
""",
    """
ALTER TABLE authenticators ADD COLUMN lookup TEXT;
CREATE UNIQUE INDEX authenticators_by_lookup ON authenticators (lookup);
"""
    + shelves.SCHEMA,
)


class StoreUnusable(Exception):
    """The state file cannot be used: locked by another process, unreadable, or of another version."""


class Store:
    """Reads and writes records. Used from one thread, by calls that never wait in between."""

    def __init__(self, path: Path) -> None:
        """
        Open or create the file.

        Raises:
            StoreUnusable: Another process has it open, it is not ours, or another version wrote it.
        """
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=1.0)
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._migrate(path)
        except sqlite3.Error as error:
            raise StoreUnusable(f"cannot use the state file {path}: {error}") from error
        self.sessions = Shelf(self._db, Session)
        self.devices = Shelf(self._db, Device)
        self.phones = Shelf(self._db, VirtualPhone)
        self.signing_keys = Shelf(self._db, SigningKey)

    def _migrate(self, path: Path) -> None:
        with self.transaction():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version > len(_STEPS):
                raise StoreUnusable(f"{path} was written by a newer version; remove it to start afresh")
            for step in _STEPS[version:]:
                for statement in step.split(";"):
                    self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {len(_STEPS)}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all writes of the block, or none."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def close(self) -> None:
        """Fold the write-ahead log into the file and release it."""
        self._db.close()

    def clear(self) -> None:
        """Forget everyone and everything."""
        with self.transaction():
            self._db.execute("DELETE FROM users")
            self._db.execute("DELETE FROM authenticators")
            self._db.execute("DELETE FROM actions")
            self._db.execute("DELETE FROM challenges")
            for shelf in (self.sessions, self.devices, self.phones):
                shelf.clear()

    def user(self, user_id: str) -> User | None:
        """One user, or None if no call has mentioned the id yet."""
        row = self._db.execute("SELECT doc FROM users WHERE user_id = ?", (user_id,)).fetchone()
        return msgspec.json.decode(row[0], type=User) if row else None

    def users(
        self,
        *,
        email: str | None = None,
        phone_number: str | None = None,
        username: str | None = None,
        after: str = "",
        limit: int = 100,
    ) -> list[User]:
        """Users that match every filter given, by id, from after the id `after`; addresses match in any case."""
        rows = self._db.execute(
            "SELECT doc FROM users WHERE user_id > ?1 AND (?2 IS NULL OR lower(email) = lower(?2))"
            " AND (?3 IS NULL OR phone_number = ?3) AND (?4 IS NULL OR username = ?4) ORDER BY user_id LIMIT ?5",
            (after, email, phone_number, username, limit),
        )
        return [msgspec.json.decode(doc, type=User) for (doc,) in rows]

    def save_user(self, user: User) -> None:
        """Insert or replace."""
        self._db.execute(
            "INSERT OR REPLACE INTO users (user_id, email, phone_number, username, doc) VALUES (?, ?, ?, ?, ?)",
            (user.user_id, user.email, user.phone_number, user.username, msgspec.json.encode(user)),
        )

    def delete_user(self, user_id: str) -> None:
        """Remove the user with their authenticators, actions and challenges; nothing happens if there is none."""
        with self.transaction():
            self._db.execute("DELETE FROM users WHERE user_id = ?", (user_id,))
            self._db.execute("DELETE FROM authenticators WHERE user_id = ?", (user_id,))
            self._db.execute("DELETE FROM actions WHERE user_id = ?", (user_id,))
            self._db.execute("DELETE FROM challenges WHERE user_id = ?", (user_id,))
            self._db.execute("DELETE FROM shelves WHERE user_id = ?", (user_id,))

    def authenticators(self, user_id: str) -> list[Authenticator]:
        """The user's authenticators, verified or not, in the order in which they were made."""
        rows = self._db.execute("SELECT doc FROM authenticators WHERE user_id = ? ORDER BY number", (user_id,))
        return [msgspec.json.decode(doc, type=Authenticator) for (doc,) in rows]

    def save_authenticator(self, authenticator: Authenticator) -> None:
        """Insert or replace, keeping the place in the user's list."""
        self._db.execute(
            "INSERT INTO authenticators (user_authenticator_id, user_id, lookup, doc) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (user_authenticator_id) DO UPDATE SET doc = excluded.doc, lookup = excluded.lookup",
            (
                authenticator.user_authenticator_id,
                authenticator.user_id,
                authenticator.lookup,
                msgspec.json.encode(authenticator),
            ),
        )

    def authenticator_by_lookup(self, lookup: str) -> Authenticator | None:
        """The one authenticator that goes by a credential id or phone key (`Authenticator.lookup`)."""
        row = self._db.execute("SELECT doc FROM authenticators WHERE lookup = ?", (lookup,)).fetchone()
        return msgspec.json.decode(row[0], type=Authenticator) if row else None

    def delete_authenticator(self, user_authenticator_id: str) -> None:
        """Remove one; nothing happens if there is none."""
        self._db.execute("DELETE FROM authenticators WHERE user_authenticator_id = ?", (user_authenticator_id,))

    def action(self, user_id: str, action_code: str, idempotency_key: str) -> Action | None:
        """One action instance."""
        row = self._db.execute(
            "SELECT doc FROM actions WHERE user_id = ? AND action_code = ? AND idempotency_key = ?",
            (user_id, action_code, idempotency_key),
        ).fetchone()
        return msgspec.json.decode(row[0], type=Action) if row else None

    def actions(self, user_id: str | None = None) -> list[Action]:
        """Action instances of one user, or of everyone, oldest first."""
        rows = self._db.execute("SELECT doc FROM actions WHERE ?1 IS NULL OR user_id = ?1 ORDER BY number", (user_id,))
        return [msgspec.json.decode(doc, type=Action) for (doc,) in rows]

    def save_action(self, action: Action) -> None:
        """Insert or replace, keeping the place in the list."""
        self._db.execute(
            "INSERT INTO actions (user_id, action_code, idempotency_key, doc) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (user_id, action_code, idempotency_key) DO UPDATE SET doc = excluded.doc",
            (action.user_id, action.action_code, action.idempotency_key, msgspec.json.encode(action)),
        )

    def challenge(self, challenge_id: str) -> Challenge | None:
        """One challenge by its id."""
        row = self._db.execute("SELECT doc FROM challenges WHERE challenge_id = ?", (challenge_id,)).fetchone()
        return msgspec.json.decode(row[0], type=Challenge) if row else None

    def latest_challenge(
        self,
        *,
        user_id: str,
        action_code: str | None = None,
        idempotency_key: str | None = None,
        method: VerificationMethod | None = None,
        origin: ChallengeOrigin | None = None,
    ) -> Challenge | None:
        """The newest challenge of a user that matches every filter given."""
        row = self._db.execute(
            "SELECT doc FROM challenges WHERE user_id = ?1 AND (?2 IS NULL OR action_code = ?2)"
            " AND (?3 IS NULL OR idempotency_key = ?3) AND (?4 IS NULL OR method = ?4) AND (?5 IS NULL OR origin = ?5)"
            " ORDER BY number DESC LIMIT 1",
            (user_id, action_code, idempotency_key, method, origin),
        ).fetchone()
        return msgspec.json.decode(row[0], type=Challenge) if row else None

    def challenges(self, methods: Sequence[VerificationMethod], *, created_after: float) -> list[Challenge]:
        """Challenges of some methods made after a Unix time, newest first, of whoever they are."""
        wanted = ", ".join("?" for _ in methods)
        rows = self._db.execute(
            f"SELECT doc FROM challenges WHERE method IN ({wanted}) AND created_at > ? ORDER BY number DESC LIMIT 200",  # noqa: S608  # marks only
            (*methods, created_after),
        )
        return [msgspec.json.decode(doc, type=Challenge) for (doc,) in rows]

    def save_challenge(self, challenge: Challenge) -> None:
        """Insert or replace; the user may become known later, by a claim."""
        self._db.execute(
            "INSERT INTO challenges (challenge_id, user_id, action_code, idempotency_key, method, origin, created_at,"
            " doc) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (challenge_id) DO UPDATE SET user_id = excluded.user_id, doc = excluded.doc",
            (
                challenge.challenge_id,
                challenge.user_id,
                challenge.action_code,
                challenge.idempotency_key,
                challenge.verification_method,
                challenge.origin,
                challenge.created_at,
                msgspec.json.encode(challenge),
            ),
        )

    def delete_challenge(self, challenge_id: str) -> None:
        """Remove one; nothing happens if there is none."""
        self._db.execute("DELETE FROM challenges WHERE challenge_id = ?", (challenge_id,))

    def delete_challenges_before(self, created_before: float) -> None:
        """Drop challenges made before a Unix time: none of them can be answered any more."""
        self._db.execute("DELETE FROM challenges WHERE created_at < ?", (created_before,))
