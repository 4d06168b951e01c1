"""What the four triggers share: reading Cognito's event without trusting its shape, and the log line."""

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any


class AppClient(Enum):
    """Which of the pool's app clients a call came through."""

    GATEWAY = "gateway"
    DIRECT = "direct"
    OTHER = "other"


def section(event: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return one object inside the event, or an empty one when it is absent or not an object."""
    value = event.get(name)
    return value if isinstance(value, dict) else {}


def text(values: Mapping[str, Any], name: str) -> str:
    """Return one string, or an empty one when it is absent or not a string."""
    value = values.get(name)
    return value if isinstance(value, str) else ""


def user_is_known(request: Mapping[str, Any]) -> bool:
    """
    Tell a real user from the stand-in that Cognito sends for an unknown name.

    Cognito leaves ``userNotFound`` out, or sends null or false, for real users; whatever else it holds, the user is
    not one to trust. A stand-in has no ``sub`` either, and both signs must agree.
    """
    flag = request.get("userNotFound")
    return (flag is None or flag is False) and bool(text(section(request, "userAttributes"), "sub"))


def app_client(event: Mapping[str, Any], environment: Mapping[str, str]) -> AppClient:
    """
    Tell which app client a call came through, by the ids that the functions were deployed with.

    An id that was not deployed matches nothing, so the direct client is refused everywhere until it is switched on.
    """
    given = text(section(event, "callerContext"), "clientId")
    if given and given == environment.get("GATEWAY_CLIENT_ID"):
        return AppClient.GATEWAY
    if given and given == environment.get("DIRECT_CLIENT_ID"):
        return AppClient.DIRECT
    return AppClient.OTHER


def log_line(event: Mapping[str, Any], *, trigger: str, outcome: str, reason: str = "", attempt_id: str = "") -> str:
    """
    Describe one call in one JSON line, without the address, the assertion or anything else that a caller sent.

    The app client and ``sub`` are identifiers of ours; ``reason`` and ``outcome`` are words from this code.
    """
    line = {
        "event": f"trigger.{trigger}_answered",
        "outcome": outcome,
        "reason": reason or None,
        "attempt_id": attempt_id or None,
        "sub": text(section(section(event, "request"), "userAttributes"), "sub") or None,
        "client_id": text(section(event, "callerContext"), "clientId") or None,
        "user_pool_id": text(event, "userPoolId") or None,
        "trigger_source": text(event, "triggerSource") or None,
    }
    return json.dumps({key: value for key, value in line.items() if value is not None}, separators=(",", ":"))
