"""GET /v1/stats and GET /v1/stats/top: how many, of what, when."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
from litestar import Request, get
from litestar.response.base import ASGIResponse

from services.audit.api.access import STATS_PATH, TOP_PATH
from services.audit.api.query import FILTER_FIELDS, Pairs, QueryReader, one_of, read_filters, shape, whole_number
from services.audit.api.views import encode_view
from services.audit.storage.search import Filters
from services.audit.storage.stats import GROUPS, TOPS, Count, StatsReader
from services.audit.subjects import asked_about
from shared.http.problems import context_of

AnyRequest = Request[Any, Any, Any]

SPANS: Final = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
# What is shown when nobody says from when: as much as fits a chart.
LOOK_BACK: Final = {"minute": timedelta(hours=1), "hour": timedelta(days=1), "day": timedelta(days=30)}
STARTS_MAX: Final = 1_500
TOP_DEFAULT: Final = 10
TOP_MAX: Final = 100
STATS_FIELDS: Final = FILTER_FIELDS | {"by", "group"}
TOP_FIELDS: Final = FILTER_FIELDS | {"field", "limit"}


class SeriesView(msgspec.Struct, frozen=True):
    """The counts of one word, one for each of `starts`; `key` is null for events that have none."""

    key: str | None
    counts: list[int]
    total: int


class StatsView(msgspec.Struct, frozen=True):
    """
    Counts over time.

    `starts` are the beginnings of the spans, on the UTC clock; `from` and `to` may cut the first and the last one short.
    """

    since: datetime = msgspec.field(name="from")
    until: datetime = msgspec.field(name="to")
    by: str
    group: str
    starts: list[datetime]
    series: list[SeriesView]
    total: int


class TopValueView(msgspec.Struct, frozen=True):
    """One value, and how many events have it."""

    value: str
    count: int


class TopView(msgspec.Struct, frozen=True):
    """The most frequent values; `total` counts all events that fit, those without a value included."""

    since: datetime = msgspec.field(name="from")
    until: datetime = msgspec.field(name="to")
    field: str
    values: list[TopValueView]
    total: int


class StatsQuery(NamedTuple):
    """A question for counts over time."""

    filters: Filters
    by: str
    group: str
    fields: tuple[str, ...]


class TopQuery(NamedTuple):
    """A question for the most frequent values."""

    filters: Filters
    field: str
    limit: int
    fields: tuple[str, ...]


def parse_stats(pairs: Pairs, keys: Sequence[str], now: datetime) -> StatsQuery:
    """
    Read the query of counts over time.

    Raises:
        InvalidRequest: Its `errors` name each field and what it wants.
    """
    reader = QueryReader(pairs, STATS_FIELDS)
    by = reader.one("by", one_of(SPANS), f"Give one of {', '.join(SPANS)}.") or "hour"
    group = reader.one("group", one_of(GROUPS), f"Give one of {', '.join(GROUPS)}.") or "outcome"
    filters = _with_ends(reader, read_filters(reader, keys), by, now)
    reader.check()
    return StatsQuery(filters, by, group, reader.fields)


def parse_top(pairs: Pairs, keys: Sequence[str], now: datetime) -> TopQuery:
    """
    Read the query of the most frequent values.

    Raises:
        InvalidRequest: Its `errors` name each field and what it wants.
    """
    reader = QueryReader(pairs, TOP_FIELDS)
    words = f"Give one of {', '.join(TOPS)}."
    field = reader.one("field", one_of(TOPS), words)
    if field is None and "field" not in reader.fields:
        reader.wrong("field", words)
    limit = reader.one("limit", whole_number(TOP_MAX), f"Give a whole number from 1 to {TOP_MAX}.")
    filters = _with_ends(reader, read_filters(reader, keys), None, now)
    reader.check()
    return TopQuery(filters, field or "", limit or TOP_DEFAULT, reader.fields)


def series_of(counts: Iterable[Count], starts: Sequence[datetime]) -> list[SeriesView]:
    """Return the counts word by word, the most frequent first, with a zero for each span that has none."""
    places = {start: place for place, start in enumerate(starts)}
    by_word: dict[str | None, list[int]] = {}
    for count in counts:
        by_word.setdefault(count.word, [0] * len(starts))[places[count.start]] += count.entry_count
    made = [SeriesView(word, numbers, sum(numbers)) for word, numbers in by_word.items()]
    return sorted(made, key=lambda one: (-one.total, one.key or ""))


def spans_of(since: datetime, until: datetime, by: str) -> list[datetime]:
    """Return the beginnings of all spans that touch a range; spans begin on the UTC clock."""
    span = SPANS[by]
    midnight = since.replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight + (since - midnight) // span * span
    return [start + place * span for place in range(-((start - until) // span))]


@get(STATS_PATH)
async def get_stats(request: AnyRequest) -> ASGIResponse:
    """Answer counts over time."""
    pairs = list(request.query_params.multi_items())
    query = parse_stats(pairs, request.app.state.email_hash_keys, datetime.now(UTC))
    reader: StatsReader = request.app.state.stats
    since, until = _ends(query.filters)
    counts = await reader.over_time(query.filters, by=query.by, group=query.group)
    starts = spans_of(since, until, query.by)
    series = series_of(counts, starts)
    data = shape("stats", query.fields, rows=sum(one.total for one in series))
    await _record(request, STATS_PATH, data, query.filters)
    view = StatsView(since, until, query.by, query.group, starts, series, sum(one.total for one in series))
    return ASGIResponse(body=encode_view(view), media_type="application/json")


@get(TOP_PATH)
async def get_top(request: AnyRequest) -> ASGIResponse:
    """Answer the most frequent values."""
    query = parse_top(list(request.query_params.multi_items()), request.app.state.email_hash_keys, datetime.now(UTC))
    reader: StatsReader = request.app.state.stats
    top = await reader.top(query.filters, field=query.field, limit=query.limit)
    data = shape("top", query.fields, field=query.field, rows=len(top.values))
    shown = [value for value, _ in top.values] if query.field == "subject" else []
    await _record(request, TOP_PATH, data, query.filters, shown)
    values = [TopValueView(value, entry_count) for value, entry_count in top.values]
    view = TopView(*_ends(query.filters), query.field, values, top.total)
    return ASGIResponse(body=encode_view(view), media_type="application/json")


async def _record(request: AnyRequest, route: str, data: dict[str, Any], filters: Filters, shown: Iterable[str] = ()) -> None:
    people = asked_about(filters).union(shown)
    await request.app.state.reads.record(context_of(request), request.scope["state"]["caller"], route, data, people)


def _with_ends(reader: QueryReader, filters: Filters, by: str | None, now: datetime) -> Filters:
    until = filters.until or now
    since = filters.since or until - LOOK_BACK[by or "hour"]
    if since >= until:
        reader.wrong("from", "Give a time in the past, or a to after it.")
    elif by is not None and (until - since) / SPANS[by] > STARTS_MAX:
        reader.wrong("by", f"Give at most {STARTS_MAX:,} spans: a longer one, or a shorter time range.")
    return replace(filters, since=since, until=until)


def _ends(filters: Filters) -> tuple[datetime, datetime]:
    if filters.since is None or filters.until is None:
        raise AssertionError("counts have two ends")
    return filters.since, filters.until
