"""Which record of one side is which of the other's."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple


class Sighting(NamedTuple):
    """
    One thing that happened, as one side tells of it.

    `source` is the provider that it is about, `key` what both sides name alike, `kind` what happened, `ref` this side's own
    name of the record, and `recorded_at` when our log recorded it. `lets_in`: theirs, that somebody got in by it; ours, that
    the provider must have a record of it.
    """

    source: str
    key: str
    kind: str
    at: datetime
    ref: str
    recorded_at: datetime
    subject: str | None = None
    ip: str | None = None
    lets_in: bool = True


class Matched(NamedTuple):
    """Pairs of ours and theirs, and what has no other half."""

    pairs: list[tuple[Sighting, Sighting]]
    only_ours: list[Sighting]
    only_theirs: list[Sighting]


def match(ours: Iterable[Sighting], theirs: Iterable[Sighting], *, tolerance: timedelta) -> Matched:
    """
    Pair what bears the same key and lies at most `tolerance` apart, one to one, and as many pairs as there can be.

    The order in which the sightings come does not matter. Walking both sides in the order of time and pairing whatever can be
    paired is the best there is, since all tolerances are equal: what is passed over lies too early for everything that follows.
    """
    sides = _by_key(ours), _by_key(theirs)
    done = Matched([], [], [])
    for key in sorted(sides[0].keys() | sides[1].keys()):
        _pair(sides[0].get(key, []), sides[1].get(key, []), tolerance, done)
    return done


def is_explained(one: Sighting, earlier: Sequence[Sighting], ours: Sequence[Sighting], *, tolerance: timedelta) -> bool:
    """
    Say whether one more record of theirs still finds a record of ours that those before it leave over.

    Judged in the order in which they came, each by itself: however they are grouped, the same ones stay unexplained.

    Args:
        one: Theirs.
        earlier: Theirs that came before it.
        ours: Ours.
        tolerance: See `match`.
    """
    same = [other for other in earlier if other.key == one.key]
    before = len(match(ours, same, tolerance=tolerance).pairs)
    return len(match(ours, [*same, one], tolerance=tolerance).pairs) > before


def once_each(sightings: Iterable[Sighting]) -> list[Sighting]:
    """Return each record once, as it was told of first: records come several times."""
    first: dict[tuple[str, str], Sighting] = {}
    for one in sightings:
        first.setdefault((one.source, one.ref), one)
    return list(first.values())


def _pair(ours: list[Sighting], theirs: list[Sighting], tolerance: timedelta, done: Matched) -> None:
    mine, other = 0, 0
    while mine < len(ours) and other < len(theirs):
        apart = ours[mine].at - theirs[other].at
        if abs(apart) <= tolerance:
            done.pairs.append((ours[mine], theirs[other]))
            mine, other = mine + 1, other + 1
        elif apart < timedelta(0):
            done.only_ours.append(ours[mine])
            mine += 1
        else:
            done.only_theirs.append(theirs[other])
            other += 1
    done.only_ours.extend(ours[mine:])
    done.only_theirs.extend(theirs[other:])


def _by_key(sightings: Iterable[Sighting]) -> dict[tuple[str, str], list[Sighting]]:
    grouped: dict[tuple[str, str], list[Sighting]] = {}
    for one in sightings:
        grouped.setdefault((one.source, one.key), []).append(one)
    for group in grouped.values():
        group.sort(key=lambda one: (one.at, one.ref))
    return grouped
