"""Entries as OCSF events, against the schema that OCSF 1.8.0 publishes (see the folder ocsf/ for its licence)."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from services.audit.exporting.formats import Record, ocsf
from services.audit.exporting.ocsf import BASE, Kind, kind_of, to_ocsf
from shared.events import (
    Actor,
    AuthsignalRef,
    Client,
    CognitoRef,
    Event,
    EventType,
    HttpRef,
    Outcome,
    Producer,
    Subject,
    encode,
)
from shared.ids import uuid7

SCHEMA = json.loads((Path(__file__).parent / "ocsf" / "ocsf-1.8.0.json").read_text(encoding="utf-8"))
VALIDATORS = {
    int(uid): jsonschema_rs.validator_for({**schema, "$schema": SCHEMA["$schema"], "$defs": SCHEMA["$defs"]})
    for uid, schema in SCHEMA["classes"].items()
}
NOW = datetime(2026, 11, 1, 12, 30, 15, 250_000, tzinfo=UTC)
FULL: dict[str, Any] = {
    "reason": "wrong_code",
    "request_id": "4f1c",
    "trace_id": "5d0e",
    "attempt_id": "019a",
    "session_ref": "b27e",
    "subject": Subject(sub="3f2b", email_hash="9c" * 32),
    "actor": Actor(kind="operator", id="nightly"),
    "client": Client(ip="192.0.2.7", user_agent="Firefox/140", device_id="d", country="NL"),
    "authsignal": AuthsignalRef(action="sign-in", idempotency_key="k", state="ALLOW", method="EMAIL_OTP", rule_ids=("r",)),
    "cognito": CognitoRef(operation="InitiateAuth", error="NotAuthorizedException"),
    "http": HttpRef(method="POST", route="/v1/sign-ins", status=202),
    "data": {"any": ["thing", 1, None]},
}


def make(event_type: EventType, outcome: Outcome = Outcome.SUCCESS, **fields: Any) -> Event:
    """Return an event of a type."""
    producer = Producer(service="gateway", instance="8a0c", seq=3)
    return Event(
        event_id=str(uuid7()),
        schema_version=1,
        event_type=event_type,
        outcome=outcome,
        occurred_at=NOW,
        producer=producer,
        salt="00" * 16,
        **fields,
    )


def mapped(event: Event) -> dict[str, Any]:
    """Return the OCSF event that the export writes for an event."""
    record = Record(event.event_id, 7, bytes(32), NOW, NOW, encode(event))
    made: dict[str, Any] = json.loads(ocsf(record))
    return made


def faults(made: dict[str, Any]) -> list[str]:
    """Return what the schema finds wrong with an OCSF event."""
    return [f"{error.instance_path}: {error.message}" for error in VALIDATORS[made["class_uid"]].iter_errors(made)]


@pytest.mark.parametrize("event_type", EventType, ids=lambda event_type: event_type.value)
def test_every_event_type_is_a_valid_ocsf_event(event_type: EventType) -> None:
    """
    Whatever its outcome, with every field and with none, an event of this type fits the schema of its class, and has one.
    """
    for outcome in Outcome:
        for fields in ({}, FULL, {"client": Client(ip="no address")}):
            assert faults(mapped(make(event_type, outcome, **fields))) == []
    assert kind_of(event_type).class_uid != BASE, "give it a line in KINDS"


def test_nothing_of_an_event_is_lost() -> None:
    """
    Time, place, hash, person, origin, factor and answer are where OCSF has them; the rest is under our names in `unmapped`.
    """
    made = mapped(make(EventType.SIGN_IN_FAILED, Outcome.FAILURE, **FULL))

    assert (made["class_uid"], made["type_uid"], made["time"]) == (3002, 300201, 1793536215250)
    assert (made["status_id"], made["status_code"], made["status_detail"]) == (2, "failure", "wrong_code")
    assert made["user"] == {"type_id": 1, "uid": "3f2b", "name": "9c" * 32}
    assert made["src_endpoint"] == {"ip": "192.0.2.7", "location": {"country": "NL"}}
    assert made["http_request"] | made["http_response"] == {
        "http_method": "POST",
        "url": {"path": "/v1/sign-ins"},
        "user_agent": "Firefox/140",
        "uid": "4f1c",
        "code": 202,
    }
    assert made["auth_factors"][0]["factor_type_id"] == 8
    assert made["raw_data_hash"]["value"] == "00" * 32
    assert made["unmapped"]["leaf_index"] == 7
    assert made["unmapped"]["data"] == FULL["data"]
    assert made["unmapped"]["authsignal"]["rule_ids"] == ["r"]


def test_an_erased_entry_is_a_base_event() -> None:
    """
    Of an erased entry the export shows id, place and hash, in a valid event.
    """
    made = json.loads(ocsf(Record("019a", 7, bytes(32), NOW, NOW, None, is_erased=True)))

    assert faults(made) == []
    assert (made["metadata"]["uid"], made["unmapped"]) == ("019a", {"leaf_index": 7, "erased": True})


def test_a_type_of_tomorrow_falls_to_its_family() -> None:
    """
    A new type of a known family is mapped as the family is.
    """
    assert kind_of(EventType.CHALLENGE_EXPIRED) == Kind(3002, 6)
    assert to_ocsf(make(EventType.SESSION_ENDED), leaf_hash=b"", leaf_index=None, recorded_at=NOW)["activity_id"] == 2
