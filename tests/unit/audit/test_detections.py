"""The detections: what each rule finds and leaves alone, and that cutting the log into batches changes nothing."""

import itertools
import random
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.audit.detections.detector import Detector
from services.audit.detections.model import Alert, Record
from services.audit.detections.parameters import DetectionParameters, FatigueParameters, SprayParameters, StuffingParameters
from services.audit.detections.places import distance_km
from shared.events import Client, Event, EventType, Outcome, Producer, Subject

BASE = datetime(2026, 11, 1, tzinfo=UTC)
MINUTE = 60.0
INSTANCE = "8a0c1d2e-0000-4000-8000-000000000001"


def record(leaf: int, seconds: float, event_type: EventType, *, late: float = 0.0, **fields: Any) -> Record:
    """Return a sealed event, so many seconds after the start of November, recorded `late` seconds after it occurred."""
    occurred_at = BASE + timedelta(seconds=seconds)
    ordinary: dict[str, Any] = {
        "event_id": str(UUID(int=leaf)),
        "schema_version": 1,
        "event_type": event_type,
        "outcome": Outcome.SUCCESS,
        "occurred_at": occurred_at,
        "producer": Producer(service="gateway", instance=INSTANCE, seq=leaf),
        "salt": "00" * 16,
    }
    return Record(leaf, occurred_at + timedelta(seconds=late), Event(**{**ordinary, **fields}))


def failure(leaf: int, seconds: float, person: int, ip: str = "203.0.113.9", **fields: Any) -> Record:
    """Return a sign-in that failed."""
    subject = Subject(email_hash=f"{person:064x}")
    return record(
        leaf,
        seconds,
        EventType.SIGN_IN_FAILED,
        outcome=Outcome.FAILURE,
        subject=subject,
        client=Client(ip=ip),
        **fields,
    )


def sign_in(leaf: int, seconds: float, country: str | None, *, sub: str = "ada", **client: Any) -> Record:
    """Return a sign-in that succeeded."""
    return record(
        leaf, seconds, EventType.SIGN_IN_SUCCEEDED, subject=Subject(sub=sub), client=Client(country=country, **client)
    )


def found(records: Iterable[Record], parameters: DetectionParameters | None = None) -> list[Alert]:
    """Return what a new detector finds, without histories; whatever it is, its title names nobody and no place."""
    alerts = Detector(parameters or DetectionParameters()).feed(records, {})
    assert not [one for one in alerts for name in (one.key, one.subject, *one.ips) if name and name in one.title]
    return alerts


def test_many_people_failing_from_one_network_are_one_alert() -> None:
    """Ten people who fail within ten minutes from addresses of one network raise one alert that names them; nine do not."""
    tries = [failure(n, n * 30.0, n, ip=f"203.0.113.{n}") for n in range(12)]

    alerts = found(tries)

    assert found(tries[:9]) == []
    assert [alert.rule for alert in alerts] == ["credential_stuffing"]
    assert (alerts[0].key, alerts[0].event_count, alerts[0].subject) == ("203.0.113.0/24", 10, None)
    assert (alerts[0].first_leaf, alerts[0].last_leaf, len(alerts[0].ips)) == (0, 9, 10)


def test_an_alert_names_a_person_only_when_it_is_about_nobody_else() -> None:
    """Of ten people who fail, one is known by account as well: the alert is not about that one."""
    first, *others = (failure(n, n * 30.0, n) for n in range(10))
    named = msgspec.structs.replace(first.event, subject=Subject(sub="ada", email_hash=f"{0:064x}"))

    assert [alert.subject for alert in found([first._replace(event=named), *others])] == [None]


def test_one_forgetful_person_is_no_stuffing() -> None:
    """One person may fail as often as they like, and many may fail when they have the whole day for it."""
    assert found(failure(n, n * 2.0, 7) for n in range(200)) == []
    assert found(failure(n, n * 2 * MINUTE, n) for n in range(200)) == []


def test_a_person_told_of_by_two_services_is_one_person() -> None:
    """Gateway and challenge service name one person by address and by account: nobody counts twice."""
    tries: list[Record] = []
    for n in range(6):
        tries.append(failure(2 * n, n * 10.0, n))
        by_account: dict[str, Any] = {
            "outcome": Outcome.FAILURE,
            "subject": Subject(sub=f"sub-{n}"),
            "client": Client(ip="203.0.113.9"),
        }
        tries.append(record(2 * n + 1, n * 10.0, EventType.CHALLENGE_REJECTED, **by_account))

    assert found(tries) == []


def test_an_attack_that_goes_on_is_an_alert_for_each_window() -> None:
    """Half an hour of stuffing is one alert every ten minutes, not one for every try."""
    alerts = found(failure(n, n * 12.0, n) for n in range(150))

    assert len(alerts) == 3
    assert len({alert.id for alert in alerts}) == 3


@pytest.mark.parametrize(("start", "sizes"), [(0.0, [10, 100, 1_000]), (595.0, [10, 51, 100, 1_000])], ids=["one", "two"])
def test_alerts_tell_how_large_an_attack_became(start: float, sizes: list[int]) -> None:
    """A run of 5,000 tries, in one window or two, is told of again at ten and at a hundred times the threshold."""
    alerts = found(failure(n, start + n * 0.1, n) for n in range(5_000))

    assert [alert.data["counts"]["addresses"] for alert in alerts] == sizes
    assert len({alert.id for alert in alerts}) == len(sizes)
    assert alerts[-1].title == "1000 people failed to sign in from one network"


def test_spray_counts_unknown_identifiers_sooner() -> None:
    """Ten identifiers that nobody has are a spray; ten that somebody has are an office in the morning."""

    def starts(count: int, event_type: EventType) -> list[Record]:
        client = Client(ip="2001:db8::1")
        return [record(n, n * 5.0, event_type, subject=Subject(email_hash=f"{n:064x}"), client=client) for n in range(count)]

    assert [alert.rule for alert in found(starts(10, EventType.SIGN_IN_DECOYED))] == ["identifier_spray"]
    assert found(starts(59, EventType.SIGN_IN_STARTED)) == []
    assert [alert.key for alert in found(starts(60, EventType.SIGN_IN_STARTED))] == ["2001:db8::/48"]


def test_fatigue_is_about_one_person() -> None:
    """Three declined requests, or eight challenges, of one person within a quarter of an hour; of several it is ordinary."""

    def declined(leaf: int, sub: str) -> Record:
        fields: dict[str, Any] = {"outcome": Outcome.FAILURE, "reason": "DECLINED", "attempt_id": f"attempt-{leaf}"}
        return record(leaf, leaf * 60.0, EventType.SIGN_IN_FAILED, subject=Subject(sub=sub), **fields)

    def challenged(leaf: int, sub: str) -> Record:
        return record(leaf, leaf * 60.0, EventType.CHALLENGE_SENT, subject=Subject(sub=sub))

    assert [alert.subject for alert in found(declined(n, "ada") for n in range(3))] == ["ada"]
    assert [alert.subject for alert in found(challenged(n, "ada") for n in range(8))] == ["ada"]
    assert found(declined(n, f"sub-{n}") for n in range(9)) == []


def test_travel_needs_time() -> None:
    """London and Sydney within an hour are impossible, within a day they are a journey; neighbours never are."""
    assert [alert.data["countries"] for alert in found([sign_in(0, 0, "GB"), sign_in(1, 3600, "AU")])] == [["AU", "GB"]]
    assert found([sign_in(0, 0, "GB"), sign_in(1, 86_400, "AU")]) == []
    assert found([sign_in(0, 0, "DE"), sign_in(1, 60, "FR")]) == []
    assert found([sign_in(0, 0, "GB"), sign_in(1, 60, None), sign_in(2, 90, "GB")]) == []
    assert found([sign_in(0, 0, "GB"), sign_in(1, 60, "AU", sub="bob")]) == []


def test_going_to_and_fro_is_one_alert_a_day() -> None:
    """Somebody who hops between two countries raises one alert, however often they hop."""
    hops = [sign_in(n, n * 600.0, "GB" if n % 2 else "AU") for n in range(40)]

    assert len({alert.id for alert in found(hops)}) == 1


# ISO 3166-1 alpha-2, all that are assigned.
COUNTRIES = re.findall(
    r"[A-Z]{2}",
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA "
    "CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA "
    "GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP "
    "KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS "
    "MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS "
    "RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW "
    "TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW",
)


def test_every_country_has_a_place() -> None:
    """Each code that is assigned, and Kosovo's, has a disc on the earth: from each to Antarctica it is some way."""
    assert len(COUNTRIES) == 249
    for country in [*COUNTRIES, "XK"]:
        away_km = distance_km(country, "AQ")
        assert away_km is not None, country
        assert 0 <= away_km < 20_040, country


@pytest.mark.parametrize(
    "pair",
    ["AF CN", "AZ RU", "BE NL", "BY RU", "CN TJ", "EE RU", "FR ES", "GE RU", "LT RU", "LV RU", "PL RU", "RU UA", "SK UA"],
)
def test_neighbours_are_no_distance_apart(pair: str) -> None:
    """Whoever lives at a border is 0 km from the other side, also where a country is long and its middle far away."""
    assert distance_km(*pair.split()) == 0.0


@pytest.mark.parametrize(
    ("pair", "real_km"),
    [("SG ID", 880), ("MT IT", 690), ("KW QA", 570), ("LB CY", 240), ("BB LC", 190), ("VN PH", 1760), ("MF BL", 35)],
)
def test_no_distance_is_longer_than_between_capitals(pair: str, real_km: float) -> None:
    """What a disc says is never more than what somebody travels between the two capitals."""
    assert (distance_km(*pair.split()) or 0.0) <= real_km


def test_distances_are_the_least_possible() -> None:
    """Neighbours are 0 km apart, the ends of the earth far, and an unknown country says nothing."""
    across = distance_km("GB", "AU") or 0.0

    assert distance_km("US", "CA") == 0.0
    assert 10_000 < across < 15_000
    assert distance_km("AU", "GB") == pytest.approx(across)
    assert distance_km("GB", "ZZ") is None


@pytest.mark.parametrize(
    ("devices", "minutes", "is_alert"),
    [
        (["old", "new"], 20, True),
        (["old", "old"], 20, False),
        (["new"], 20, False),
        (["old", "new"], 90, False),
    ],
    ids=["new device", "known device", "a first sign-in", "long after"],
)
def test_a_factor_removed_from_a_new_device(devices: list[str], minutes: int, is_alert: bool) -> None:
    """A removal soon after a sign-in from a device that the person did not use in the days before is an alert."""
    days = 86_400.0
    history = [sign_in(n, n * days, None, device_id=device) for n, device in enumerate(devices)]
    at = (len(devices) - 1) * days + minutes * 60
    removal = record(99, at, EventType.AUTHENTICATOR_REMOVED, subject=Subject(sub="ada"))
    detector = Detector(DetectionParameters())

    alerts = detector.feed([removal], {99: history})

    assert detector.whose_history(removal) == "ada"
    assert [alert.rule for alert in alerts] == (["factor_removed_from_new_device"] if is_alert else [])


def test_a_reused_refresh_token_is_an_alert_at_once() -> None:
    """One is enough; a thief who goes on trying is still one alert an hour."""
    tries = [record(n, n * 10.0, EventType.SESSION_REFRESH_REUSED, session_ref="ref-1") for n in range(9)]

    alerts = found(tries)

    assert [(alert.rule, alert.key, alert.severity.value) for alert in alerts] == [("refresh_reuse", "ref-1", "critical")]


SMALL = DetectionParameters(
    stuffing=StuffingParameters(window_minutes=5, people_min=3),
    spray=SprayParameters(window_minutes=5, identifiers_min=6, unknown_min=3),
    fatigue=FatigueParameters(window_minutes=5, declined_min=2, challenged_min=3),
)


def random_log(seed: int) -> list[Record]:
    """Return some days of a log in which every rule finds something; some events arrive late, a few out of order."""
    chance = random.Random(seed)
    moment, made = 0.0, []
    for n in range(chance.randint(50, 400)):
        moment += chance.choice([1.0, 20.0, 200.0, 40_000.0 if chance.random() < 0.02 else 5.0])
        late = chance.choice([0.0, 0.0, 0.1, 3.0, 1500.0])
        person, ip = chance.randrange(8), f"203.0.{chance.randrange(2)}.{chance.randrange(4)}"
        fields: dict[str, Any] = {
            "subject": Subject(sub=f"sub-{person}", email_hash=f"{person:064x}"),
            "client": Client(ip=ip, country=chance.choice(["GB", "AU", "DE", None])),
            "outcome": chance.choice([Outcome.SUCCESS, Outcome.FAILURE]),
            "reason": chance.choice([None, "DECLINED"]),
            "session_ref": f"ref-{person}",
        }
        event_type = chance.choice(sorted(Detector(SMALL).types, key=lambda one: one.value))
        made.append(record(n, moment, event_type, late=late, **fields))
    ordered = sorted(made, key=lambda one: one.recorded_at)
    return [one._replace(leaf_index=place) for place, one in enumerate(ordered)]


def back_from(log: list[Record], place: int, detector: Detector) -> list[Record]:
    """Return what a detector that begins at a place must be shown first."""
    if place >= len(log):
        return []
    since = log[place].recorded_at - detector.look_back
    return [one for one in log[:place] if one.recorded_at >= since]


@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(0, 400), max_size=6), restarts=st.integers(0, 63))
@settings(max_examples=60, deadline=None)
def test_batches_restarts_and_replays_find_the_same(seed: int, cuts: list[int], restarts: int) -> None:
    """However the log is cut into batches, and whoever begins anew in between with the look-back alone: the same alerts."""
    log = random_log(seed)
    whole = found(log, SMALL)
    assert whole or len(log) < 100
    places = sorted({0, len(log), *(cut % (len(log) + 1) for cut in cuts)})
    detector, pieces = Detector(SMALL), []

    for number, (start, end) in enumerate(itertools.pairwise(places)):
        if restarts >> number & 1:
            detector = Detector(SMALL)
            detector.warm_up(back_from(log, start, detector))
        pieces += detector.feed(log[start:end], {})

    assert pieces == whole
