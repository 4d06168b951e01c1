"""Reckoning with times that others name: an event may say that it occurred in any year of the calendar."""

from datetime import UTC, datetime, timedelta
from typing import Final

FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(tzinfo=UTC)


def shifted(moment: datetime, by: timedelta) -> datetime:
    """Return a moment moved by some time, or `FIRST` or `LAST` where the calendar ends before."""
    try:
        return moment + by
    except OverflowError:
        return FIRST if by < timedelta() else LAST


def storable(moment: datetime) -> datetime:
    """Return a moment, or the one next to it for `FIRST` and `LAST`: asyncpg keeps those as infinities, which have no zone."""
    return min(max(moment, FIRST + timedelta.resolution), LAST - timedelta.resolution)
