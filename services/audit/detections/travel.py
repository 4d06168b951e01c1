"""Impossible travel: two sign-ins of one person from countries that nobody gets between so quickly."""

from datetime import datetime, timedelta
from typing import Final

from services.audit.detections.model import LATE, About, Alert, Record, Severity, make_alert, subject_of, window_of
from services.audit.detections.parameters import TravelParameters
from services.audit.detections.places import distance_km
from shared.events import EventType

IMPOSSIBLE_TRAVEL: Final = About(
    "impossible_travel",
    2,
    "Impossible travel",
    "One person signs in from two countries that are farther apart than the time between allows.",
    Severity.HIGH,
)
# No two places on earth are more than half its circumference apart: at 1,000 km/h that is under a day, at 100 more than a week.
EARTH_HALFWAY_KM: Final = 20_040
WINDOW: Final = timedelta(days=1)
SWEEP_EVERY: Final = 10_000


class TravelRule:
    """
    See `IMPOSSIBLE_TRAVEL`.

    A country is a disc about its middle: between two discs lies the least that somebody must have travelled, so that a person
    who lives at a border raises nothing. One alert a day for a person and a pair of countries, however often they travel.
    """

    def __init__(self, parameters: TravelParameters) -> None:
        self.about = IMPOSSIBLE_TRAVEL
        self.types = frozenset({EventType.SIGN_IN_SUCCEEDED})
        self._speed_kmh = parameters.speed_kmh
        self._keep = timedelta(hours=EARTH_HALFWAY_KM / parameters.speed_kmh) + LATE
        self.look_back = 2 * (self._keep + WINDOW)
        self._last: dict[str, Record] = {}
        self._clock: datetime | None = None
        self._observed = 0

    def observe(self, record: Record) -> Alert | None:
        """See `Rule`."""
        self._clock = record.recorded_at if self._clock is None else max(self._clock, record.recorded_at)
        person = subject_of(record.event)
        if person is None or _country(record) is None:
            return None
        self._sweep(self._clock)
        before = self._last.get(person)
        if before is not None and before.recorded_at < self._clock - self._keep:
            before = None
        if before is None or before.event.occurred_at <= record.event.occurred_at:
            self._last[person] = record
        return None if before is None else self._judge(person, before, record)

    def _judge(self, person: str, before: Record, record: Record) -> Alert | None:
        pair = sorted((_country(before) or "", _country(record) or ""))
        away_km = distance_km(*pair)
        apart = abs(record.event.occurred_at - before.event.occurred_at)
        if away_km is None or away_km <= self._speed_kmh * apart.total_seconds() / 3600:
            return None
        minutes = round(apart.total_seconds() / 60)
        return make_alert(
            self.about,
            person,
            f"{window_of(record.event.occurred_at, WINDOW)} {'-'.join(pair)}",
            (before, record),
            title=f"One person signed in from {pair[0]} and {pair[1]} within {minutes} minutes",
            countries=pair,
            distance_km=round(away_km),
            minutes=minutes,
        )

    def _sweep(self, clock: datetime) -> None:
        self._observed += 1
        if self._observed % SWEEP_EVERY == 0:
            for person in [person for person, last in self._last.items() if last.recorded_at < clock - self._keep]:
                del self._last[person]


def _country(record: Record) -> str | None:
    return record.event.client.country if record.event.client is not None else None
