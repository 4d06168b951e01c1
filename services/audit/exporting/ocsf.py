"""
An entry as an OCSF event. Source: OCSF 1.8.0 (classes Authentication 3002, Account Change 3001, Entity Management 3004, API
Activity 6003, Application Lifecycle 6002, Application Error 6008, Base Event 0).

Rules:

1. One table says which class and activity an event type is: by its full name, else by its longest family, else Base Event.
2. What OCSF has no place for is in `unmapped`, under our own names, so that nothing is lost on the way.
3. `raw_data_hash` is the leaf hash: whoever holds the OCSF event can ask the log for the proof of the entry behind it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from services.audit.reading import address
from shared.events import Actor, Event, EventType, Outcome

VERSION: Final = "1.8.0"
PRODUCT: Final = {"name": "Countersign", "vendor_name": "Countersign"}
OTHER: Final = 99

BASE, ACCOUNT_CHANGE, AUTHENTICATION, ENTITY_MANAGEMENT = 0, 3001, 3002, 3004
APPLICATION_LIFECYCLE, API_ACTIVITY, APPLICATION_ERROR = 6002, 6003, 6008
INFORMATIONAL, MEDIUM, HIGH, CRITICAL = 1, 3, 4, 5

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)


class Kind(NamedTuple):
    """Which OCSF event an event type is; `activity` is the name of one that OCSF has no number for (then 99)."""

    class_uid: int
    activity_id: int
    activity: str | None = None
    severity_id: int = INFORMATIONAL


PREAUTH: Final = Kind(AUTHENTICATION, 6)
LOGON: Final = Kind(AUTHENTICATION, 1)
LOGOFF: Final = Kind(AUTHENTICATION, 2)
STEP_UP: Final = Kind(AUTHENTICATION, OTHER, "Step-up")
UPDATE: Final = Kind(ENTITY_MANAGEMENT, 3)

# Full names, and families with their dot.
KINDS: Final[dict[str, Kind]] = {
    "sign_up.": PREAUTH,
    "sign_in.": LOGON,
    "sign_in.started": PREAUTH,
    "sign_in.challenged": PREAUTH,
    "sign_in.decoyed": PREAUTH,
    "challenge.": PREAUTH,
    "action.": PREAUTH,
    "action.mismatched": PREAUTH._replace(severity_id=HIGH),
    "token.replayed": PREAUTH._replace(severity_id=HIGH),
    "passkey.": PREAUTH,
    "attempt.": PREAUTH,
    "step_up.": STEP_UP,
    "session.": LOGOFF,
    "session.created": LOGON,
    "session.rotated": Kind(AUTHENTICATION, OTHER, "Session Refresh"),
    "session.refresh.reused": Kind(AUTHENTICATION, OTHER, "Session Refresh", CRITICAL),
    "account.": UPDATE,
    "account.user.created": Kind(ACCOUNT_CHANGE, 1),
    "account.user.deleted": Kind(ACCOUNT_CHANGE, 6),
    "account.user.locked": Kind(ACCOUNT_CHANGE, 9),
    "account.user.unlocked": Kind(ACCOUNT_CHANGE, 12),
    "account.user.disabled": Kind(ACCOUNT_CHANGE, 5),
    "account.user.enabled": Kind(ACCOUNT_CHANGE, 2),
    "authenticator.": UPDATE,
    "authenticator.enrolment.": PREAUTH,
    "authenticator.added": Kind(ACCOUNT_CHANGE, 10),
    "authenticator.removed": Kind(ACCOUNT_CHANGE, 11),
    "authenticator.disabled": Kind(ACCOUNT_CHANGE, 11),
    "recovery_codes.": UPDATE,
    "recovery_codes.used": PREAUTH,
    "abuse.": PREAUTH._replace(severity_id=MEDIUM),
    "webhook.": Kind(API_ACTIVITY, 1),
    "message.": PREAUTH,
    "audit.": Kind(API_ACTIVITY, 3),
    "audit.query.": Kind(API_ACTIVITY, 2),
    "audit.access.": Kind(API_ACTIVITY, 2, severity_id=MEDIUM),
    "audit.export.": Kind(API_ACTIVITY, 1),
    "audit.archive.": Kind(API_ACTIVITY, 1),
    "audit.retention.": Kind(API_ACTIVITY, 4),
    "audit.seal.stopped": Kind(APPLICATION_ERROR, 1, severity_id=CRITICAL),
    "audit.seal.resumed": Kind(APPLICATION_LIFECYCLE, OTHER, "Sealing Resumed"),
    "admin.": UPDATE,
    "provider.": Kind(APPLICATION_ERROR, 1, severity_id=MEDIUM),
    "service.started": Kind(APPLICATION_LIFECYCLE, 3),
    "service.stopped": Kind(APPLICATION_LIFECYCLE, 4),
}

STATUSES: Final = {
    Outcome.SUCCESS: (1, "Success"),
    Outcome.FAILURE: (2, "Failure"),
    Outcome.DENIED: (2, "Failure"),
    Outcome.ERROR: (2, "Failure"),
    Outcome.PENDING: (OTHER, "Pending"),
}

# Ends of Authsignal's method names to factor types.
FACTORS: Final = {
    "SMS": 1,
    "PALM": 4,
    "IPROOV": 4,
    "PUSH": 5,
    "AUTHENTICATOR_APP": 7,
    "TOTP": 7,
    "EMAIL_OTP": 8,
    "EMAIL_MAGIC_LINK": 8,
    "SECURITY_KEY": 10,
    "PASSKEY": 10,
    "WEBAUTHN": 10,
}
USER_TYPES: Final = {"user": 1, "operator": 2, "service": 4}


def kind_of(event_type: EventType) -> Kind:
    """Return which OCSF event an event type is."""
    name = event_type.value
    if name in KINDS:
        return KINDS[name]
    families = [family for family in KINDS if family.endswith(".") and name.startswith(family)]
    return KINDS[max(families, key=len)] if families else Kind(BASE, OTHER, name)


def to_ocsf(event: Event, *, leaf_hash: bytes, leaf_index: int | None, recorded_at: datetime) -> dict[str, Any]:
    """
    Return an event as an OCSF event, ready to be written as JSON.

    Args:
        event: The decoded entry.
        leaf_hash: Of the entry, 32 bytes.
        leaf_index: Its place in the tree; None while it is not sealed.
        recorded_at: When the log stored it.
    """
    kind = kind_of(event.event_type)
    made: dict[str, Any] = {
        "activity_id": kind.activity_id,
        "category_uid": kind.class_uid // 1000,
        "class_uid": kind.class_uid,
        "type_uid": kind.class_uid * 100 + kind.activity_id,
        "severity_id": kind.severity_id,
        "time": _milliseconds(event.occurred_at),
        "message": event.event_type.value,
        "metadata": _metadata(event, recorded_at),
        **_status(event),
        "raw_data_hash": {"algorithm_id": 3, "algorithm": "SHA-256", "value": leaf_hash.hex()},
        "unmapped": _unmapped(event, leaf_index),
    }
    if kind.activity is not None:
        made["activity_name"] = kind.activity
    made.update(_OF_CLASS[kind.class_uid](event))
    return made


def _metadata(event: Event, recorded_at: datetime) -> dict[str, Any]:
    made: dict[str, Any] = {
        "version": VERSION,
        "product": PRODUCT,
        "uid": event.event_id,
        "event_code": event.event_type.value,
        "log_provider": event.producer.service,
        "sequence": event.producer.seq,
        "logged_time": _milliseconds(recorded_at),
    }
    correlation = event.attempt_id or event.trace_id or event.request_id
    if correlation:
        made["correlation_uid"] = correlation
    return made


def _status(event: Event) -> dict[str, Any]:
    status_id, status = STATUSES[event.outcome]
    made: dict[str, Any] = {"status_id": status_id, "status": status, "status_code": event.outcome.value}
    if event.reason:
        made["status_detail"] = event.reason
    return made


def _unmapped(event: Event, leaf_index: int | None) -> dict[str, Any]:
    made: dict[str, Any] = {"instance": event.producer.instance, "schema_version": event.schema_version}
    if leaf_index is not None:
        made["leaf_index"] = leaf_index
    for name in ("request_id", "trace_id", "attempt_id", "session_ref"):
        value = getattr(event, name)
        if value is not None:
            made[name] = value
    for name in ("subject", "client", "authsignal", "cognito"):
        part = getattr(event, name)
        if part is not None:
            made[name] = msgspec.to_builtins(part)
    if event.data:
        made["data"] = event.data
    return made


def _of_authentication(event: Event) -> dict[str, Any]:
    made = {
        "user": _user(event),
        "service": {"name": event.producer.service},
        "is_remote": True,
        **_from_where(event),
        **_actor(event),
    }
    if event.session_ref:
        made["session"] = {"uid": event.session_ref}
    factor = _factor(event)
    if factor is not None:
        made["auth_factors"] = [factor]
    if event.cognito is not None:
        made.update({"auth_protocol_id": OTHER, "auth_protocol": "Cognito CUSTOM_AUTH"})
    return made


def _of_account(event: Event) -> dict[str, Any]:
    factor = _factor(event)
    made = {"user": _user(event), **_from_where(event), **_actor(event)}
    return made if factor is None else {**made, "auth_factors": [factor]}


def _of_entity(event: Event) -> dict[str, Any]:
    user = _user(event)
    return {
        "entity": {"type": "User", "uid": user.get("uid", user["name"]), "user": user},
        **_from_where(event),
        **_actor(event),
    }


def _of_api(event: Event) -> dict[str, Any]:
    http = event.http
    operation = f"{http.method} {http.route}" if http is not None else event.event_type.value
    made = {"api": {"operation": operation, "service": {"name": event.producer.service}}, **_from_where(event)}
    made.setdefault("src_endpoint", {"svc_name": event.producer.service})
    # Who acted is required here: where nobody did, the service did.
    made.update(_actor(event) or {"actor": {"app_name": event.producer.service}})
    return made


def _of_lifecycle(event: Event) -> dict[str, Any]:
    return {"app": {"name": event.producer.service, "vendor_name": PRODUCT["vendor_name"], "uid": event.producer.instance}}


def _of_none(_event: Event) -> dict[str, Any]:
    return {}


_OF_CLASS: Final = {
    BASE: _of_none,
    ACCOUNT_CHANGE: _of_account,
    AUTHENTICATION: _of_authentication,
    ENTITY_MANAGEMENT: _of_entity,
    APPLICATION_LIFECYCLE: _of_lifecycle,
    API_ACTIVITY: _of_api,
    APPLICATION_ERROR: _of_none,
}


def _user(event: Event) -> dict[str, Any]:
    subject = event.subject
    made: dict[str, Any] = {"type_id": USER_TYPES["user"]}
    if subject is not None and subject.sub:
        made["uid"] = subject.sub
    # A name is what somebody typed; the log knows it as a keyed hash only.
    made["name"] = subject.email_hash if subject is not None and subject.email_hash else made.get("uid", "unknown")
    return made


def _actor(event: Event) -> dict[str, Any]:
    actor: Actor | None = event.actor
    if actor is None:
        return {}
    return {"actor": {"user": {"type_id": USER_TYPES.get(actor.kind, OTHER), "uid": actor.id, "name": actor.id}}}


def _from_where(event: Event) -> dict[str, Any]:
    made: dict[str, Any] = {}
    client, http = event.client, event.http
    if client is not None and address(client.ip):
        made["src_endpoint"] = {"ip": client.ip}
        if client.country:
            made["src_endpoint"]["location"] = {"country": client.country}
    request: dict[str, Any] = {}
    if http is not None:
        request = {"http_method": http.method, "url": {"path": http.route}}
        if http.status is not None:
            made["http_response"] = {"code": http.status}
    if client is not None and client.user_agent:
        request["user_agent"] = client.user_agent
    if event.request_id:
        request["uid"] = event.request_id
    if request:
        made["http_request"] = request
    return made


def _factor(event: Event) -> dict[str, Any] | None:
    method = event.authsignal.method if event.authsignal is not None else None
    if not method:
        return None
    factor_type_id = FACTORS.get(method.upper(), OTHER)
    made: dict[str, Any] = {"factor_type_id": factor_type_id, "factor_type": method, "provider": "Authsignal"}
    return {**made, "is_totp": True} if factor_type_id == FACTORS["TOTP"] else made


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MILLISECOND
