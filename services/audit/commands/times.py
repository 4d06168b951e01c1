"""Times as people write and read them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

AGO: Final = re.compile(r"(\d{1,6})([smhdw])")
TIME_HELP: Final = "90s, 15m, 1h, 2d or 1w ago, 2026-01-31, or 2026-01-31T12:00:00Z (without a zone: local time)"
UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_time(text: str, now: datetime) -> datetime:
    """
    Read a time: ``90s``, ``15m``, ``1h``, ``2d``, ``1w`` before now, or a date or time (local when it names no zone).

    Raises:
        ValueError: It is none of these.
    """
    match = AGO.fullmatch(text.strip())
    try:
        if match:
            return now - timedelta(**{UNITS[match[2]]: int(match[1])})
        return datetime.fromisoformat(text.strip()).astimezone()
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{text} is no time: write 15m, 1h, 2d, 2026-01-31 or 2026-01-31T12:00:00Z") from error


def to_api(moment: datetime) -> str:
    """Return a time as the API takes it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def ago(moment: datetime, now: datetime) -> str:
    """Return how long ago something was, in the largest unit that fits."""
    seconds = (now - moment).total_seconds()
    if seconds < 0:
        return "ahead" if seconds < -2 else "now"
    if seconds < 1:
        return "now"
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size:
            return f"{int(seconds // size)}{unit} ago"
    return f"{int(seconds)}s ago"


def when(text: str, now: datetime) -> str:
    """Return a time of the API on the reader's clock, and how long ago it was."""
    moment = datetime.fromisoformat(text)
    return f"{local(moment, now)} ({ago(moment, now)})"


def local(moment: datetime, now: datetime) -> str:
    """Return a time on the reader's clock, with the date when it was another day."""
    here = moment.astimezone()
    exact = f"{here:%H:%M:%S}.{here.microsecond // 1000:03}"
    return exact if here.date() == now.astimezone().date() else f"{here:%Y-%m-%d} {exact}"
