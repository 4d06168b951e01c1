"""Ask a running audit service, one question after another, and say how long each kind takes."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import aiohttp

from benchmarks.audit_query.fill import DAYS, EVENTS_EACH
from benchmarks.lab.figures import Row, quantile

Params = dict[str, str]
# What takes long is not asked in vain.
WARM_UP: Final = 5
WARM_UP_FROM: Final = 40


class UnexpectedAnswer(Exception):
    """The service did not answer what was asked."""


class Question(NamedTuple):
    """One kind of question: where it goes, what it takes, how often it is asked for, and what the answer must hold."""

    name: str
    path: Callable[[random.Random], str]
    params: Callable[[random.Random], Params]
    asked: int
    holds: str
    goal_ms: float | None = None


def questions(now: datetime, entries: int) -> list[Question]:
    """Return what is asked of a log of so many entries."""
    end = now.replace(minute=0, second=0, microsecond=0)
    month = {"from": (end - timedelta(days=DAYS)).isoformat(), "to": now.isoformat()}
    day = {"from": (end - timedelta(days=2)).isoformat(), "to": (end - timedelta(days=1)).isoformat()}
    busy = f"3f2b0c9a-0000-4000-8000-{0:012x}"
    rare, frequent = {"q": "curl/8"}, {"q": "iphone"}
    expression = 'client.country eq "BR" and not (outcome eq "success") and client.user_agent co "iphone"'

    def person(dice: random.Random) -> str:
        return f"3f2b0c9a-0000-4000-8000-{dice.randrange(1, max(2, entries // EVENTS_EACH)):012x}"

    def events(_: random.Random) -> str:
        return "/v1/events"

    def stats(_: random.Random) -> str:
        return "/v1/stats"

    def top(_: random.Random) -> str:
        return "/v1/stats/top"

    def always(params: Params) -> Callable[[random.Random], Params]:
        return lambda _: params

    return [
        Question("last 100 events of one user", events, lambda d: {"subject": person(d)}, 400, "events", 10),
        Question("last 100 events of a busy user", events, always({"subject": busy}), 100, "events", 10),
        Question("last 100 events of all", events, always({}), 100, "events"),
        Question("hourly counts over 30 days", stats, always({**month, "by": "hour"}), 40, "series", 300),
        Question("the same, by event type", stats, always({**month, "by": "hour", "group": "event_type"}), 40, "series", 300),
        Question("daily counts over 30 days", stats, always({**month, "by": "day"}), 40, "series", 300),
        Question("hourly counts of one type, 30 days", stats, always({**month, "type": "sign_in.blocked"}), 3, "series"),
        Question("top addresses of one day", top, always({**day, "field": "ip"}), 3, "values"),
        Question("top addresses of 30 days", top, always({**month, "field": "ip"}), 1, "values"),
        Question("top event types of 30 days", top, always({**month, "field": "event_type"}), 40, "values"),
        Question("free text, in 1 of 100,000 events", events, always(rare), 40, "events"),
        Question("free text, in 1 of 3 events", events, always(frequent), 40, "events"),
        Question("filter expression of three conditions", events, always({"filter": expression}), 40, "events"),
        Question("one person in numbers", lambda d: f"/v1/subjects/{person(d)}", always({}), 100, "sessions"),
    ]


async def ask(url: str, token: str, question: Question, cpu_seconds: Callable[[], float]) -> Row:
    """
    Ask one question many times, each after the answer to the one before, and return its figures in milliseconds.

    Args:
        url: The audit service.
        token: A service token of it.
        question: What to ask.
        cpu_seconds: Reads the clocks of service and database: what an answer costs, whatever else the machine does.

    Raises:
        UnexpectedAnswer: An answer was refused, or does not hold what it must.
    """
    dice = random.Random(question.name)
    warm_up = WARM_UP if question.asked >= WARM_UP_FROM else 0
    samples: list[float] = []
    before = 0.0
    async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {token}"}) as http:
        for number in range(warm_up + question.asked):
            if number == warm_up:
                before = cpu_seconds()
            path, params = question.path(dice), question.params(dice)
            started = time.perf_counter()
            async with http.get(path, params=params) as answer:
                body = await answer.read()
            if answer.status != 200 or f'"{question.holds}":[{{'.encode() not in body:
                raise UnexpectedAnswer(f"{question.name}: {answer.status} {body[:200]!r}")
            if number >= warm_up:
                samples.append((time.perf_counter() - started) * 1000)
    return figures(samples, cpu_seconds() - before, question.goal_ms)


def figures(samples: list[float], cpu_seconds: float, goal_ms: float | None = None) -> Row:
    """Return the row of a table."""
    row: dict[str, Any] = {"asked": len(samples), "CPU ms": cpu_seconds / len(samples) * 1000}
    return {**row, "p50 ms": quantile(samples, 0.5), "p95 ms": quantile(samples, 0.95), "goal ms": goal_ms}


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)
