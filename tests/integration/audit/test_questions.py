"""Filter expressions, free text, statistics, people, stories and kept searches, asked of one running service."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.audit.__main__ import main
from services.audit.subjects import subject_ref
from shared.events import EventType, Outcome, Subject
from shared.ids import uuid7
from tests.integration.audit.commands import Person
from tests.integration.audit.consistency import assert_log_consistent
from tests.integration.audit.lab import TEMPLATE, Author, AwsServer, Database, PostgresServer, queue_pair, seal, until
from tests.integration.audit.service import (
    EMAIL_HASH_KEY,
    SERVICE_TOKEN,
    Answer,
    Service,
    TokenIssuer,
    running_service,
    token_issuer,
)
from tests.integration.audit.stories import ADA, ADDRESS, ATTEMPT, CURL, DEVICE, FILTERS, FIREFOX, SESSION, THEN, story


@dataclass
class Desk:
    """A running service with the story in its log, and two auditors beside the machine that holds a service token."""

    service: Service
    database: Database
    issuer: TokenIssuer
    entries: dict[str, bytes]
    folder: Path

    def token(self, name: str) -> str:
        """Return the access token of an auditor."""
        return self.issuer.token(sub=name, username=name)

    async def names(self, *params: tuple[str, str]) -> list[str]:
        """Return which events of the story a search finds, newest first."""
        known = {json.loads(entry)["event_id"]: name for name, entry in self.entries.items()}
        return [known[event["event_id"]] for event in await self.service.events(*params, THEN)]

    async def send(self, method: str, path: str, body: Any = None, *, token: str = SERVICE_TOKEN) -> Answer:
        """Ask for a change."""
        headers = {"Authorization": f"Bearer {token}"}
        async with self.service.http.request(method, self.service.url + path, headers=headers, json=body) as answer:
            return Answer(answer.status, answer.headers, await answer.read())


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(
    postgres_server: PostgresServer, aws_server: AwsServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    """One whole service, consumer and sequencer included, for this module."""
    database = await postgres_server.create_database(template=TEMPLATE)
    entries = story(Author())
    await database.append(entries.values())
    await seal(database)
    folder: Path = tmp_path_factory.mktemp("questions")
    async with token_issuer() as issuer, queue_pair(aws_server) as queue:
        async with running_service(folder, queue, database, jwks_url=issuer.url) as service:
            yield Desk(service, database, issuer, entries, folder)
        await assert_log_consistent(database)


async def test_filter_expressions_find_what_fits(desk: Desk) -> None:
    """
    Each attribute of an event can be asked for, alone and with others; a type that does not fit matches nothing.
    """
    wanted = {text: sorted(names) for text, names in FILTERS.items()}

    assert {text: sorted(await desk.names(("filter", text))) for text in FILTERS} == wanted
    assert await desk.names(("filter", "client.ip pr"), ("outcome", "failure"), ("subject", ADA)) == ["wrong"]
    assert await desk.names(("filter", 'outcome eq "pending"'), ("order", "asc")) == ["waits"]


async def test_a_wrong_expression_is_answered_with_its_place(desk: Desk) -> None:
    """
    An expression that cannot be read is 400 and says at which character, wherever filters are taken.
    """
    for path in ("/v1/events", "/v1/stats", "/v1/events/tail"):
        answer = await desk.service.get(path, params={"filter": 'outcome eq "failure" and colour pr'})

        [error] = answer.json()["errors"]
        assert (answer.status, error["field"], error["position"]) == (400, "filter", 26)
        assert error["message"] == "At character 26: There is no attribute colour."


async def test_free_text_finds_parts_of_texts_and_whole_identifiers(desk: Desk) -> None:
    """
    A part of a text is found in any case, wildcards of SQL are ordinary characters, and an identifier is found as a whole.
    """
    assert await desk.names(("q", "firefox/14")) == ["session", "wrong", "start"]
    assert await desk.names(("q", "100%_\\")) == ["other", "waits"]
    assert await desk.names(("q", "adminGETuser")) == ["waits"]
    assert await desk.names(("q", DEVICE)) == ["session", "wrong", "start"]
    assert await desk.names(("q", DEVICE[:20])) == []
    assert await desk.names(("q", "shop"), ("order", "asc")) == ["other"]
    assert await desk.names(("q", "nothing like it")) == []


async def test_texts_that_nobody_has_any_more_are_forgotten(desk: Desk) -> None:
    """
    A text that no entry has is removed when it is asked for, and those that entries have stay.
    """

    async def known() -> set[str]:
        return {row["words"] for row in await desk.database.fetch("SELECT words FROM audit.known_words")}

    async with desk.database.tampering() as connection:
        await connection.execute("INSERT INTO audit.known_words VALUES (gen_random_uuid(), 'of an erased person')")
    before = await known()

    [row] = await desk.database.fetch("SELECT audit.forget_unused_words() AS gone", role="countersign_owner")

    # What the service records of itself may bring another text meanwhile.
    assert (row["gone"], before - await known()) == (1, {"of an erased person"})
    assert await desk.names(("q", "firefox")) == ["session", "wrong", "start"]


async def test_counts_over_time(desk: Desk) -> None:
    """
    Counts come span by span with zeros between, the most frequent word first, and add up to what a search finds.
    """
    params = {"from": "2026-10-31T23:00:00Z", "to": "2026-11-01T02:00:00Z", "by": "hour"}
    plain = (await desk.service.get("/v1/stats", params=params)).json()
    narrow = (await desk.service.get("/v1/stats", params={**params, "group": "country", "subject": ADA})).json()

    assert plain["starts"] == ["2026-10-31T23:00:00Z", "2026-11-01T00:00:00Z", "2026-11-01T01:00:00Z"]
    assert (plain["from"], plain["to"], plain["by"], plain["group"]) == (params["from"], params["to"], "hour", "outcome")
    assert plain["series"][0] == {"key": "success", "counts": [0, 3, 0], "total": 3}
    assert sorted((one["key"], one["total"]) for one in plain["series"][1:]) == [("denied", 1), ("failure", 1), ("pending", 1)]
    assert plain["total"] == 6
    assert [(one["key"], one["total"]) for one in narrow["series"]] == [("DE", 3), (None, 1), ("BR", 1)]


async def test_counts_are_made_anew_on_demand(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    The operator can drop the hourly counts; the running service makes them again, and the answers never change.
    """
    counted = "SELECT leaf_count FROM audit.counted WHERE leaf_count > 0"
    path = "/v1/stats?from=2026-10-31T23:00:00Z&to=2026-11-01T02:00:00Z&group=event_type"
    before = (await desk.service.get(path)).json()
    monkeypatch.setattr("sys.argv", ["audit", "recount", "--settings", str(desk.folder / "audit.toml")])

    await asyncio.to_thread(main)

    assert "the counts are dropped" in capsys.readouterr().out
    assert (await desk.service.get(path)).json() == before
    await until(lambda: desk.database.fetch(counted), "counts")
    assert (await desk.service.get(path)).json() == before


async def test_frequent_values(desk: Desk) -> None:
    """
    The most frequent values of a field come with their counts and the number of all that fit.
    """
    params = {"from": "2026-10-31T23:00:00Z", "to": "2026-11-01T02:00:00Z", "limit": "1"}
    found = {
        field: (await desk.service.get("/v1/stats/top", params={**params, "field": field})).json()
        for field in ("ip", "subject", "event_type", "country", "method", "user_agent")
    }

    assert {field: (one["values"][0]["value"], one["values"][0]["count"], one["total"]) for field, one in found.items()} == {
        "ip": ("192.0.2.10", 3, 6),
        "subject": (ADA, 5, 6),
        "event_type": ("challenge.sent", 1, 6),
        "country": ("DE", 3, 6),
        "method": ("EMAIL_OTP", 1, 6),
        "user_agent": (FIREFOX, 3, 6),
    }


WRONG_STATS = {
    "/v1/stats?by=week": ["by"],
    "/v1/stats?group=ip": ["group"],
    "/v1/stats?by=minute&from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z": ["by"],
    "/v1/stats?from=2126-01-01T00:00:00Z": ["from"],
    "/v1/stats?limit=5": ["limit"],
    "/v1/stats/top": ["field"],
    "/v1/stats/top?field=reason&limit=101": ["field", "limit"],
    "/v1/subjects/x?from=1": ["from"],
    "/v1/sessions/x?cursor=AAAA": ["cursor"],
    "/v1/stats?to=0001-01-01T00:00:00Z": ["to"],
    "/v1/stats?from=9999-12-31T23:30:00Z&to=9999-12-31T23:50:00Z": ["from", "to"],
    "/v1/events?from=9999-12-31T23:00:00-12:00": ["from"],
    "/v1/reconciliation?to=0001-01-01T00:00:00Z": ["to"],
    "/v1/alerts?from=0001-01-01T00:00:00%2B12:00": ["from"],
}


async def test_wrong_questions_are_answered_with_the_field(desk: Desk) -> None:
    """
    A question that cannot be answered is 400 and names every wrong field.
    """
    answers = {path: await desk.service.get(path) for path in WRONG_STATS}

    assert {path: answer.status for path, answer in answers.items()} == dict.fromkeys(WRONG_STATS, 400)
    named = {path: sorted(error["field"] for error in answer.json()["errors"]) for path, answer in answers.items()}
    assert named == WRONG_STATS


async def test_one_person_in_numbers(desk: Desk) -> None:
    """
    A person's view sums up everything that names the account: when, how often, from where, in which sessions.
    """
    answer = await desk.service.get(f"/v1/subjects/{ADA}")
    unknown = await desk.service.get("/v1/subjects/nobody")

    assert unknown.status == 404
    view = answer.json()
    assert (view["sub"], view["event_count"], view["email_hashes"]) == (ADA, 5, [ADDRESS])
    assert (view["first_seen"], view["last_seen"]) == ("2026-11-01T00:00:10Z", "2026-11-01T00:00:20Z")
    assert view["outcomes"] == {"success": 3, "failure": 1, "pending": 1}
    assert view["methods"] == [{"method": "EMAIL_OTP", "count": 1}]
    assert [(one["ip"], one["country"], one["count"]) for one in view["ips"]] == [
        ("198.51.100.7", "BR", 1),
        ("192.0.2.10", "DE", 3),
    ]
    [session] = view["sessions"]
    assert (session["session_ref"], session["ip"], session["user_agent"]) == (SESSION, "198.51.100.7", CURL)


async def test_the_story_of_an_attempt_and_of_a_session(desk: Desk) -> None:
    """
    A story is told from its beginning, page by page, under a summary of all of it; one that never was is 404.
    """
    attempt = (await desk.service.get(f"/v1/attempts/{ATTEMPT}", params={"limit": "3"})).json()
    rest = (await desk.service.get(f"/v1/attempts/{ATTEMPT}", params={"cursor": attempt["next_cursor"]})).json()
    session = (await desk.service.get(f"/v1/sessions/{SESSION}")).json()
    unknown = await desk.service.get("/v1/sessions/nothing")

    told = [item["event"] for item in attempt["events"] + rest["events"]]
    assert told == [json.loads(desk.entries[name]) for name in ("start", "sent", "wrong", "session")]
    assert (attempt["id"], attempt["outcome"], attempt["event_count"], rest["next_cursor"]) == (ATTEMPT, "success", 4, None)
    assert attempt["subject"] == {"sub": ADA, "email_hash": ADDRESS}
    assert attempt["client"] == {"ip": "192.0.2.10", "country": "DE", "user_agent": FIREFOX, "device_id": DEVICE}
    # The last event is pending: the outcome is that of the one before.
    assert (session["outcome"], session["last_seen"], session["client"]["country"]) == ("success", "2026-11-01T00:00:20Z", "BR")
    assert unknown.status == 404


async def test_what_is_asked_of_an_attempt_that_is_over_does_not_change_how_it_ended(desk: Desk) -> None:
    """
    An approval that was used, and then refused twice more, ended well; the refusals are events of its story all the same.
    """
    attempt, began, author = str(uuid7()), datetime(2026, 10, 20, 12, tzinfo=UTC), Author()
    steps = [
        (EventType.STEP_UP_REQUESTED, Outcome.PENDING),
        (EventType.STEP_UP_SUCCEEDED, Outcome.SUCCESS),
        (EventType.STEP_UP_CONSUMED, Outcome.SUCCESS),
        (EventType.STEP_UP_CONSUMED, Outcome.DENIED),
        (EventType.ATTEMPT_REFUSED, Outcome.DENIED),
    ]
    entries = [
        author.entry(event_type=kind, outcome=outcome, occurred_at=began + timedelta(seconds=number), attempt_id=attempt)
        for number, (kind, outcome) in enumerate(steps)
    ]
    await desk.database.append(entries)
    story_told = (await desk.service.get(f"/v1/attempts/{attempt}")).json()
    assert (story_told["outcome"], story_told["event_count"]) == ("success", 5)


async def test_a_person_can_be_told_who_looked(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Every read that showed a person's events, or asked for the person, is listed: who, how, how many rows. The log itself says
    so by a keyed reference alone, and no read event holds what was looked for.
    """
    sub, auditor = "3f2b0c9a-0000-4000-8000-0000000000cc", desk.token("auditor-one")
    await desk.database.append([Author().entry(subject=Subject(sub=sub), session_ref="session-c", request_id="request-c")])
    ways = (
        f"/v1/subjects/{sub}",
        f"/v1/events?subject={sub}",
        "/v1/events?request=request-c",
        f'/v1/events?filter=subject.sub eq "{sub}"',
        "/v1/sessions/session-c",
        f"/v1/stats?subject={sub}",
    )
    receipts = []
    for way in ways:
        answer = await desk.service.get(way, token=auditor)
        assert answer.status == 200, way
        receipts.append(answer.headers["Audit-Receipt"].partition(":")[0])
    await desk.service.get("/v1/events?ip=192.0.2.10", token=auditor)  # Shows somebody else.

    async def are_stored() -> bool:
        sql = "SELECT event_id FROM audit.entries WHERE event_id = ANY ($1::text[]::uuid[])"
        return len(await desk.database.fetch(sql, receipts)) == len(ways)

    # Asking for the list is a read about the person, too: so it is asked once, when it is complete.
    await until(are_stored, "reads in the log")
    first = (await desk.service.get(f"/v1/subjects/{sub}/reads", token=SERVICE_TOKEN)).json()["reads"]
    looks = [read for read in first if read["route"] != "/v1/subjects/{sub}/reads"]

    routes = ["/v1/subjects/{sub}", "/v1/events", "/v1/events", "/v1/events", "/v1/sessions/{ref}", "/v1/stats"]
    assert [(look["route"], look["actor"], look["rows"]) for look in reversed(looks)] == [
        (route, {"kind": "user", "id": "auditor-one"}, 1) for route in routes
    ]
    person = Person(capsys, monkeypatch)
    person.knows(desk.service)
    assert "These are the last 2; --limit shows more." in (await person.runs("subject", sub, "--reads", "--limit", "2")).out
    rows = await desk.database.fetch("SELECT entry FROM audit.entries WHERE event_id = ANY ($1::text[]::uuid[])", receipts)
    assert len(rows) == len(ways)
    for row in rows:
        assert sub not in row["entry"].decode()
        assert json.loads(row["entry"])["data"]["subject_refs"] == [subject_ref(sub, EMAIL_HASH_KEY).hex()]


SEARCH = {"name": "Failures at night", "params": {"outcome": ["failure", "denied"], "filter": 'client.country ne "DE"'}}


async def test_kept_searches(desk: Desk) -> None:
    """
    A search is kept by its owner, shown to others only when shared, changed and removed by the owner alone; each change is an
    event before it is made and one behind it, which hold neither name nor terms.
    """
    one, two = desk.token("auditor-one"), desk.token("auditor-two")

    made = await desk.send("POST", "/v1/searches", SEARCH, token=one)
    again = await desk.send("POST", "/v1/searches", SEARCH, token=one)
    same_name = await desk.send("POST", "/v1/searches", SEARCH, token=two)
    place = f"/v1/searches/{made.json()['id']}"
    unseen = await desk.send("GET", "/v1/searches", token=two)
    foreign = [await desk.send("PUT", place, SEARCH, token=two), await desk.send("DELETE", place, token=two)]
    shared = await desk.send("PUT", place, {**SEARCH, "name": "At night", "is_shared": True}, token=one)
    seen = await desk.send("GET", "/v1/searches", token=two)
    removed = await desk.send("DELETE", place, token=one)
    left = await desk.send("GET", "/v1/searches", token=one)

    assert (made.status, again.status, again.json()["code"], same_name.status) == (201, 409, "name_taken", 201)
    assert made.json()["owner"] == {"kind": "user", "id": "auditor-one"}
    assert (made.json()["params"], made.json()["is_shared"]) == (SEARCH["params"], False)
    assert [search["owner"]["id"] for search in unseen.json()["searches"]] == ["auditor-two"]
    assert [answer.status for answer in foreign] == [404, 404]
    assert (shared.status, shared.json()["name"], shared.json()["created_at"]) == (200, "At night", made.json()["created_at"])
    assert [search["name"] for search in seen.json()["searches"]] == ["At night", "Failures at night"]
    assert (removed.status, left.json()["searches"]) == (204, [])

    ended = [
        *(("audit.search.saved", outcome) for outcome in ("success", "failure", "success")),
        *(("audit.search.changed", outcome) for outcome in ("failure", "success")),
        *(("audit.search.removed", outcome) for outcome in ("failure", "success")),
    ]
    events: list[dict[str, Any]] = []

    async def recorded() -> bool:
        events[:] = await desk.service.events(("type", "audit.search."), ("limit", "1000"))
        return len(events) >= 2 * len(ended)

    await until(recorded, "two events of each change that was tried")
    found = [(event["event_type"], event["outcome"]) for event in events]
    assert sorted(found) == sorted([*ended, *((event_type, "pending") for event_type, _ in ended)])
    receipts = {answer.headers["Audit-Receipt"].partition(":")[0] for answer in (made, same_name, shared, removed)}
    assert {event["event_id"] for event in events if event["outcome"] == "success"} == receipts
    refusals = {(event["reason"], event["http"]["status"]) for event in events if event["outcome"] == "failure"}
    assert refusals == {("name_taken", 409), ("not_found", 404)}
    assert {event["actor"]["id"] for event in events} == {"auditor-one", "auditor-two"}
    assert all("night" not in json.dumps(event) and "DE" not in json.dumps(event["data"]) for event in events)


WRONG_SEARCHES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"name": "x", "params": {}}, "params"),
    ({"name": "x", "params": {"type": [], "limit": "5"}}, "params"),
    ({"name": "x", "params": {"colour": "red"}}, "colour"),
    ({"name": "x", "params": {"filter": "outcome eq"}}, "filter"),
    ({"name": "x", "params": {"cursor": "AAAA"}}, "cursor"),
    ({"name": "x", "params": {"subject": ["a", "b"]}}, "subject"),
)


async def test_a_search_that_cannot_be_run_is_not_kept(desk: Desk) -> None:
    """
    A kept search takes what GET /v1/events takes, a page excepted; anything else is 400 and names the field.
    """
    for body, field in WRONG_SEARCHES:
        answer = await desk.send("POST", "/v1/searches", body)
        assert (answer.status, [error["field"] for error in answer.json()["errors"]]) == (400, [field])
    nameless = await desk.send("POST", "/v1/searches", {"name": "", "params": {}})
    nothing = await desk.send("DELETE", "/v1/searches/of-nobody")

    assert (nameless.status, nothing.status) == (400, 404)


async def test_the_same_from_the_command_line(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Everything that the API answers can be asked at a terminal: a table for people, the API's own JSON for machines.
    """
    person = Person(capsys, monkeypatch)
    person.knows(desk.service)
    range_of = ("--from", "2026-11-01T00:00:00Z", "--to", THEN[1])

    found = await person.runs("query", "--filter", 'outcome eq "denied"', *range_of)
    refused = await person.runs("query", "--filter", 'outcome is "denied"')
    counts = await person.runs("stats", "--group", "country", *range_of)
    machine = await person.runs("stats", "--by", "day", *range_of, "--json")
    ranking = await person.runs("top", "--field", "user_agent", *range_of)
    no_ranking = await person.runs("top", "--field", "method", "--from", "2020-01-01", "--to", "2020-01-02")
    whole = await person.runs("subject", ADA)
    story_told = await person.runs("attempt", ATTEMPT)
    session = await person.runs("session", SESSION, "--json")
    nobody = await person.runs("session", "nothing")

    assert (found.code, "sign_in.blocked" in found.out, "1 event," in found.out) == (0, True, True)
    assert (refused.code, "filter: At character 9" in refused.err) == (2, True)
    assert counts.out.splitlines()[0].split() == ["hour", "DE", "BR", "no", "country", "all"]
    assert "in all" in counts.out
    assert machine.json()["total"] == 6
    assert ranking.out.splitlines()[1].split()[:3] == ["Mozilla/5.0", "Firefox/140.0", "3"]
    assert "No events fit" in no_ranking.out
    assert "5: 3 success, 1 failure, 1 pending" in whole.out
    assert [line for line in story_told.out.splitlines() if "challenge.sent" in line]
    assert session.json()["event_count"] == 2
    words = f"countersign: the log at {desk.service.url} knows no session nothing. Is it the whole id, as --json shows it?\n"
    assert (nobody.code, nobody.err) == (1, words)

    saved = await person.runs("searches", "save", "blocked ones", "--outcome", "denied", "--outcome", "error", "--shared")
    listed = await person.runs("searches", "list")
    run = await person.runs("query", "--saved", "blocked ones", *range_of, "--json")
    removed = await person.runs("searches", "remove", "blocked ones")
    gone = await person.runs("query", "--saved", "blocked ones")

    assert (saved.code, "blocked ones" in listed.out, "outcome=denied outcome=error" in listed.out) == (0, True, True)
    assert json.loads(run.out)["event_type"] == "sign_in.blocked"
    assert (removed.code, gone.code) == (0, 2)
