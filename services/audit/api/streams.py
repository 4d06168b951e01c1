"""GET /v1/streams: where the log is sent, and how far each receiver has it."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request, get
from litestar.response.base import ASGIResponse

from services.audit.api.access import STREAMS_PATH
from services.audit.api.query import shape
from services.audit.api.views import encode_view
from services.audit.settings import AuditSettings
from services.audit.storage.search import EntryReader
from services.audit.streaming.settings import S3Stream, WebhookStream
from services.audit.streaming.store import StreamState, StreamStore
from shared.http.problems import context_of
from shared.problems import InvalidRequest

AnyRequest = Request[Any, Any, Any]


class StreamView(msgspec.Struct, frozen=True):
    """
    One stream: `next_leaf` is the first leaf that its receiver has not acknowledged, `lag_entries` how many are sealed and not
    delivered; both are null before its first round. `target` names the receiver without path and query, which may be secret.
    """

    name: str
    kind: str
    target: str
    format: str
    is_required: bool
    next_leaf: int | None
    lag_entries: int | None
    delivered_at: datetime | None
    failing_since: datetime | None
    last_error: str | None

    @classmethod
    def of(cls, stream: WebhookStream | S3Stream, state: StreamState | None, tree_size: int) -> "StreamView":
        """Return the view of a stream."""
        kind, target = ("s3", f"s3://{stream.bucket}/{stream.prefix}") if isinstance(stream, S3Stream) else _webhook(stream)
        known = (stream.name, kind, target, stream.format, stream.is_required)
        if state is None:
            return cls(*known, None, None, None, None, None)
        lag = max(0, tree_size - state.next_leaf)
        return cls(*known, state.next_leaf, lag, state.delivered_at, state.failing_since, state.last_error)


class StreamsView(msgspec.Struct, frozen=True):
    """All streams, as the settings list them."""

    streams: list[StreamView]
    next_cursor: None = None


@get(STREAMS_PATH)
async def list_streams(request: AnyRequest) -> ASGIResponse:
    """Answer the configured streams."""
    if request.query_params:
        errors = [{"field": name, "message": "There is no such parameter here."} for name in request.query_params]
        raise InvalidRequest(extensions={"errors": errors})
    settings: AuditSettings = request.app.state.settings
    store: StreamStore = request.app.state.streams
    reader: EntryReader = request.app.state.reader
    states, tree_size = await store.states(), (await reader.now()).next_index
    data = shape("streams", (), rows=len(settings.streams))
    await request.app.state.reads.record(context_of(request), request.scope["state"]["caller"], STREAMS_PATH, data)
    view = StreamsView([StreamView.of(stream, states.get(stream.name), tree_size) for stream in settings.streams])
    return ASGIResponse(body=encode_view(view), media_type="application/json")


def _webhook(stream: WebhookStream) -> tuple[str, str]:
    parts = urlsplit(stream.url)
    return "webhook", f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
