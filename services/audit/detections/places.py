"""
Countries as discs: where the middle is and how far from it somebody of that country may be.

Source of the coordinates: The World Factbook, "Geographic coordinates", a work of the United States government and in the
public domain, in whole degrees, and in tenths where a country is small. Of Kuwait, Saint Martin and Saint Barthélemy, which it
has in the wrong place, they are the middle of the outline in Natural Earth, in the public domain as well. The radii are our own
estimates of where nearly all of a country's people live, and so large that neighbours by land touch: they only ever make a
distance shorter. Every code that ISO 3166-1 assigns has a row, and XK, which is in use for Kosovo.
"""

import math
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

EARTH_RADIUS_KM: Final = 6371.0


class Place(NamedTuple):
    """The middle of a country in degrees, and its reach in kilometres."""

    latitude: float
    longitude: float
    radius_km: float


def distance_km(one: str, other: str) -> float | None:
    """
    Return the least distance between somebody in one country and somebody in another; 0 for neighbours.

    Args:
        one: ISO 3166-1 alpha-2, as `other`.

    Returns:
        Kilometres, or None when a country is not known.
    """
    known = _places()
    here, there = known.get(one.upper()), known.get(other.upper())
    if here is None or there is None:
        return None
    if here == there:
        return 0.0
    return max(0.0, _great_circle_km(here, there) - here.radius_km - there.radius_km)


def _great_circle_km(here: Place, there: Place) -> float:
    latitudes = math.radians(here.latitude), math.radians(there.latitude)
    half_north = (latitudes[1] - latitudes[0]) / 2
    half_east = math.radians(there.longitude - here.longitude) / 2
    chord = math.sin(half_north) ** 2 + math.cos(latitudes[0]) * math.cos(latitudes[1]) * math.sin(half_east) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(chord)))


@cache
def _places() -> dict[str, Place]:
    lines = files("services.audit.detections").joinpath("places.csv").read_text(encoding="utf-8").splitlines()
    rows = (line.split(",") for line in lines[1:])
    return {country: Place(float(latitude), float(longitude), float(radius)) for country, latitude, longitude, radius in rows}
