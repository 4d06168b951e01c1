"""Who may read the log, and that every try and every read is in it."""

import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from services.audit.api.access import SAFE_METHODS, is_open
from services.audit.app import HANDLERS
from tests.integration.audit.lab import Database, PostgresServer, QueuePair, until
from tests.integration.audit.service import (
    READING_TOKEN,
    SERVICE_TOKEN,
    Service,
    TokenIssuer,
    running_service,
    token_issuer,
)

SUB = "3f2b0c9a-0000-4000-8000-000000000001"


@pytest.fixture
async def issuer() -> AsyncIterator[TokenIssuer]:
    """A user pool that signs whatever a test wants."""
    async with token_issuer() as made:
        yield made


@pytest.fixture
async def service(queue: QueuePair, database: Database, tmp_path: Path, issuer: TokenIssuer) -> AsyncIterator[Service]:
    """A service that consumes its own events too, so that reads show up in the log."""
    async with running_service(tmp_path, queue, database, jwks_url=issuer.url) as running:
        yield running


async def event_of(service: Service, event_type: str, *, rows: int = 1) -> list[dict[str, Any]]:
    """Return the service's own events of a type, once there are enough."""
    found: list[dict[str, Any]] = []

    async def has_enough() -> bool:
        found[:] = await service.events(("type", event_type), ("order", "asc"))
        return len(found) >= rows

    await until(has_enough, f"{rows} of {event_type}")
    return found


async def test_auditor_and_machine_read(service: Service, issuer: TokenIssuer) -> None:
    """
    An access token of the group security-auditors and a known service token both read.
    """
    by_person = await service.get("/v1/events", token=issuer.token())
    by_machine = await service.get("/v1/events", token=SERVICE_TOKEN)

    assert (by_person.status, by_machine.status) == (200, 200)


def refused_tokens(issuer: TokenIssuer) -> dict[str, tuple[str | None, int, str]]:
    """Return credentials that must not work: token, status, and a part of the recorded reason."""
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    header, payload, signature = issuer.token().split(".")
    return {
        "none": (None, 401, "no_credential"),
        "unknown service token": ("not-a-token", 401, "unknown_service_token"),
        "expired": (issuer.token(exp=int(time.time()) - 60), 401, "token"),
        "wrong group": (issuer.token(groups=("readers",)), 403, "wrong_group"),
        "no group": (issuer.token(groups=()), 403, "wrong_group"),
        "wrong client": (issuer.token(client_id="another"), 401, "token"),
        "wrong pool": (issuer.token(iss="https://example.test"), 401, "token"),
        "an id token": (issuer.token(token_use="id"), 401, "token"),
        "signed by a stranger": (issuer.token(key=stranger), 401, "token"),
        "broken signature": (f"{header}.{payload}.{signature[:-6]}AAAAAA", 401, "token"),
        "no jwt at all": ("a.b.c", 401, "token"),
    }


async def test_others_are_refused_and_recorded(service: Service, issuer: TokenIssuer) -> None:
    """
    A caller without a good credential reads nothing, and each try is in the log with its reason and address.
    """
    tokens = refused_tokens(issuer)
    for token, status, _ in tokens.values():
        answer = await service.get("/v1/events", token=token, params={"email": "ada@example.test"})
        assert answer.status == status
        assert answer.json()["code"] == ("unauthorized" if status == 401 else "forbidden")
        assert "events" not in answer.json()
        assert ":" in answer.headers["Audit-Receipt"]

    recorded = await event_of(service, "audit.access.refused", rows=len(tokens))
    assert len(recorded) == len(tokens)
    # Two receivers may bring them in another order than they were written in.
    recorded.sort(key=lambda event: event["producer"]["seq"])
    for event, (_, status, reason) in zip(recorded, tokens.values(), strict=True):
        assert event["outcome"] == "denied"
        assert event["reason"].startswith(reason)
        assert event["http"] == {"method": "GET", "route": "/v1/events", "status": status}
        assert event["client"]["ip"] == "127.0.0.1"
    assert [event.get("actor") for event in recorded if event["reason"] == "wrong_group"] == [{"kind": "user", "id": SUB}] * 2
    text = json.dumps(recorded)
    assert not any(token in text for token, _, _ in tokens.values() if token)


CLOSED = [
    "/v1/events/0192f000-0000-7000-8000-0000000000ff",
    "/v1/events/0192f000-0000-7000-8000-0000000000ff/proof",
    "/v1/events/tail",
    "/v1/completeness",
    "/v1/stats",
    "/v1/stats/top",
    "/v1/subjects/somebody",
    "/v1/subjects/somebody/reads",
    "/v1/sessions/one",
    "/v1/attempts/one",
    "/v1/searches",
    "/v1/searches/one",
    "/log/tile/entries/000",
    "/log",
    "/v1/nothing",
]


async def test_every_path_is_closed(service: Service) -> None:
    """
    No path but health, checkpoint, keys, tiles and the console answers without a credential, not even that it is not there.
    """
    for path in CLOSED:
        assert (await service.get(path, token=None)).status == 401, path


def routes() -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Return method and path of what reads with a credential, and of what changes something; what is made up is "one"."""
    all_routes = {
        (str(method), re.sub(r"\{[^}]*\}", "one", path))
        for handler in HANDLERS
        for path in handler.paths
        for method in handler.http_methods
    }
    changing = {route for route in all_routes if route[0] not in SAFE_METHODS}
    return {route for route in all_routes - changing if not is_open(route[1])}, changing


async def test_a_reading_token_changes_nothing(service: Service) -> None:
    """
    A service token without a scope reads on every route that only reads; every route that changes something refuses it with
    403 and records the try, and lets a token in that manages.
    """
    reading, changing = routes()
    assert ("POST", "/v1/erasures") in changing

    for method, path in reading - {("GET", "/v1/events/tail")}:
        answer = await service.send(method, path, token=READING_TOKEN)
        assert answer.status not in (401, 403, 405), (method, path)
    for method, path in changing:
        refused = await service.send(method, path, {}, token=READING_TOKEN)
        admitted = await service.send(method, path, {})
        assert (refused.status, refused.json()["code"]) == (403, "forbidden"), (method, path)
        assert admitted.status not in (401, 403, 405), (method, path)

    recorded = await event_of(service, "audit.access.refused", rows=len(changing))
    assert {event["reason"] for event in recorded} == {"wrong_scope"}
    assert all(event["actor"] == {"kind": "service", "id": "dashboard"} for event in recorded)
    asked = {(event["http"]["method"], re.sub(r"\{[^}]*\}", "one", event["http"]["route"])) for event in recorded}
    assert asked == changing


async def test_reads_are_recorded_without_their_terms(service: Service, issuer: TokenIssuer) -> None:
    """
    A read leaves who read, which filters were used and how many rows came; what was looked for stays out of the log.
    """
    params = {"email": "lovelace@example.test", "q": "secret-term", "limit": "7"}
    answer = await service.get("/v1/events", token=issuer.token(), params=params, headers={"User-Agent": "console/1"})

    receipt_id, receipt_hash = answer.headers["Audit-Receipt"].split(":")
    await until(lambda: is_stored(service, receipt_id), "the read's own event")
    item = (await service.get(f"/v1/events/{receipt_id}")).json()
    event = item["event"]
    assert item["leaf_hash"] == receipt_hash
    assert event["event_type"] == "audit.query.executed"
    assert event["actor"] == {"kind": "user", "id": SUB}
    assert event["data"] == {"view": "search", "filters": ["email", "limit", "q"], "limit": 7, "rows": 0}
    assert event["client"]["user_agent"] == "console/1"
    assert event["request_id"] == answer.headers["X-Request-Id"]
    # No term that could be the digits of a random number in hexadecimal, as "ada" was.
    assert not any(term in json.dumps(event) for term in ("lovelace", "secret-term"))


async def is_stored(service: Service, event_id: str) -> bool:
    """Say whether the log holds an event."""
    return (await service.get(f"/v1/events/{event_id}")).status == 200


async def test_health_needs_no_credential(service: Service) -> None:
    """
    Health checks answer anybody and are not recorded.
    """
    up = await service.get("/healthz", token=None)
    ready = await service.get("/readyz", token=None)

    assert (up.status, ready.status) == (200, 200)


async def test_what_cannot_be_recorded_is_not_shown(database: Database, queue: QueuePair, tmp_path: Path) -> None:
    """
    While the queue refuses events nobody reads anything: 503 audit_unavailable, for good and bad credentials alike.
    """
    gone = queue.url.replace("audit-", "gone-")
    async with running_service(tmp_path, queue, database, audit_queue_url=gone, receivers=0) as service:
        good = await service.get("/v1/events")
        tail = await service.get("/v1/events/tail")
        bad = await service.get("/v1/events", token="wrong")
        ready = await service.get("/readyz", token=None)

    for answer in (good, tail, bad):
        assert (answer.status, answer.json()["code"]) == (503, "audit_unavailable")
        assert answer.headers["Retry-After"] == "2"
    assert (ready.status, ready.json()["failing"]) == (503, ["queue"])


async def test_database_away(database: Database, queue: QueuePair, tmp_path: Path) -> None:
    """
    Without its database the service stays up and says so: not ready, searches 503, no details.
    """
    overrides = {"database_url_file": str(tmp_path / "elsewhere")}
    (tmp_path / "elsewhere").write_text("postgresql://countersign_reader:x@127.0.0.1:9/none\n")
    async with running_service(tmp_path, queue, database, receivers=0, **overrides) as service:
        search = await service.get("/v1/events")
        ready = await service.get("/readyz", token=None)
        up = await service.get("/healthz", token=None)

    assert (search.status, search.json()["code"]) == (503, "provider_busy")
    assert "127.0.0.1:9" not in search.body.decode()
    assert (ready.status, ready.json()["failing"]) == (503, ["database"])
    assert up.status == 200


async def test_old_schema_is_not_ready(postgres_server: PostgresServer, queue: QueuePair, tmp_path: Path) -> None:
    """
    A database that was not migrated to this release's schema keeps the service from being ready.
    """
    empty = await postgres_server.create_database()
    async with running_service(tmp_path, queue, empty, receivers=0) as service:
        ready = await service.get("/readyz", token=None)
    assert (ready.status, ready.json()["failing"]) == (503, ["database"])


async def test_slow_search_is_cut_off(queue: QueuePair, database: Database, tmp_path: Path) -> None:
    """
    A search that runs into its time limit is answered with what to do, not with a fault.
    """
    connection = await asyncpg.connect(database.owner_url)
    try:
        async with (
            running_service(tmp_path, queue, database, receivers=0, query_seconds_max=0.3) as service,
            connection.transaction(),
        ):
            await connection.execute("LOCK TABLE audit.entry_search IN ACCESS EXCLUSIVE MODE")
            answer = await service.get("/v1/events", params={"q": "word"})
    finally:
        await connection.close()
    assert (answer.status, answer.json()["code"]) == (422, "search_too_broad")
