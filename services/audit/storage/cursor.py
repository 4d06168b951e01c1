"""
Cursors: where a reader stands, as one opaque word.

Two kinds, since there are two orders:

- A search walks `occurred_at` backwards from the newest. An entry that is committed while somebody pages, with an older time,
  is behind the reader and not shown: fine for a person who looks at a page, wrong for a machine that must see everything.
- A follower walks the log itself, leaf by leaf. The sequencer gives places in the order of arrival and never passes a
  transaction that is still open, so a late commit is not skipped; and places have no gaps and survive a dump and restore.
"""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
TEXT_CHARACTERS_MAX: Final = 64


class CursorInvalid(ValueError):
    """The word is no cursor of ours, or one of the other kind."""


class SearchCursor(NamedTuple):
    """Stands on the last entry that a search has shown."""

    occurred_at: datetime
    event_id: UUID

    def encode(self) -> str:
        """Return the cursor as a word that is safe in a URL."""
        return _word(f"s{(self.occurred_at - EPOCH) // MICROSECOND}.{self.event_id.hex}")


class LogCursor(NamedTuple):
    """Stands behind the last entry that a follower has seen: `next_index` is the first leaf that it has not."""

    next_index: int

    def encode(self) -> str:
        """Return the cursor as a word that is safe in a URL."""
        return _word(f"l{self.next_index}")


BEGINNING: Final = LogCursor(0)
INDEX_MAX: Final = 2**63 - 1


def search_cursor(word: str) -> SearchCursor:
    """
    Read a search cursor.

    Raises:
        CursorInvalid: It is none.
    """
    number, _, event_id = _text("s", word).partition(".")
    try:
        return SearchCursor(EPOCH + int(number) * MICROSECOND, UUID(event_id))
    except (OverflowError, ValueError) as error:
        raise CursorInvalid(word) from error


def log_cursor(word: str) -> LogCursor:
    """
    Read a follower's cursor.

    Raises:
        CursorInvalid: It is none.
    """
    digits = _text("l", word)
    if not digits.isascii() or not digits.isdigit() or int(digits) > INDEX_MAX:
        raise CursorInvalid(word)
    return LogCursor(int(digits))


def _word(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _text(kind: str, word: str) -> str:
    try:
        text = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise CursorInvalid(word) from error
    if not text.startswith(kind) or len(text) > TEXT_CHARACTERS_MAX:
        raise CursorInvalid(word)
    return text.removeprefix(kind)
