"""Counts over time, frequent values and the hourly counts behind them: exact at every moment."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime
from itertools import product
from typing import Any

import asyncpg
import pytest

from services.audit.retention.store import PARENTS
from services.audit.storage.counts import CountsIrreplaceable, CountStore, forget_counts
from services.audit.storage.database import Pool, open_pool
from services.audit.storage.migrate import migrate, released_migrations
from services.audit.storage.search import EntryReader, Filters
from services.audit.storage.stats import GROUPS, TOGETHER, TOPS, StatsReader
from shared.events import AuthsignalRef, Client, EventType, Outcome, Subject
from tests.integration.audit.lab import RING, Author, Database, PostgresServer, at, clear_of_midnight, seal, until
from tests.integration.audit.months import id_in, make_month, months_ago

COUNTRIES = ("DE", "FR", None)
METHODS = ("EMAIL_OTP", "PASSKEY", None)
# Two of them are one text to a search that does not mind the case, and still two browsers.
AGENTS = ("curl/8.14", "Curl/8.14", "Firefox/140", "", None)
Known = list[dict[str, Any]]


def invent(dice: random.Random) -> dict[str, Any]:
    """Return the fields of one event; a few lie exactly on an hour, or a microsecond before it."""
    hour = dice.randrange(6) * 3600
    method = dice.choice(METHODS)
    return {
        "event_type": dice.choice((EventType.SIGN_IN_STARTED, EventType.SIGN_IN_FAILED, EventType.CHALLENGE_SENT)),
        "outcome": dice.choice((Outcome.SUCCESS, Outcome.FAILURE)),
        "occurred_at": at(dice.choice((hour, hour - 1e-6, hour + dice.random() * 3600))),
        "client": Client(
            ip=dice.choice(("192.0.2.1", "192.0.2.2", "2001:db8::7", None)),
            country=dice.choice(COUNTRIES),
            user_agent=dice.choice(AGENTS),
        ),
        "subject": Subject(sub=f"person-{dice.randrange(5)}") if dice.random() < 0.8 else None,
        "authsignal": AuthsignalRef(action="signIn", method=method) if method else None,
    }


def word_of(event: dict[str, Any], group: str) -> str | None:
    """Return what an event counts as."""
    client, authsignal = event["client"], event["authsignal"]
    words: dict[str, str | None] = {
        "ip": client.ip,
        "subject": event["subject"].sub if event["subject"] else None,
        "user_agent": client.user_agent or None,
        "outcome": event["outcome"].value,
        "event_type": event["event_type"].value,
        "country": client.country,
        "method": authsignal.method if authsignal else None,
        "service": "gateway",
    }
    return words[group]


def counted(events: Known, filters: Filters, by: str, group: str) -> Counter[tuple[datetime, str | None]]:
    """Return the counts by their definition."""
    if filters.since is None or filters.until is None:
        raise AssertionError("counts have two ends")
    zero: dict[str, dict[str, int]] = {
        "minute": {"second": 0, "microsecond": 0},
        "hour": {"minute": 0, "second": 0, "microsecond": 0},
        "day": {"hour": 0, "minute": 0, "second": 0, "microsecond": 0},
    }
    inside = [event for event in events if filters.since <= event["occurred_at"] < filters.until and fits(event, filters)]
    return Counter((event["occurred_at"].replace(**zero[by]), word_of(event, group)) for event in inside)


def fits(event: dict[str, Any], filters: Filters) -> bool:
    """Say whether an event is meant, by the definition of these filters; whenever it happened."""
    wanted = (filters.outcomes, filters.types, (filters.subject,) if filters.subject else ())
    return all(
        not words or word_of(event, field) in words
        for field, words in zip(("outcome", "event_type", "subject"), wanted, strict=True)
    )


NARROWED = {
    "a time range alone": Filters(),
    "an outcome": Filters(outcomes=("failure",)),
    "two types": Filters(types=("sign_in.started", "sign_in.failed")),
    "a type and an outcome": Filters(types=("sign_in.started",), outcomes=("success",)),
    "a person": Filters(subject="person-1"),
}


class Lab:
    """A log whose sealing and counting the test drives."""

    def __init__(self, database: Database, stats: StatsReader, counts: CountStore) -> None:
        self.database, self.stats, self.counts = database, stats, counts
        self.events: Known = []
        self._author, self._dice = Author(), random.Random(7)

    async def append(self, count: int, month: date | None = None) -> None:
        """Add events to the log; among the entries of a month, when one is given."""
        made = [invent(self._dice) for _ in range(count)]
        places = [{"event_id": id_in(month)} if month else {} for _ in made]
        await self.database.append([self._author.entry(**event, **place) for event, place in zip(made, places, strict=True)])
        self.events += made

    async def assert_exact(self, since: datetime, until: datetime) -> None:
        """Every way to count this range gives what its definition does."""
        for by, group in (("hour", "outcome"), ("day", "country"), ("hour", "method"), ("minute", "event_type")):
            await self.assert_counted(self.events, Filters(since=since, until=until), by, group)
        for narrowed, group in product(NARROWED.values(), TOGETHER):
            await self.assert_counted(self.events, replace(narrowed, since=since, until=until), "hour", group)

    async def assert_counted(self, events: Known, filters: Filters, by: str, group: str) -> None:
        """The counts are those of these events."""
        found = await self.stats.over_time(filters, by=by, group=group)
        told = {(one.start, one.word): one.entry_count for one in found}
        assert told == counted(events, filters, by, group), (filters, by, group)


@contextlib.asynccontextmanager
async def lab_of(database: Database) -> AsyncIterator[Lab]:
    """Open a lab."""
    reading = await open_pool(database.reader_url, name="test", connections_max=2)
    clerk = await open_pool(database.clerk_url, name="test", connections_max=2)
    try:
        yield Lab(database, StatsReader(reading, EntryReader(reading, RING)), CountStore(clerk))
    finally:
        reading.terminate()
        clerk.terminate()


@contextlib.asynccontextmanager
async def owner_of(database: Database) -> AsyncIterator[Pool]:
    """Connect as the owner of the schema."""
    pool = await open_pool(database.owner_url, name="test", connections_max=1)
    try:
        yield pool
    finally:
        pool.terminate()


RANGES = {
    "whole hours": (at(0), at(5 * 3600)),
    "parts of hours at both ends": (at(1799), at(4 * 3600 + 61)),
    "less than an hour": (at(600), at(1200)),
    "an hour's end": (at(3599), at(3601)),
    "before and after everything": (at(-86_400), at(86_400)),
}


async def test_counts_are_exact_whatever_is_sealed_and_counted(database: Database) -> None:
    """
    Counts over time are those of the entries: with nothing counted, some, or everything; sealed or not; for any range.
    """
    async with lab_of(database) as lab:
        await lab.append(150)
        await lab.assert_exact(*RANGES["parts of hours at both ends"])
        await seal(database)
        assert await lab.counts.count_some(leaves_max=70) == 70
        await lab.append(50)
        for since, until in RANGES.values():
            await lab.assert_exact(since, until)
        await seal(database)
        while await lab.counts.count_some(leaves_max=33):
            pass
        for since, until in RANGES.values():
            await lab.assert_exact(since, until)


async def test_counting_anew_gives_the_same(database: Database) -> None:
    """
    Every leaf is counted once, however many count at the same time; and counts that were dropped come back as they were.
    """
    async with lab_of(database) as lab, lab_of(database) as other, owner_of(database) as owner:
        await lab.append(200)
        await seal(database)
        done = await asyncio.gather(*(one.counts.count_some(leaves_max=40) for one in (lab, other) * 4))
        while more := await lab.counts.count_some():
            done.append(more)
        first = await kept_counts(database)

        await forget_counts(owner)
        forgotten = await kept_counts(database)
        while await lab.counts.count_some(leaves_max=17):
            pass

        assert sum(done) == 200
        assert [sum(row["entry_count"] for row in rows) for rows in first] == [200, 200 * len(set(GROUPS) - set(TOGETHER))]
        assert (forgotten, await kept_counts(database)) == ([[], []], first)


async def kept_counts(database: Database) -> list[list[Any]]:
    """Return the counts as they are kept: types and outcomes together, then each other word alone."""
    return [
        await database.fetch("SELECT hour, event_type, outcome, entry_count FROM audit.hourly_counts ORDER BY 1, 2, 3"),
        await database.fetch("SELECT dimension, hour, word, entry_count FROM audit.hourly_words ORDER BY 1, 2, 3"),
    ]


async def test_counts_of_a_dropped_month_stay(database: Database) -> None:
    """
    Once a month was dropped nothing could count it anew: the counts are not dropped any more, and still tell of its hours how
    many entries of which type had which outcome.
    """
    columns = "month, leaves, entry_count, note, archive_key"
    statement = f"INSERT INTO audit.retention_statements ({columns}) VALUES ($1, '{{}}', 0, $2, $2)"
    async with lab_of(database) as lab, owner_of(database) as owner:
        await clear_of_midnight()
        await make_month(database, months_ago(4))
        await lab.append(60, months_ago(4))
        await seal(database)
        await lab.counts.count_some()
        before = await kept_counts(database)
        await drop_month(database, months_ago(4))
        await database.fetch(statement, months_ago(4), "a statement", role="countersign_owner")

        with pytest.raises(CountsIrreplaceable):
            await forget_counts(owner)

        assert await kept_counts(database) == before
        for name, group in product(("an outcome", "two types", "a type and an outcome"), TOGETHER):
            filters = replace(NARROWED[name], since=at(-3600), until=at(7 * 3600))
            await lab.assert_counted(lab.events, filters, "hour", group)


OLD_COUNTS = """
INSERT INTO audit.hourly_counts (dimension, hour, word, entry_count)
SELECT of.dimension, date_trunc('hour', s.occurred_at, 'UTC'), coalesce(of.word, ''), count(*)
FROM audit.entry_search AS s CROSS JOIN LATERAL (VALUES
    ('outcome', s.outcome), ('event_type', s.event_type), ('method', s.method), ('service', s.service), ('country', s.country)
) AS of (dimension, word)
GROUP BY 1, 2, 3
"""


async def test_counts_of_a_release_before(postgres_server: PostgresServer) -> None:
    """
    Counts that know each word alone are migrated: entries that are here are counted by type and outcome together, and of a
    month that was dropped, even of hours that hold others as well, all questions for one word still have their answer.
    """
    database = await postgres_server.create_database()
    await migrate(database.owner_url, released_migrations()[:9])
    await clear_of_midnight()
    await make_month(database, months_ago(4))
    async with lab_of(database) as lab:
        await lab.append(80, months_ago(4))
        await lab.append(80)
        await seal(database)
        await database.fetch(OLD_COUNTS, role="countersign_owner")
        await database.fetch("UPDATE audit.counted SET leaf_count = 160", role="countersign_owner")
        await drop_month(database, months_ago(4))
        await lab.append(30)
        await seal(database)
        await migrate(database.owner_url)

        everything, here = lab.events, lab.events[80:]
        for leaves_max in (0, 20, 20):
            await lab.counts.count_some(leaves_max)
            for name, group, events in (
                *(("a time range alone", group, everything) for group in GROUPS),
                ("an outcome", "outcome", everything),
                ("two types", "event_type", everything),
                # The two were not counted together.
                ("an outcome", "event_type", here),
                ("two types", "outcome", here),
                ("a type and an outcome", "outcome", here),
            ):
                filters = replace(NARROWED[name], since=at(-3600), until=at(7 * 3600))
                await lab.assert_counted(events, filters, "hour", group)


async def drop_month(database: Database, month: date) -> None:
    """Drop the entries of a month, as retention does."""
    for parent in PARENTS:
        await database.fetch(f"DROP TABLE audit.{parent}_{month:%Y_%m}", role="countersign_owner")


@pytest.mark.parametrize("state", ["nothing counted", "some counted", "all counted"])
async def test_frequent_values(database: Database, state: str) -> None:
    """
    The most frequent values of every field come with their counts, equally frequent ones in one order; the total is of all that
    fit, those without a value included. So it is whether counts, an index or the entries give the answer.
    """
    async with lab_of(database) as lab:
        await lab.append(120)
        await seal(database)
        if state != "nothing counted":
            await lab.counts.count_some(leaves_max=50 if state == "some counted" else 1_000)
        for (name, narrowed), field in product(NARROWED.items(), TOPS):
            filters = replace(narrowed, since=at(600), until=at(5 * 3600))
            fitting = [
                event for event in lab.events if at(600) <= event["occurred_at"] < at(5 * 3600) and fits(event, narrowed)
            ]
            values = Counter(value for event in fitting if (value := word_of(event, field)) is not None)

            top = await lab.stats.top(filters, field=field, limit=2)

            assert top.values == sorted(values.items(), key=lambda one: (-one[1], one[0]))[:2], (name, field)
            assert top.total == len(fitting), (name, field)


OTHERS = """
SELECT 1 FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
READS = """
SELECT coalesce(sum(i.idx_scan) FILTER (WHERE i.indexrelname LIKE '%\\_occurred\\_at\\_event\\_id\\_ip%'), 0) AS by_time,
    (SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables WHERE relname LIKE 'entry_search%') AS rows
FROM pg_stat_user_indexes AS i
"""


async def reads_of(database: Database) -> Any:
    """Return what was read so far. What a connection did is in the statistics once its backend has ended, a while after it."""

    async def is_alone() -> bool:
        return not await database.fetch(OTHERS, role="postgres")

    await until(is_alone, "end of the other connections")
    [row] = await database.fetch(READS)
    return row


@pytest.mark.parametrize("narrowed", ["a time range alone", "an outcome"])
async def test_addresses_of_a_while_are_read_from_the_index_by_time(database: Database, narrowed: str) -> None:
    """
    The most frequent addresses of a part of the log are counted from that part of one index, without the rows of the entries.
    """
    async with lab_of(database) as lab:
        await lab.append(1_000)
        await database.fetch("VACUUM (ANALYZE) audit.entry_search", role="countersign_owner")
    before = await reads_of(database)
    async with lab_of(database) as lab:
        top = await lab.stats.top(replace(NARROWED[narrowed], since=at(600), until=at(1200)), field="ip", limit=9)

    after = await reads_of(database)
    assert top.values
    assert (after["by_time"] > before["by_time"], after["rows"]) == (True, before["rows"])


async def test_where_nothing_is_nothing_is_frequent(database: Database) -> None:
    """
    A time range without events has no values and a total of 0.
    """
    async with lab_of(database) as lab:
        nothing = Filters(since=at(9e5), until=at(9e5 + 3600))
        for field in TOPS:
            assert await lab.stats.top(nothing, field=field, limit=3) == ([], 0)


CLERK_MAY_NOT = (
    "UPDATE audit.entry_search SET reason = 'x'",
    "SELECT subject_sub FROM audit.entry_search",
    "SELECT entry FROM audit.entries",
    "DELETE FROM audit.leaves",
    "INSERT INTO audit.counted (leaf_count) VALUES (1)",
)


@pytest.mark.parametrize("statement", CLERK_MAY_NOT)
async def test_who_counts_sees_words_and_no_people(database: Database, statement: str) -> None:
    """
    The role that counts reads the few columns that are counted and nothing else of the log, and changes nothing in it.
    """
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.fetch(statement, role="countersign_clerk")
