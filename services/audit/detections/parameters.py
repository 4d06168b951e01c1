"""
The parameters of the rules, as they stand in the settings under ``[detections]``.

Defaults are for a service with some thousand sign-ins an hour; `countersign audit detections replay` shows what others would
have found.
"""

from datetime import timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1, le=1_000)]
# Windows stay far below what `LATE` and the look-back of a day are made for.
Minutes = Annotated[int, Meta(ge=1, le=360)]


class _Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all have in common."""


class StuffingParameters(_Parameters, frozen=True):
    """Credential stuffing: so many people fail from one network within the window."""

    window_minutes: Minutes = 10
    people_min: Count = 10
    # One attacker holds a block of addresses: they count as one. 32 and 128 count each address by itself.
    ipv4_prefix: Annotated[int, Meta(ge=8, le=32)] = 24
    ipv6_prefix: Annotated[int, Meta(ge=16, le=128)] = 48


class SprayParameters(_Parameters, frozen=True):
    """Spray: so many identifiers, or so many that nobody has, tried from one network within the window."""

    window_minutes: Minutes = 10
    # An office behind one address signs in at nine; that many people within the window are more than an office.
    identifiers_min: Count = 60
    # Typing errors make unknown identifiers too, but not that many different ones from one place.
    unknown_min: Count = 10
    ipv4_prefix: Annotated[int, Meta(ge=8, le=32)] = 24
    ipv6_prefix: Annotated[int, Meta(ge=16, le=128)] = 48


class FatigueParameters(_Parameters, frozen=True):
    """MFA fatigue: one person declines, or is asked, so often within the window."""

    window_minutes: Minutes = 15
    declined_min: Count = 3
    challenged_min: Count = 8


class TravelParameters(_Parameters, frozen=True):
    """Impossible travel: two sign-ins of one person farther apart than `speed_kmh` allows."""

    # An airliner makes 900; airports and inexact places take their share.
    speed_kmh: Annotated[int, Meta(ge=100, le=5_000)] = 1_000


class TakeoverParameters(_Parameters, frozen=True):
    """Takeover: a factor removed soon after a sign-in from a device that the person did not use lately."""

    within_minutes: Minutes = 60
    known_days: Annotated[int, Meta(ge=1, le=90)] = 30


class BypassParameters(_Parameters, frozen=True):
    """Gateway bypass: a record of a provider's for which our log has none."""

    # How far apart the two clocks, and the two records of one sign-in, may be.
    tolerance_seconds: Annotated[int, Meta(ge=1, le=3_600)] = 120
    # Our own record is on the queue before the provider is asked; it may wait there while the database is away.
    grace_seconds: Annotated[int, Meta(ge=0, le=86_400)] = 300


class DetectionParameters(_Parameters, frozen=True):
    """All of them."""

    stuffing: StuffingParameters = StuffingParameters()
    spray: SprayParameters = SprayParameters()
    fatigue: FatigueParameters = FatigueParameters()
    travel: TravelParameters = TravelParameters()
    takeover: TakeoverParameters = TakeoverParameters()
    bypass: BypassParameters = BypassParameters()


def minutes(count: int) -> timedelta:
    """Return so many minutes."""
    return timedelta(minutes=count)
