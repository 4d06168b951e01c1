"""What the API shows of the log."""

from datetime import datetime

import msgspec

from services.audit.storage.search import Found


class EntryView(msgspec.Struct, frozen=True):
    """
    One entry: `event` is the stored bytes themselves, `leaf_hash` is lower-case hex, `leaf_index` is its place in the tree,
    null until it is sealed.

    SHA-256 over a zero byte and the bytes of `event` as they stand in the answer gives `leaf_hash`.
    """

    event: msgspec.Raw
    leaf_hash: str
    recorded_at: datetime
    leaf_index: int | None

    @classmethod
    def of(cls, found: Found) -> "EntryView":
        """Return the view of an entry."""
        return cls(msgspec.Raw(found.entry), found.leaf_hash.hex(), found.recorded_at, found.leaf_index)


class PageView(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    One page of a search.

    `next_cursor` is null when nothing more was there. `resume_cursor` comes with `order=asc` only: asking with it later
    continues behind the last entry of this page.
    """

    events: list[EntryView]
    next_cursor: str | None
    resume_cursor: str | None = None


encode_view = msgspec.json.Encoder().encode
