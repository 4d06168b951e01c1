"""Where somebody is signed in: listed, revoked one by one or all at once, at once everywhere."""

import uuid
from typing import Any

import pytest

from tests.integration.gateway.fixtures import People
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import SESSION, Person
from tests.integration.gateway.vault import Vault

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def sessions(person: Person) -> list[dict[str, Any]]:
    """Return the sessions that somebody sees."""
    found: list[dict[str, Any]] = (await person.call("GET", "/v1/sessions")).body["sessions"]
    return found


async def test_every_session_is_listed(person: Person) -> None:
    """Each browser shows by its name, address and time, the present one marked."""
    await person.sign_up()
    other = person.stranger()
    attempt = await other.begin("sign-ins")
    headers = {"User-Agent": FIREFOX, "X-Forwarded-For": "203.0.113.9"}
    await other.verify(attempt["id"], await other.code(), **headers)

    seen = await sessions(person)

    assert sorted(one["is_current"] for one in seen) == [False, True]
    there = next(one for one in seen if not one["is_current"])
    assert (there["device"], there["ip"], there["methods"]) == ("Firefox on Windows", "203.0.113.9", ["EMAIL_OTP"])


async def test_a_revoked_session_is_over(person: Person, ledger: Ledger) -> None:
    """Revoking one session ends that one and no other; the log says who did it."""
    mine = (await person.sign_up()).body["id"]
    other = await person.elsewhere()
    (target,) = [one["id"] for one in await sessions(person) if not one["is_current"]]

    answer = await person.call("DELETE", f"/v1/sessions/{target}")

    assert answer.status == 204
    assert (await other.call("GET", "/v1/session")).code == "session_expired"
    assert [one["id"] for one in await sessions(person)] == [mine]
    event = await ledger.promised(answer.receipt)
    assert (event.event_type.value, event.session_ref) == ("session.revoked", target)
    assert event.data["by_session"] == mine


async def test_signing_out_everywhere(person: Person, vault: Vault, ledger: Ledger) -> None:
    """Every session ends, the present one as well, and each has its event."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    others = [await person.elsewhere() for _ in range(2)]
    here = Person.stranger(person)
    here.cookies = dict(person.cookies)

    answer = await person.call("DELETE", "/v1/sessions")

    assert (answer.status, SESSION in person.cookies) == (204, False)
    assert {(await one.call("GET", "/v1/session")).code for one in (here, *others)} == {"session_expired"}
    assert await vault.sessions_of(sub) == []
    await ledger.promised(answer.receipt)
    assert (await ledger.types_of_subject(sub)).count("session.all.revoked") == 3


async def test_another_persons_session_is_not_there(people: People) -> None:
    """Nobody revokes a session of somebody else, and it answers like one that never was."""
    owner, other = people(), people()
    target = (await owner.sign_up()).body["id"]
    await other.sign_up()

    answers = [await other.call("DELETE", f"/v1/sessions/{one}") for one in (target, uuid.uuid4())]

    assert [(answer.status, answer.code) for answer in answers] == [(404, "not_found")] * 2
    assert (await owner.call("GET", "/v1/session")).status == 200
    assert len(await sessions(other)) == 1


async def test_activity_is_ones_own(people: People, ledger: Ledger) -> None:
    """The recent activity is the log's events about this person, newest first, each with the receipt of a stored entry."""
    person, other = people(), people()
    await other.sign_up(display_name="Somebody else")
    await person.sign_up()
    await person.elsewhere()
    renamed = await person.call("PATCH", "/v1/me", {"display_name": "Ada"})
    await ledger.drained()

    events = (await person.call("GET", "/v1/me/activity")).body["events"]

    assert [event["type"] for event in events] == ["account.profile.changed", "sign_in.succeeded", "account.user.created"]
    assert events[0]["receipt"] == ":".join(renamed.receipt)
    for event in events:
        stored = await ledger.promised(tuple(event["receipt"].split(":")))
        assert (stored.event_id, stored.event_type.value) == (event["id"], event["type"])


@pytest.mark.parametrize(("limit", "status"), [("1", 200), ("100", 200), ("0", 400), ("101", 400), ("x", 400)])
async def test_activity_has_a_limit(person: Person, ledger: Ledger, limit: str, status: int) -> None:
    """At most so many events as are asked for, from 1 to 100."""
    await person.sign_up()
    await ledger.drained()

    listed = await person.call("GET", f"/v1/me/activity?limit={limit}")

    assert listed.status == status
    if status == 200:
        assert 1 <= len(listed.body["events"]) <= int(limit)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/sessions"),
        ("DELETE", "/v1/sessions"),
        ("GET", "/v1/me/activity"),
        ("GET", "/v1/me/authenticators"),
        ("POST", "/v1/me/authenticators"),
        ("POST", "/v1/step-ups"),
    ],
)
async def test_all_of_it_needs_a_session(person: Person, method: str, path: str) -> None:
    """Without a session there is nothing to see and nothing to do."""
    bodies = {"/v1/me/authenticators": {"type": "PASSKEY"}, "/v1/step-ups": {"action": "authorizePayment"}}

    answer = await person.call(method, path, bodies.get(path) if method == "POST" else None)

    assert (answer.status, answer.code) == (401, "session_required")
