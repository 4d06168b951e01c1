"""GET /v1/events: every filter, the cursor, and what is said about wrong questions."""

import hashlib
import json
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import pytest_asyncio

from services.audit.storage.cursor import SearchCursor
from shared.events import Actor, AuthsignalRef, Client, EventType, Outcome, Subject, email_hash
from tests.integration.audit.consistency import assert_log_consistent
from tests.integration.audit.lab import (
    TEMPLATE,
    Author,
    AwsServer,
    Database,
    PostgresServer,
    QueuePair,
    at,
    queue_pair,
    running_consumer,
    seal,
)
from tests.integration.audit.service import EMAIL_HASH_KEY, Service, running_service

ADA = email_hash("ada@example.test", EMAIL_HASH_KEY.encode())
BOB = email_hash("bob@example.test", EMAIL_HASH_KEY.encode())
ADA_SUB, BOB_SUB = "3f2b0c9a-0000-4000-8000-00000000000a", "3f2b0c9a-0000-4000-8000-00000000000b"
ATTEMPT = "0192f000-0000-7000-8000-0000000000aa"


def story(author: Author) -> dict[str, bytes]:
    """Return a small log, each event under a name."""
    return {
        "sign_up": author.entry(
            event_type=EventType.SIGN_UP_REQUESTED,
            occurred_at=at(0),
            subject=Subject(email_hash=ADA),
            client=Client(ip="192.0.2.10", user_agent="Firefox/140"),
        ),
        "sign_in": author.entry(
            occurred_at=at(10),
            subject=Subject(sub=ADA_SUB, email_hash=ADA),
            client=Client(ip="192.0.2.200"),
            attempt_id=ATTEMPT,
            request_id="request-1",
        ),
        "challenge": author.entry(
            event_type=EventType.CHALLENGE_SENT,
            occurred_at=at(11),
            subject=Subject(sub=ADA_SUB),
            attempt_id=ATTEMPT,
            request_id="request-1",
            authsignal=AuthsignalRef(action="signIn", method="EMAIL_OTP", state="CHALLENGE_REQUIRED"),
        ),
        "refusal": author.entry(
            event_type=EventType.SIGN_IN_FAILED,
            outcome=Outcome.FAILURE,
            reason="wrong_code 100%",
            occurred_at=at(20),
            subject=Subject(sub=BOB_SUB, email_hash=BOB),
            client=Client(ip="2001:db8::7"),
            session_ref="session-b",
        ),
        "read": author.entry(
            event_type=EventType.AUDIT_QUERY_EXECUTED,
            occurred_at=at(30),
            actor=Actor(kind="service", id="nightly"),
            client=Client(ip="not an address"),
        ),
    }


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def entries() -> dict[str, bytes]:
    """The events in the log, by name."""
    return story(Author())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def log(
    postgres_server: PostgresServer, aws_server: AwsServer, entries: dict[str, bytes]
) -> AsyncIterator[tuple[QueuePair, Database]]:
    """A log that holds the story and nothing else; no test of this module adds to it."""
    database = await postgres_server.create_database(template=TEMPLATE)
    async with queue_pair(aws_server) as queue:
        await queue.send(*entries.values())
        async with running_consumer(queue, database):
            await database.wait_for_entries(len(entries))
        await seal(database)
        yield queue, database


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(log: tuple[QueuePair, Database], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """A service that only answers."""
    async with running_service(tmp_path_factory.mktemp("search"), *log, receivers=0) as running:
        yield running


FILTERS: dict[str, tuple[list[tuple[str, str]], list[str]]] = {
    "nothing": ([], ["read", "refusal", "challenge", "sign_in", "sign_up"]),
    "from is inclusive": ([("from", "2026-11-01T00:00:20Z")], ["read", "refusal"]),
    "to is exclusive": ([("to", "2026-11-01T00:00:10Z")], ["sign_up"]),
    "a zone": ([("from", "2026-11-01T01:00:20+01:00"), ("to", "2026-11-01T01:00:21+01:00")], ["refusal"]),
    "type": ([("type", "challenge.sent")], ["challenge"]),
    "two types": ([("type", "challenge.sent"), ("type", "sign_up.requested")], ["challenge", "sign_up"]),
    "family of types": ([("type", "sign_in.")], ["refusal", "sign_in"]),
    "outcome": ([("outcome", "failure")], ["refusal"]),
    "subject": ([("subject", ADA_SUB)], ["challenge", "sign_in"]),
    "email finds the account too": ([("email", " Ada@Example.test ")], ["challenge", "sign_in", "sign_up"]),
    "email of nobody": ([("email", "nobody@example.test")], []),
    "address": ([("ip", "192.0.2.10")], ["sign_up"]),
    "network": ([("ip", "192.0.2.0/24")], ["sign_in", "sign_up"]),
    "half a network": ([("ip", "192.0.2.128/25")], ["sign_in"]),
    "network of version 6": ([("ip", "2001:db8::/32")], ["refusal"]),
    "session": ([("session", "session-b")], ["refusal"]),
    "attempt": ([("attempt", ATTEMPT)], ["challenge", "sign_in"]),
    "request": ([("request", "request-1")], ["challenge", "sign_in"]),
    "text": ([("q", "FIREFOX")], ["sign_up"]),
    "text with a wildcard in it": ([("q", "100%")], ["refusal"]),
    "a wildcard finds only itself": ([("q", "wrong%code")], []),
    "text of the method": ([("q", "email_otp")], ["challenge"]),
    "identifier as text": ([("q", ATTEMPT)], ["challenge", "sign_in"]),
    "several at once": ([("email", "ada@example.test"), ("type", "sign_in."), ("outcome", "success")], ["sign_in"]),
}


@pytest.mark.parametrize(("params", "names"), FILTERS.values(), ids=FILTERS.keys())
@pytest.mark.parametrize("order", ["desc", "asc"])
async def test_filters(
    service: Service, entries: dict[str, bytes], params: list[tuple[str, str]], names: list[str], order: str
) -> None:
    """
    Each filter finds exactly what fits, newest first, and in the order of arrival when asked for.
    """
    found = await service.events(*params, ("order", order))

    wanted = [json.loads(entries[name]) for name in names]
    if order == "desc":
        assert found == wanted
    else:
        assert sorted(event["event_id"] for event in found) == sorted(event["event_id"] for event in wanted)


async def test_answer_carries_the_entry_itself(
    service: Service, entries: dict[str, bytes], log: tuple[QueuePair, Database]
) -> None:
    """
    The event in an answer is the stored entry byte for byte, so that its leaf hash can be recomputed from the answer.
    """
    answer = await service.get("/v1/events", params={"type": "sign_up.requested"})

    entry = entries["sign_up"]
    assert entry in answer.body
    [item] = answer.json()["events"]
    assert item["leaf_hash"] == hashlib.sha256(b"\x00" + entry).hexdigest()
    assert set(item) == {"event", "leaf_hash", "recorded_at", "leaf_index"}
    assert answer.headers["Cache-Control"] == "no-store"
    await assert_log_consistent(log[1])


async def test_one_event(service: Service, entries: dict[str, bytes]) -> None:
    """
    An event is found by its id; one that is not there, or is no id, is 404.
    """
    event = json.loads(entries["challenge"])

    found = await service.get(f"/v1/events/{event['event_id']}")
    unknown = await service.get("/v1/events/0192f000-0000-7000-8000-0000000000ff")
    strange = await service.get("/v1/events/..%2f..%2fetc")

    assert found.json()["event"] == event
    assert (unknown.status, unknown.json()["code"]) == (404, "not_found")
    assert strange.status == 404


WRONG = {
    "unknown parameter": ([("colour", "red")], ["colour"]),
    "unknown type": ([("type", "sign_in.teleported")], ["type"]),
    "family without a dot": ([("type", "sign_in")], ["type"]),
    "unknown outcome": ([("outcome", "fine")], ["outcome"]),
    "time without a zone": ([("from", "2026-11-01T00:00:00")], ["from"]),
    "no time": ([("to", "yesterday")], ["to"]),
    "time out of range": ([("from", "0001-01-01T00:00:00+14:00")], ["from"]),
    "times the wrong way round": ([("from", "2026-11-02T00:00:00Z"), ("to", "2026-11-01T00:00:00Z")], ["to"]),
    "no address": ([("ip", "localhost")], ["ip"]),
    "no e-mail address": ([("email", "ada")], ["email"]),
    "limit of nothing": ([("limit", "0")], ["limit"]),
    "limit too high": ([("limit", "1001")], ["limit"]),
    "limit of words": ([("limit", "ten")], ["limit"]),
    "other order": ([("order", "random")], ["order"]),
    "made-up cursor": ([("cursor", "AAAA")], ["cursor"]),
    "cursor of the other order": ([("order", "asc"), ("cursor", SearchCursor(at(0), UUID(int=0)).encode())], ["cursor"]),
    "twice": ([("subject", "a"), ("subject", "b")], ["subject"]),
    "empty": ([("subject", "")], ["subject"]),
    "blank text": ([("q", "  ")], ["q"]),
    "too long": ([("q", "x" * 257)], ["q"]),
    "a zero byte": ([("subject", "a\0b")], ["subject"]),
    "all at once": ([("ip", "x"), ("limit", "x"), ("colour", "x")], ["colour", "ip", "limit"]),
}


@pytest.mark.parametrize(("params", "fields"), WRONG.values(), ids=WRONG.keys())
async def test_wrong_question_is_answered_with_the_field(
    service: Service, params: list[tuple[str, str]], fields: list[str]
) -> None:
    """
    A question that cannot be answered is 400 invalid_request and names every wrong field.
    """
    answer = await service.get("/v1/events", params=params)

    assert answer.status == 400
    problem = answer.json()
    assert problem["code"] == "invalid_request"
    assert sorted(error["field"] for error in problem["errors"]) == fields
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/v1/subjects/{}", "/v1/subjects/{}/reads", "/v1/sessions/{}", "/v1/attempts/{}"])
async def test_what_cannot_be_a_name_is_not_found(service: Service, path: str) -> None:
    """
    Nothing is called by a NUL or by a text longer than any name: 404, as for any other that the log does not hold.
    """
    for name in ("%00", "a%00b", "x" * 257):
        assert (await service.get(path.format(name))).status == 404, name
