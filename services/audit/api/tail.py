"""
GET /v1/events/tail: the log as it grows, as server-sent events.

Each event's `id` is a cursor: a browser that reconnects sends it as Last-Event-ID and misses nothing. The log is polled, in
the order of the log; a checkpoint of this very process wakes the tails at once, one of another process is seen at the next
poll. A tail ends with the token that opened it; who has a new one goes on from the last id.
"""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from litestar import Request, get
from litestar.response import Stream

from services.audit.api.access import TAIL_PATH
from services.audit.api.problems import SearchTooBroad
from services.audit.api.query import TailQuery, parse_tail, shape
from services.audit.api.views import EntryView, encode_view
from services.audit.pulse import Pulse
from services.audit.storage.cursor import LogCursor
from services.audit.storage.database import DatabaseUnavailable, QueryTooSlow
from services.audit.storage.producers import ProducerReader
from services.audit.storage.search import EntryReader
from services.audit.subjects import asked_about
from shared.http.problems import context_of

AnyRequest = Request[Any, Any, Any]

POLL_SECONDS: Final = 0.5
HEARTBEAT_SECONDS: Final = 15.0
ROWS_MAX: Final = 500
RETRY_MS: Final = 2000
HEARTBEAT: Final = b": still here\n\n"
_REASON: Final = encode_view({"code": SearchTooBroad.code, "detail": SearchTooBroad.detail})
TOO_BROAD: Final = b"event: problem\ndata: " + _REASON + b"\n\n"
# A tail that falls silent must not look like a quiet night.
STALLED_AFTER: Final = timedelta(seconds=10)
_STALLED: Final = {
    "code": "sealing_stands_still",
    "detail": "Events are recorded and not sealed, so they do not appear here. A search shows them; see audit_seal_stopped.",
}
STANDS_STILL: Final = b"event: notice\ndata: " + encode_view(_STALLED) + b"\n\n"


@get(TAIL_PATH)
async def tail_events(request: AnyRequest) -> Stream:
    """Answer with what arrives from now on, or from where an earlier tail ended."""
    state = request.app.state
    query = parse_tail(list(request.query_params.multi_items()), state.email_hash_keys, request.headers.get("last-event-id"))
    after = await starting_point(state.reader, query)
    data = shape("tail", query.fields, is_resumed=query.after is not None)
    people = asked_about(query.filters)
    await state.reads.record(context_of(request), request.scope["state"]["caller"], TAIL_PATH, data, people)
    return Stream(
        follow(state.reader, state.producers, state.sealed, query, after, until=request.scope["state"]["caller_until"]),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def starting_point(reader: EntryReader, query: TailQuery) -> LogCursor:
    """Return where a tail begins: at its cursor; with `from` some time before it (older entries are filtered out); else now."""
    if query.after is not None:
        return query.after
    since = query.filters.since
    return await reader.now() if since is None else await reader.place_before(since)


async def follow(
    reader: EntryReader, producers: ProducerReader, pulse: Pulse, query: TailQuery, after: LogCursor, *, until: int | None
) -> AsyncIterator[bytes]:
    """Yield server-sent events until the service stops, the listener goes, or `until` (Unix seconds) is reached."""
    # With its place from the first line on, whoever comes back misses nothing, although no entry came before.
    yield b"retry: %d\nid: %b\n\n" % (RETRY_MS, after.encode().encode())
    spoke_at = time.monotonic()
    checked_at = -HEARTBEAT_SECONDS
    while not pulse.is_stopping and (until is None or time.time() < until):
        if time.monotonic() - checked_at >= HEARTBEAT_SECONDS:
            checked_at = time.monotonic()
            if await stands_still(producers):
                yield STANDS_STILL
        try:
            found = await reader.follow(query.filters, after=after, limit=ROWS_MAX)
        except DatabaseUnavailable:
            found = []  # The listener keeps its place; what was committed meanwhile comes when the database is back.
        except QueryTooSlow:
            yield TOO_BROAD
            return
        for one in found:
            after = one.log_cursor()
            yield b"id: %b\nevent: entry\ndata: %b\n\n" % (after.encode().encode(), encode_view(EntryView.of(one)))
        if found:
            spoke_at = time.monotonic()
        if len(found) == ROWS_MAX:
            continue
        if time.monotonic() - spoke_at >= HEARTBEAT_SECONDS:
            yield HEARTBEAT
            spoke_at = time.monotonic()
        await pulse.wait(POLL_SECONDS)


async def stands_still(producers: ProducerReader) -> bool:
    """Say whether entries wait to be sealed for longer than they ever should."""
    try:
        sealed = await producers.sealed()
    except (DatabaseUnavailable, QueryTooSlow):
        return False
    if sealed is None or sealed.oldest_unsealed_at is None:
        return False
    return datetime.now(UTC) - sealed.oldest_unsealed_at > STALLED_AFTER
