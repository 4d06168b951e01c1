"""Reconciliation: the matcher is the best there is, records are read tolerantly, and only a real bypass is an alarm."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.audit.detections.model import Record
from services.audit.detections.parameters import BypassParameters
from services.audit.reconciliation.bypass import judge
from services.audit.reconciliation.cognito_log import read_log
from services.audit.reconciliation.matching import Sighting, is_explained, match
from services.audit.reconciliation.report import Compared, reconcile
from services.audit.reconciliation.sightings import AUTHSIGNAL, COGNITO, ours_of, theirs_of
from shared.events import AuthsignalRef, Event, EventType, Outcome, Producer, Subject

BASE = datetime(2026, 11, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TOLERANCE = 10 * SECOND
INSTANCE = "8a0c1d2e-0000-4000-8000-000000000001"


def sighting(key: str, seconds: int, ref: str, source: str = COGNITO) -> Sighting:
    """Return a sighting, so many seconds after noon."""
    at = BASE + seconds * SECOND
    return Sighting(source, key, "sign_in", at, ref, at)


def record(leaf: int, seconds: float, event_type: EventType, *, late: float = 0.0, **fields: Any) -> Record:
    """Return a sealed event, recorded `late` seconds after it occurred."""
    occurred_at = BASE + timedelta(seconds=seconds)
    ordinary: dict[str, Any] = {
        "event_id": str(UUID(int=leaf)),
        "schema_version": 1,
        "event_type": event_type,
        "outcome": Outcome.SUCCESS,
        "occurred_at": occurred_at,
        "producer": Producer(service="gateway", instance=INSTANCE, seq=leaf),
        "salt": "00" * 16,
    }
    return Record(leaf, occurred_at + timedelta(seconds=late), Event(**{**ordinary, **fields}))


def imported(leaf: int, seconds: float, record_id: str, *, sub: str = "ada", told: float = 3600.0) -> Record:
    """Return Cognito's record of a sign-in, imported `told` seconds after it."""
    at = (BASE + timedelta(seconds=seconds)).isoformat()
    data = {"source": "cognito", "record_id": record_id, "kind": "sign_in", "occurred_at": at}
    return record(leaf, seconds + told, EventType.PROVIDER_RECORD_IMPORTED, subject=Subject(sub=sub), data=data)


def session(leaf: int, seconds: float, *, sub: str = "ada", late: float = 0.0) -> Record:
    """Return our own record of a sign-in."""
    return record(leaf, seconds, EventType.SESSION_CREATED, late=late, subject=Subject(sub=sub))


def tracked(leaf: int, seconds: float, key: str) -> Record:
    """Return our own record of an action at Authsignal."""
    producer = Producer(service="challenge", instance=INSTANCE, seq=leaf)
    reference = AuthsignalRef(action="signIn", idempotency_key=key)
    return record(leaf, seconds, EventType.ACTION_TRACKED, producer=producer, authsignal=reference)


def webhook(leaf: int, key: str | None, at_action: str | None = "CHALLENGE_SUCCEEDED", **data: Any) -> Record:
    """Return Authsignal's own record of an action at noon, as its log webhook brought it a quarter of an hour later."""
    reference = AuthsignalRef(action="signIn", idempotency_key=key, state=at_action)
    data = {"created_at": BASE.isoformat(), "webhook": {"type": "action.log_created"}, **data}
    return record(leaf, 900.0, EventType.ACTION_LOGGED, subject=Subject(sub="ada"), authsignal=reference, data=data)


def most_pairs(ours: list[Sighting], theirs: list[Sighting]) -> int:
    """Return the size of the largest matching, by augmenting paths: slow, and by another road than the matcher's."""
    holder: dict[int, int] = {}

    def place(mine: int, seen: set[int]) -> bool:
        for number, other in enumerate(theirs):
            if number in seen or ours[mine].key != other.key or abs(ours[mine].at - other.at) > TOLERANCE:
                continue
            seen.add(number)
            if number not in holder or place(holder[number], seen):
                holder[number] = mine
                return True
        return False

    return sum(place(mine, set()) for mine in range(len(ours)))


TIMES = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 60)), max_size=9)


@given(mine=TIMES, other=TIMES, shuffled=st.randoms())
@settings(max_examples=200, deadline=None)
def test_the_matcher_pairs_as_many_as_can_be(mine: Any, other: Any, shuffled: Any) -> None:
    """Every pair fits, nobody is in two, nobody is lost, no matching is larger, and the order of the sides does not matter."""
    ours = [sighting(key, at, f"o{n}") for n, (key, at) in enumerate(mine)]
    theirs = [sighting(key, at, f"t{n}") for n, (key, at) in enumerate(other)]

    done = match(ours, theirs, tolerance=TOLERANCE)

    assert all(one.key == two.key and abs(one.at - two.at) <= TOLERANCE for one, two in done.pairs)
    assert sorted([one.ref for one, _ in done.pairs] + [one.ref for one in done.only_ours]) == sorted(o.ref for o in ours)
    assert sorted([two.ref for _, two in done.pairs] + [one.ref for one in done.only_theirs]) == sorted(t.ref for t in theirs)
    assert len(done.pairs) == most_pairs(ours, theirs)
    shuffled.shuffle(ours)
    shuffled.shuffle(theirs)
    assert match(ours, theirs, tolerance=TOLERANCE) == done


@given(mine=TIMES, other=TIMES)
@settings(max_examples=200, deadline=None)
def test_one_by_one_leaves_as_many_unexplained_as_all_at_once(mine: Any, other: Any) -> None:
    """Judged singly in the order of arrival, exactly as many records stay unexplained as when all are compared together."""
    ours = [sighting(key, at, f"o{n}") for n, (key, at) in enumerate(mine)]
    theirs = [sighting(key, at, f"t{n}") for n, (key, at) in enumerate(other)]

    unexplained = [n for n, one in enumerate(theirs) if not is_explained(one, theirs[:n], ours, tolerance=TOLERANCE)]

    assert len(unexplained) == len(match(ours, theirs, tolerance=TOLERANCE).only_theirs)


def test_a_sign_in_at_cognito_without_ours_is_a_bypass() -> None:
    """A sign-in that only Cognito knows is an alarm; one that we know too is none; a second one beside ours is one again."""
    parameters, ours = BypassParameters(), [session(0, 0.0)]
    real, twin, other = imported(1, 1.0, "c1"), imported(2, 5.0, "c2"), imported(3, 0.0, "c3", sub="bob")
    theirs = [real, twin, other]

    alerts = [judge(one, theirs, ours, parameters) for one in theirs]

    assert alerts[0] is None
    assert [alert.subject for alert in alerts if alert is not None] == ["ada", "bob"]
    assert {alert.severity.value for alert in alerts if alert is not None} == {"critical"}


def test_a_record_that_comes_again_is_judged_once() -> None:
    """Importing the same export twice raises nothing new."""
    first, again = imported(1, 0.0, "c1"), imported(2, 0.0, "c1", told=7200.0)

    assert judge(first, [first, again], [], BypassParameters()) is not None
    assert judge(again, [first, again], [], BypassParameters()) is None


def test_what_comes_after_the_grace_does_not_change_the_answer() -> None:
    """Ours within the grace explains a record, ours after it does not: looking again later finds the same."""
    theirs = imported(1, 0.0, "c1", told=10.0)
    parameters = BypassParameters(grace_seconds=60)

    assert judge(theirs, [theirs], [session(2, 0.0, late=65.0)], parameters) is None
    assert judge(theirs, [theirs], [session(2, 0.0, late=75.0)], parameters) is not None


@pytest.mark.parametrize(
    ("theirs", "is_alarm"),
    [
        (webhook(1, "key-1"), False),
        (webhook(1, "key-2"), True),
        (webhook(1, "key-2", "ALLOW"), True),
        (webhook(1, None, None, idempotencyKey="key-2", state="ALLOW"), True),
        (webhook(1, "key-2", created_at="never"), True),
        (webhook(1, "key-2", "CHALLENGE_REQUIRED"), False),
        (webhook(1, "key-2", "BLOCK"), False),
        (webhook(1, None), False),
    ],
)
def test_authsignals_records_are_read_tolerantly(theirs: Record, is_alarm: bool) -> None:
    """The key may stand beside the action or in what was delivered; only what lets somebody in can be a bypass."""
    alert = judge(theirs, [theirs], [tracked(0, 0.0, "key-1")], BypassParameters())

    assert (alert is not None) == is_alarm


def report_of(ours: list[Record], theirs: list[Record], *, settled: float = 10_000.0) -> dict[str, Compared]:
    """Reconcile an hour after noon."""
    seen = [one for record in theirs if (one := theirs_of(record)) is not None]
    compared = reconcile(
        [one for record in ours for one in ours_of(record)],
        seen,
        since=BASE,
        until=BASE + timedelta(hours=1),
        settled_until=BASE + timedelta(seconds=settled),
        tolerance=timedelta(minutes=2),
        action_tolerance=timedelta(hours=2),
    )
    return {one.source: one for one in compared}


def test_the_report_tells_three_cases_apart() -> None:
    """Matched, only ours, only theirs; what is outside the hour only helps to match; the young are on their way."""
    ours = [session(0, -30.0), session(1, 100.0), session(2, 3_000.0, sub="bob"), tracked(3, 100.0, "key-1")]
    theirs = [imported(4, 10.0, "c1"), imported(5, 101.0, "c2"), imported(6, 900.0, "c3"), webhook(7, "key-1")]

    whole, young = report_of(ours, theirs)[COGNITO], report_of(ours, theirs, settled=2_000.0)[COGNITO]

    assert [one.subject for one in whole.only_ours] == ["bob"]
    assert [one.ref for one in whole.only_theirs] == ["c3"]
    assert (whole.matched, whole.pending, young.pending, young.only_ours) == (1, 0, 1, [])
    assert report_of(ours, theirs)[AUTHSIGNAL].matched == 1


def test_a_provider_that_sends_nothing_is_not_compared() -> None:
    """Without a webhook or an import nothing is missing: we just do not know."""
    silent = report_of([session(0, 1.0), tracked(1, 1.0, "key-1")], [])

    assert not any(one.has_records or one.only_ours for one in silent.values())


@pytest.mark.parametrize("name", ["eventId", "userSub", "clientId", "ipAddress"])
def test_a_record_with_an_endless_text_is_unreadable(name: str) -> None:
    """A text that is longer than one of an event makes its line unreadable: as an event it would not fit into the queue."""
    plain = {
        "eventId": "one",
        "userSub": "ada",
        "eventType": "SignIn",
        "eventResponse": "Pass",
        "eventTimestamp": "1730462400000",
    }

    read = read_log([json.dumps({**plain, name: "x" * length}).encode() for length in (512, 513)])

    assert (len(read.records), read.unreadable) == (1, [2])


def test_cognitos_log_is_read_in_every_shape() -> None:
    """Plain lines, CloudWatch's envelope and text within text; the rest is counted, with its line."""
    message = {
        "version": "1",
        "eventId": "e1",
        "eventType": "SIGN_IN",
        "userSub": "ada",
        "creationDate": "Wed Jul 17 17:25:55 UTC 2024",
        "eventResponse": "Pass",
        "ipAddress": "192.0.2.1",
    }
    envelope = {"eventTimestamp": "1721237155000", "eventSource": "USER_AUTH_EVENTS", "logLevel": "INFO", "message": message}
    lines: list[Any] = [
        message,
        {**envelope, "message": {**message, "eventId": "e2", "eventType": "SignUp"}},
        {"timestamp": 1, "message": json.dumps({**envelope, "message": {**message, "eventId": "e3"}})},
        {**message, "eventResponse": "Fail"},
        {**message, "eventType": "FORGOT_PASSWORD"},
        {**message, "userSub": ""},
        {**message, "creationDate": "once upon a time"},
        {"message": "START RequestId"},
        [],
    ]

    done = read_log([*(json.dumps(line).encode() for line in lines), b"\xff{", b""])

    assert [(one.record_id, one.kind) for one in done.records] == [("e1", "sign_in"), ("e2", "sign_up"), ("e3", "sign_in")]
    assert {one.occurred_at for one in done.records} == {datetime(2024, 7, 17, 17, 25, 55, tzinfo=UTC)}
    assert (done.records[0].ip, done.other_count, done.unreadable) == ("192.0.2.1", 2, [6, 7, 8, 9, 10])


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_no_line_makes_the_reader_raise(lines: list[bytes]) -> None:
    """Whatever the bytes, each line is a record, something else or unreadable."""
    done = read_log(lines)

    assert len(done.records) + done.other_count + len(done.unreadable) == sum(bool(line.strip()) for line in lines)
