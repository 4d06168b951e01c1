"""Ask a running audit service, one question after another, and say how long each kind takes."""

import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import aiohttp

from benchmarks.audit_log.people import BUSY, people_count, person
from benchmarks.lab.figures import Row, quantile

Params = dict[str, str]
# What takes long is not asked in vain.
WARM_UP: Final = 5
WARM_UP_FROM: Final = 40
SEED: Final = 11


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


def questions(begins: datetime, ends: datetime, entries: int) -> list[Question]:
    """Return what is asked of a log of so many entries, all of one month."""
    month = {"from": begins.isoformat(), "to": ends.isoformat()}
    day = {"from": (ends - timedelta(days=2)).isoformat(), "to": (ends - timedelta(days=1)).isoformat()}
    failures = {**month, "outcome": "failure"}
    rare, frequent = {"q": "curl/8"}, {"q": "iphone"}
    expression = 'client.country eq "BR" and not (outcome eq "success") and client.user_agent co "iphone"'

    def sub_of(number: int) -> str:
        return person(number).subject.sub or ""

    def somebody(dice: random.Random) -> str:
        return sub_of(dice.randrange(1, people_count(entries)))

    def events(_: random.Random) -> str:
        return "/v1/events"

    def stats(_: random.Random) -> str:
        return "/v1/stats"

    def top(_: random.Random) -> str:
        return "/v1/stats/top"

    def always(params: Params) -> Callable[[random.Random], Params]:
        return lambda _: params

    return [
        # The dice fall alike for each question: the second time it is the same people, and their pages are in memory.
        Question("last 100 events of one user, first time", events, lambda d: {"subject": somebody(d)}, 400, "events", 10),
        Question("the same users again", events, lambda d: {"subject": somebody(d)}, 400, "events", 10),
        Question("last 100 events of a busy user", events, always({"subject": sub_of(BUSY)}), 100, "events", 10),
        Question("last 100 events of all", events, always({}), 100, "events"),
        Question("hourly counts over a month", stats, always({**month, "by": "hour"}), 40, "series", 300),
        Question("the same, by event type", stats, always({**month, "by": "hour", "group": "event_type"}), 40, "series", 300),
        Question("daily counts over a month", stats, always({**month, "by": "day"}), 40, "series", 300),
        Question("hourly counts of one type, a month", stats, always({**month, "type": "sign_in.blocked"}), 10, "series"),
        Question("top addresses of one day", top, always({**day, "field": "ip"}), 10, "values"),
        Question("top addresses of a month", top, always({**month, "field": "ip"}), 5, "values"),
        Question("top addresses of failures of a month", top, always({**failures, "field": "ip"}), 5, "values"),
        Question("top accounts of a month", top, always({**month, "field": "subject"}), 5, "values"),
        Question("top browsers of a month", top, always({**month, "field": "user_agent"}), 5, "values"),
        Question("top event types of a month", top, always({**month, "field": "event_type"}), 40, "values"),
        Question("free text, in 1 of 100,000 events", events, always(rare), 40, "events"),
        Question("free text, in 1 of 3 events", events, always(frequent), 40, "events"),
        Question("filter expression of three conditions", events, always({"filter": expression}), 40, "events"),
        Question("one person in numbers", lambda d: f"/v1/subjects/{somebody(d)}", always({}), 100, "sessions"),
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
    dice = random.Random(SEED)
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
