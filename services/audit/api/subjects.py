"""GET /v1/subjects/{sub} and GET /v1/subjects/{sub}/reads: one person, and who looked at the person's records."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from services.audit.api.access import SUBJECT_READS_ROUTE, SUBJECT_ROUTE
from services.audit.api.query import parse_nothing, parse_page, path_text, shape
from services.audit.api.views import encode_view
from services.audit.storage.people import PeopleReader, Person, Read
from services.audit.subjects import subject_ref
from shared.http.problems import context_of
from shared.problems import NotFound

AnyRequest = Request[Any, Any, Any]


class SessionSeenView(msgspec.Struct, frozen=True):
    """One session of a person, with where it was seen last."""

    session_ref: str
    first_seen: datetime
    last_seen: datetime
    ip: str | None
    country: str | None
    user_agent: str | None


class AddressSeenView(msgspec.Struct, frozen=True):
    """One address of a person."""

    ip: str
    country: str | None
    count: int
    last_seen: datetime


class MethodView(msgspec.Struct, frozen=True):
    """How often a method was used."""

    method: str
    count: int


class SubjectView(msgspec.Struct, frozen=True):
    """One person. Sessions and addresses are the last hundred, the one seen last first."""

    sub: str
    first_seen: datetime
    last_seen: datetime
    event_count: int
    email_hashes: list[str]
    sessions: list[SessionSeenView]
    ips: list[AddressSeenView]
    methods: list[MethodView]
    outcomes: dict[str, int]

    @classmethod
    def of(cls, sub: str, person: Person) -> "SubjectView":
        """Return the view of a person."""
        return cls(
            sub,
            person.first_seen,
            person.last_seen,
            person.event_count,
            person.email_hashes,
            [SessionSeenView(*one) for one in person.sessions],
            [AddressSeenView(*one) for one in person.addresses],
            [MethodView(*one) for one in person.methods],
            dict(person.outcomes),
        )


class ReaderView(msgspec.Struct, frozen=True):
    """Who looked: a user by sub, or a service by name."""

    kind: str | None
    id: str | None


class ReadView(msgspec.Struct, frozen=True):
    """One look; `rows` counts everything that it showed, of this person and of others."""

    occurred_at: datetime
    actor: ReaderView
    route: str | None
    rows: int | None

    @classmethod
    def of(cls, read: Read) -> "ReadView":
        """Return the view of a read."""
        return cls(read.occurred_at, ReaderView(read.actor_kind, read.actor_id), read.route, read.row_count)


class ReadsView(msgspec.Struct, frozen=True):
    """One page of looks, newest first."""

    reads: list[ReadView]
    next_cursor: str | None


@get(SUBJECT_ROUTE.replace("{sub}", "{sub:str}"))
async def get_subject(request: AnyRequest, sub: FromPath[str]) -> ASGIResponse:
    """Answer what the log knows of one person."""
    parse_nothing(list(request.query_params.multi_items()))
    sub = path_text(sub)
    reader: PeopleReader = request.app.state.people
    person = await reader.find(sub)
    data = shape("subject", (), rows=0 if person is None else person.event_count)
    await request.app.state.reads.record(context_of(request), request.scope["state"]["caller"], SUBJECT_ROUTE, data, [sub])
    if person is None:
        raise NotFound()
    return ASGIResponse(body=encode_view(SubjectView.of(sub, person)), media_type="application/json")


@get(SUBJECT_READS_ROUTE.replace("{sub}", "{sub:str}"))
async def get_subject_reads(request: AnyRequest, sub: FromPath[str]) -> ASGIResponse:
    """Answer who looked at one person's records. An erased person's reads are still found by the sub."""
    query = parse_page(list(request.query_params.multi_items()))
    sub = path_text(sub)
    refs = [subject_ref(sub, key) for key in request.app.state.email_hash_keys]
    reader: PeopleReader = request.app.state.people
    found = await reader.reads(refs, after=query.after, limit=query.limit + 1)
    page = found[: query.limit]
    data = shape("subject_reads", query.fields, limit=query.limit, rows=len(page))
    caller = request.scope["state"]["caller"]
    await request.app.state.reads.record(context_of(request), caller, SUBJECT_READS_ROUTE, data, [sub])
    more = page[-1].cursor().encode() if len(found) > query.limit else None
    return ASGIResponse(body=encode_view(ReadsView([ReadView.of(one) for one in page], more)), media_type="application/json")
