"""
Cursors: where a reader stands, as one opaque word.

Two kinds, since there are two orders:

- A search walks `occurred_at` backwards from the newest. An entry that is committed while somebody pages, with an older time,
  is behind the reader and not shown: fine for a person who looks at a page, wrong for a machine that must see everything.
- A follower walks the order of arrival, `recorded_xid` then `event_id`, and only up to the oldest transaction that is still
  open. Below that line no row can appear any more, so a late commit is never skipped. The leaf index takes this over once
  entries are sealed: it is an order of arrival too, without gaps, and it survives a dump and restore.
"""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


class CursorInvalid(ValueError):
    """The word is no cursor of ours, or one of the other kind."""


class SearchCursor(NamedTuple):
    """Stands on the last entry that a search has shown."""

    occurred_at: datetime
    event_id: UUID

    def encode(self) -> str:
        """Return the cursor as a word that is safe in a URL."""
        return _encode("s", (self.occurred_at - EPOCH) // MICROSECOND, self.event_id)


class ArrivalCursor(NamedTuple):
    """Stands on the last entry that a follower has seen; `xid` is the transaction that stored it."""

    xid: int
    event_id: UUID

    def encode(self) -> str:
        """Return the cursor as a word that is safe in a URL."""
        return _encode("a", self.xid, self.event_id)


BEGINNING: Final = ArrivalCursor(0, UUID(int=0))


def search_cursor(word: str) -> SearchCursor:
    """
    Read a search cursor.

    Raises:
        CursorInvalid: It is none.
    """
    number, event_id = _decode("s", word)
    try:
        return SearchCursor(EPOCH + number * MICROSECOND, event_id)
    except OverflowError as error:
        raise CursorInvalid(word) from error


def arrival_cursor(word: str) -> ArrivalCursor:
    """
    Read a follower's cursor.

    Raises:
        CursorInvalid: It is none.
    """
    number, event_id = _decode("a", word)
    if not 0 <= number < 2**64:
        raise CursorInvalid(word)
    return ArrivalCursor(number, event_id)


def _encode(kind: str, number: int, event_id: UUID) -> str:
    return base64.urlsafe_b64encode(f"{kind}{number}.{event_id.hex}".encode()).rstrip(b"=").decode()


def _decode(kind: str, word: str) -> tuple[int, UUID]:
    try:
        text = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True).decode()
        number, _, event_id = text.removeprefix(kind).partition(".")
        if not text.startswith(kind) or len(text) > 64:
            raise CursorInvalid(word)
        return int(number), UUID(event_id)
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise CursorInvalid(word) from error
