"""
What people do, as entries: sign-ins, mistyped codes, step-ups and what is refused, spread evenly over a month.

A hundred thousand people for ten million entries; each has an address, a device, a browser and a country. What one of them does
is a story of five events that share an attempt and a session. Person 0 is an account that a script uses, and does one story in
400. The same numbers give the same stories, save for the salts and ids that are random by definition.
"""

import hashlib
import os
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Final, NamedTuple
from uuid import UUID

from shared.events import SCHEMA_VERSION, AuthsignalRef, Client, Event, EventType, HttpRef, Outcome, Producer, Subject, encode

EVENTS_EACH: Final = 100
BUSY_EVERY: Final = 400
BUSY: Final = 0
RARE_EVERY: Final = 20_000
RARE_AGENT: Final = "curl/8.14.1"
COUNTRIES: Final = ("DE", "FR", "US", "GB", "NL", "PL", "BR", "JP")
PHONE: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_{0} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.{0} Mobile/15E148 Safari/604.1"
)
COMPUTER: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{0}.0.0.0 Safari/537.36"
)
AGENTS: Final = tuple(PHONE.format(number % 7) if number % 3 == 0 else COMPUTER.format(100 + number) for number in range(59))
STORY_EVENTS: Final = 5


class Step(NamedTuple):
    """One event of a story."""

    event_type: EventType
    outcome: Outcome
    route: str
    reason: str | None = None
    method: str | None = None
    state: str | None = None


_ANSWERS: Final = "/v1/attempts/{attempt_id}/verifications"
_STARTED: Final = Step(EventType.SIGN_IN_STARTED, Outcome.PENDING, "/v1/sign-ins")
_SENT: Final = Step(
    EventType.CHALLENGE_SENT, Outcome.SUCCESS, "/v1/attempts/{attempt_id}/challenges", None, "EMAIL_OTP", "CHALLENGE_REQUIRED"
)
_VERIFIED: Final = Step(EventType.CHALLENGE_VERIFIED, Outcome.SUCCESS, _ANSWERS, None, "EMAIL_OTP", "CHALLENGE_SUCCEEDED")
_WRONG: Final = Step(EventType.SIGN_IN_FAILED, Outcome.FAILURE, _ANSWERS, "wrong_code", "EMAIL_OTP", "CHALLENGE_FAILED")
_SUCCEEDED: Final = Step(EventType.SIGN_IN_SUCCEEDED, Outcome.SUCCESS, _ANSWERS, None, "EMAIL_OTP", "ALLOW")
_CREATED: Final = Step(EventType.SESSION_CREATED, Outcome.SUCCESS, _ANSWERS)
_ASKED: Final = Step(EventType.STEP_UP_REQUESTED, Outcome.PENDING, "/v1/step-ups")
_PUSHED: Final = Step(
    EventType.STEP_UP_CHALLENGED, Outcome.PENDING, "/v1/step-ups/{step_up_id}/challenges", None, "PUSH", "CHALLENGE_REQUIRED"
)
_DONE: Final = Step(
    EventType.STEP_UP_SUCCEEDED, Outcome.SUCCESS, "/v1/step-ups/{step_up_id}/completions", None, "PUSH", "CHALLENGE_SUCCEEDED"
)
_CONSUMED: Final = Step(EventType.STEP_UP_CONSUMED, Outcome.SUCCESS, "/v1/step-ups/{step_up_id}/consume")
_ENDED: Final = Step(EventType.SESSION_ENDED, Outcome.SUCCESS, "/v1/session")
_LIMITED: Final = Step(EventType.ABUSE_RATE_LIMITED, Outcome.DENIED, "/v1/sign-ins", "identifier")
_BLOCKED: Final = Step(EventType.SIGN_IN_BLOCKED, Outcome.DENIED, "/v1/sign-ins", "rule", "SMS", "BLOCK")
# Of twenty stories so many are of a kind.
STORIES: Final = (
    *[(_STARTED, _SENT, _VERIFIED, _SUCCEEDED, _CREATED)] * 14,
    *[(_STARTED, _SENT, _WRONG, _WRONG, _VERIFIED)] * 3,
    *[(_ASKED, _PUSHED, _DONE, _CONSUMED, _ENDED)] * 2,
    (_STARTED, _LIMITED, _LIMITED, _STARTED, _BLOCKED),
)


class Person(NamedTuple):
    """Who acts, and from where; the last part of the address is new each time."""

    subject: Subject
    network: str
    agent: str
    device: str
    country: str


@cache
def person(number: int) -> Person:
    """Return a person."""
    digest = hashlib.sha256(f"person {number}".encode()).hexdigest()
    return Person(
        Subject(sub=str(UUID(digest[:32])), email_hash=hashlib.sha256(digest.encode()).hexdigest()),
        f"10.{number % 200}.{number // 200 % 250}",
        AGENTS[number % len(AGENTS)],
        digest[32:],
        COUNTRIES[number % len(COUNTRIES)],
    )


def people_count(entries: int) -> int:
    """Return how many people a log of so many entries is about."""
    return max(2, entries // EVENTS_EACH)


def entries_of(stories: range, *, of_entries: int, instance: str, begins: datetime, ends: datetime) -> Iterator[bytes]:
    """
    Yield the entries of stories, by their numbers.

    Args:
        stories: Which ones; a log of N entries holds N / 5.
        of_entries: How many entries the whole log holds.
        instance: The producer; the stories of one instance have to follow each other without a gap to be complete.
        begins: When the first story of the log happens.
        ends: When the last one has happened.
    """
    step = (ends - begins) / max(1, of_entries // STORY_EVENTS)
    count = people_count(of_entries)
    seq = 0
    for number in stories:
        dice = random.Random(number)
        one = person(BUSY if number % BUSY_EVERY == 0 else dice.randrange(1, count))
        bits = f"{dice.getrandbits(256):064x}"
        attempt, session = str(UUID(bits[:32])), hashlib.sha256(f"{one.device} {number // 200_000}".encode()).hexdigest()
        agent = RARE_AGENT if number % RARE_EVERY == 7 else one.agent
        ip = f"{one.network}.{1 + dice.randrange(4)}"
        client = Client(ip=ip, user_agent=agent, device_id=one.device, country=one.country)
        for place, (event_type, outcome, route, reason, method, state) in enumerate(STORIES[dice.randrange(len(STORIES))]):
            moment = begins + number * step + place * step / STORY_EVENTS
            yield encode(
                Event(
                    event_id=id_at(moment),
                    schema_version=SCHEMA_VERSION,
                    event_type=event_type,
                    outcome=outcome,
                    occurred_at=moment,
                    producer=Producer(service="gateway", instance=instance, seq=seq),
                    salt=os.urandom(16).hex(),
                    reason=reason,
                    request_id=bits[32 + place : 64] + bits[:place],
                    attempt_id=attempt,
                    session_ref=session,
                    subject=one.subject,
                    client=client,
                    authsignal=_authsignal(attempt, state, method),
                    http=HttpRef(method="POST", route=route, status=200),
                )
            )
            seq += 1


def _authsignal(attempt: str, state: str | None, method: str | None) -> AuthsignalRef | None:
    return AuthsignalRef(action="signIn", idempotency_key=attempt, state=state, method=method) if state else None


def id_at(moment: datetime) -> str:
    """Return a new UUIDv7 of a moment. Source: RFC 9562 section 5.7."""
    milliseconds = int(moment.timestamp() * 1000)
    low = int.from_bytes(os.urandom(10), "big") & ~(0xF << 76) & ~(0x3 << 62)
    return str(UUID(int=milliseconds << 80 | 0x7 << 76 | 0x2 << 62 | low))


def month_before(moment: datetime, months: int) -> tuple[datetime, datetime]:
    """Return the beginning and the end of the month so many before the one of a moment."""
    begins = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    ends = begins
    for _ in range(months):
        ends, begins = begins, (begins - timedelta(days=1)).replace(day=1)
    return begins, ends
