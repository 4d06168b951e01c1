"""The hourly counts against the entries: what was erased or dropped is allowed for, and nothing else is."""

from datetime import UTC, date, datetime

import pytest

from services.audit.checking.counts import ALONE, TOGETHER, CountCheck

OLD, EDGE, NEW = (datetime(2026, month, day, hour, tzinfo=UTC) for month, day, hour in ((9, 14, 7), (10, 1, 0), (10, 1, 1)))
DROPPED = frozenset({date(2026, 9, 1)})
WORDS = {"outcome": "success", "event_type": "sign_in.started", "method": None, "service": "gateway", "country": "DE"}
Hours = dict[tuple[datetime, str], int]


def said(countries: Hours, *, leaf_count: int, erased: int = 0, dropped: frozenset[date] = frozenset()) -> set[str]:
    """Return what is said of a log with one entry in `EDGE` and in `NEW` each, the first of them erased or not."""
    others = {hour: sum(count for (one, _), count in countries.items() if one == hour) for hour, _ in countries}
    words = {TOGETHER: "sign_in.started success", **{name: WORDS[name] or "" for name in ALONE if name != "country"}}
    stored = {(name, hour, word): count for hour, count in others.items() for name, word in words.items()}
    check = CountCheck({**stored, **{("country", *key): count for key, count in countries.items()}}, leaf_count)
    for leaf_index, hour in enumerate((EDGE, NEW)):
        check.add(leaf_index, hour, WORDS, is_erased=leaf_index < erased)
    return {f"{one.place}: {one.detail}" for one in check.findings(dropped) if "country" in one.place}


@pytest.mark.parametrize("country", ["DE", "BR", ""])
def test_the_country_of_an_erased_entry_may_be_any(country: str) -> None:
    """
    An entry that was counted before it was erased stands under a country that nobody knows any more, and is one entry.
    """
    assert said({(EDGE, country): 1, (NEW, "DE"): 1}, leaf_count=2, erased=1) == set()
    assert said({(EDGE, country): 2, (NEW, "DE"): 1}, leaf_count=3, erased=1) == {
        "counts by country of 2026-10-01 00:00: 2 in all, and the log holds 1"
    }


def test_what_a_dropped_month_held_is_known_by_the_counts_alone() -> None:
    """
    Hours of a dropped month, and the one beside it, may hold more than the entries; other hours may not, nor all together.
    """
    counts = {(OLD, "FR"): 5, (EDGE, "DE"): 2, (NEW, "DE"): 1}

    assert said(counts, leaf_count=8, dropped=DROPPED) == set()
    assert len(said(counts, leaf_count=8)) == 2
    assert said({**counts, (NEW, "DE"): 2}, leaf_count=8, dropped=DROPPED) == {
        "counts by country: hold 9 entries, and 8 were counted",
        "counts by country of 2026-10-01 01:00: 2 in all, and the log holds 1",
    }
    assert said({**counts, (EDGE, "DE"): 0}, leaf_count=6, dropped=DROPPED) == {
        "counts by country of 2026-10-01 00:00: DE: 0, and the log holds 1"
    }


def test_older_drops_are_known_by_each_word_alone() -> None:
    """
    A month that went before both words were counted together holds every entry twice: once by each word, and in no other hour.
    """
    counts = {
        (TOGETHER, OLD, "sign_in.started "): 3,
        (TOGETHER, OLD, " success"): 3,
        (TOGETHER, NEW, "sign_in.started success"): 1,
    }
    alone = {(name, hour, WORDS[name] or ""): count for name in ALONE for hour, count in ((OLD, 3), (NEW, 1))}

    def said(changed: dict[tuple[str, datetime, str], int], *, months: frozenset[date] = DROPPED) -> list[str]:
        check = CountCheck({**counts, **alone, **changed}, 4)
        check.add(0, NEW, WORDS)
        return [f"{one.place}: {one.detail}" for one in check.findings(months)]

    assert said({}) == []
    assert said({(TOGETHER, OLD, " success"): 2}) == ["counts by event_type and outcome: hold 3 entries, and 4 were counted"]
    assert said({(TOGETHER, NEW, " success"): 1})[1:] == [
        "counts by event_type and outcome of 2026-10-01 01:00: 2 in all, and the log holds 1"
    ]
    assert "counts by event_type and outcome of 2026-09-14 07:00: 6 in all, and the log holds 0" in said({}, months=frozenset())
