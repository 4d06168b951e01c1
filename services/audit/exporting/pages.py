"""
The sealed entries that fit some filters, from first to last, page by page.

A page is asked for within a window of leaves, so that no statement grows with the log: the window doubles while little is
found in it and shrinks when a statement runs into its time limit.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from services.audit.exporting.formats import Record
from services.audit.storage.cursor import LogCursor
from services.audit.storage.database import DatabaseUnavailable, QueryTooSlow
from services.audit.storage.search import EntryReader, Filters, Found

PAGE_ENTRIES: Final = 1_000
WINDOW_LEAVES: Final = 20_000
WINDOW_LEAVES_MIN: Final = 1_000
# A file that is half written waits this long for a database that comes back.
RETRY_SECONDS: Final = (0.5, 2.0, 5.0)


async def records(reader: EntryReader, filters: Filters, *, first_leaf: int, end_leaf: int) -> AsyncIterator[list[Record]]:
    """
    Yield what fits between two leaves, in the order of the log, at most `PAGE_ENTRIES` at once.

    Raises:
        DatabaseUnavailable: It did not come back in time.
        QueryTooSlow: Even a small window takes too long.
    """
    leaf, window = first_leaf, WINDOW_LEAVES
    while leaf < end_leaf:
        window_end = min(leaf + window, end_leaf)
        try:
            found = await _page(reader, filters, leaf, window_end)
        except QueryTooSlow:
            if window <= WINDOW_LEAVES_MIN:
                raise
            window = max(WINDOW_LEAVES_MIN, window // 4)
            continue
        if found:
            yield [record(one) for one in found]
        if len(found) < PAGE_ENTRIES:
            leaf, window = window_end, window * 2
        else:
            leaf = found[-1].log_cursor().next_index


def record(found: Found) -> Record:
    """Return a sealed entry as it goes out."""
    index = found.log_cursor().next_index - 1
    times = found.recorded_at, found.occurred_at
    return Record(str(found.event_id), index, found.leaf_hash, *times, found.entry, found.is_erased)


async def _page(reader: EntryReader, filters: Filters, leaf: int, end_leaf: int) -> list[Found]:
    for seconds in RETRY_SECONDS:
        try:
            return await reader.follow(filters, after=LogCursor(leaf), limit=PAGE_ENTRIES, end_leaf=end_leaf)
        except DatabaseUnavailable:
            await asyncio.sleep(seconds)
    return await reader.follow(filters, after=LogCursor(leaf), limit=PAGE_ENTRIES, end_leaf=end_leaf)
