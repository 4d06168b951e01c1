"""What the API shows of the log."""

from datetime import datetime

import msgspec

from services.audit.storage.search import Found


class EntryView(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    One entry: `event` is the stored bytes themselves, `leaf_hash` is lower-case hex, `leaf_index` is its place in the tree,
    null until it is sealed.

    SHA-256 over a zero byte and the bytes of `event` as they stand in the answer gives `leaf_hash`. When `event` is null,
    `event_id` says which it was, and `erased` whether it was erased; if not, it is damaged.
    """

    event: msgspec.Raw
    leaf_hash: str
    recorded_at: datetime
    leaf_index: int | None
    event_id: str | None = None
    erased: bool | None = None

    @classmethod
    def of(cls, found: Found) -> "EntryView":
        """Return the view of an entry."""
        place = found.leaf_hash.hex(), found.recorded_at, found.leaf_index
        if found.entry is None:
            return cls(msgspec.Raw(b"null"), *place, event_id=str(found.event_id), erased=found.is_erased)
        return cls(msgspec.Raw(found.entry), *place)


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
