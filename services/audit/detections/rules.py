"""The rules that count: stuffing, spray, MFA fatigue, refresh reuse."""

from datetime import timedelta
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

from services.audit.detections.counting import CountingRule, Mark
from services.audit.detections.model import About, Severity
from services.audit.detections.parameters import (
    FatigueParameters,
    SprayParameters,
    StuffingParameters,
    minutes,
)
from shared.events import Event, EventType, Outcome

STUFFING: Final = About(
    "credential_stuffing",
    2,
    "Credential stuffing",
    "Many different people fail to sign in from one network within a short time.",
    Severity.HIGH,
)
SPRAY: Final = About(
    "identifier_spray",
    2,
    "Spray over identifiers",
    "Sign-ins are begun from one network for many different identifiers, or for many that nobody has: "
    "somebody tries which addresses have an account.",
    Severity.MEDIUM,
)
FATIGUE: Final = About(
    "mfa_fatigue",
    2,
    "MFA fatigue",
    "One person declines several requests, or is asked again and again, within a short time: "
    "somebody hopes for a yes by mistake.",
    Severity.HIGH,
)
REFRESH_REUSE: Final = About(
    "refresh_reuse",
    2,
    "Refresh token used twice",
    "A refresh token that was already exchanged came again: two holders have the same session.",
    Severity.CRITICAL,
)
DECLINED: Final = "DECLINED"
ENDED: Final = frozenset({Outcome.FAILURE, Outcome.DENIED})
REUSE_WINDOW: Final = timedelta(hours=1)


class StuffingRule(CountingRule):
    """See `STUFFING`."""

    def __init__(self, parameters: StuffingParameters) -> None:
        super().__init__(
            STUFFING,
            frozenset({EventType.SIGN_IN_FAILED, EventType.SIGN_IN_BLOCKED, EventType.CHALLENGE_REJECTED}),
            window=minutes(parameters.window_minutes),
            # One service names a person by account, another by address: counted apart, nobody counts as two.
            thresholds={"accounts": parameters.people_min, "addresses": parameters.people_min},
        )
        self._prefixes = parameters.ipv4_prefix, parameters.ipv6_prefix

    def marks(self, event: Event) -> list[Mark]:
        """See `CountingRule`."""
        return _people(event, *self._prefixes) if event.outcome in ENDED else []

    def title(self, counts: dict[str, int]) -> str:
        """See `CountingRule`."""
        return f"{max(counts.values())} people failed to sign in from one network"


class SprayRule(CountingRule):
    """See `SPRAY`."""

    def __init__(self, parameters: SprayParameters) -> None:
        super().__init__(
            SPRAY,
            frozenset({EventType.SIGN_IN_STARTED, EventType.SIGN_IN_DECOYED}),
            window=minutes(parameters.window_minutes),
            thresholds={"addresses": parameters.identifiers_min, "unknown": parameters.unknown_min},
        )
        self._prefixes = parameters.ipv4_prefix, parameters.ipv6_prefix

    def marks(self, event: Event) -> list[Mark]:
        """See `CountingRule`."""
        marks = [mark for mark in _people(event, *self._prefixes) if mark.kind == "addresses"]
        if event.event_type is EventType.SIGN_IN_DECOYED:
            marks += [Mark(mark.key, "unknown", mark.identity) for mark in marks]
        return marks

    def title(self, counts: dict[str, int]) -> str:
        """See `CountingRule`."""
        tried, unknown = counts.get("addresses", 0), counts.get("unknown", 0)
        return f"{tried} identifiers were tried from one network, {unknown} of them unknown"


class FatigueRule(CountingRule):
    """See `FATIGUE`."""

    def __init__(self, parameters: FatigueParameters) -> None:
        super().__init__(
            FATIGUE,
            frozenset(
                {
                    EventType.SIGN_IN_FAILED,
                    EventType.STEP_UP_FAILED,
                    EventType.CHALLENGE_REJECTED,
                    EventType.CHALLENGE_SENT,
                    EventType.CHALLENGE_RESENT,
                }
            ),
            window=minutes(parameters.window_minutes),
            thresholds={"declined": parameters.declined_min, "challenged": parameters.challenged_min},
        )

    def marks(self, event: Event) -> list[Mark]:
        """See `CountingRule`."""
        person = _person(event)
        if person is None:
            return []
        if event.event_type in (EventType.CHALLENGE_SENT, EventType.CHALLENGE_RESENT):
            return [Mark(person, "challenged", event.event_id)] if event.outcome is Outcome.SUCCESS else []
        # An attempt is declined once, whoever tells of it.
        return [Mark(person, "declined", event.attempt_id or event.event_id)] if event.reason == DECLINED else []

    def title(self, counts: dict[str, int]) -> str:
        """See `CountingRule`."""
        declined, challenged = counts.get("declined", 0), counts.get("challenged", 0)
        return f"One person was asked {challenged} times and declined {declined} times"


class RefreshReuseRule(CountingRule):
    """See `REFRESH_REUSE`."""

    def __init__(self) -> None:
        super().__init__(
            REFRESH_REUSE,
            frozenset({EventType.SESSION_REFRESH_REUSED}),
            window=REUSE_WINDOW,
            thresholds={"reused": 1},
        )

    def marks(self, event: Event) -> list[Mark]:
        """See `CountingRule`."""
        return [Mark(event.session_ref or _person(event) or event.event_id, "reused", event.event_id)]

    def title(self, counts: dict[str, int]) -> str:
        """See `CountingRule`."""
        times = counts["reused"]
        return "A refresh token was used twice" if times == 1 else f"Used refresh tokens of a session came again {times} times"


# Two rules ask of every event, and many events come from few addresses.
@lru_cache(maxsize=65_536)
def network_of(address: str, ipv4_prefix: int, ipv6_prefix: int) -> str | None:
    """Return the network that an address counts with, the address itself where that is all of it; None for no address."""
    try:
        host = ip_address(address)
    except ValueError:
        return None
    network = ip_network((host, ipv4_prefix if host.version == 4 else ipv6_prefix), strict=False)
    return str(host) if network.num_addresses == 1 else str(network)


def _people(event: Event, ipv4_prefix: int, ipv6_prefix: int) -> list[Mark]:
    subject, client = event.subject, event.client
    if subject is None or client is None or client.ip is None:
        return []
    network = network_of(client.ip, ipv4_prefix, ipv6_prefix)
    if network is None:
        return []
    named = (("accounts", subject.sub), ("addresses", subject.email_hash))
    return [Mark(network, kind, identity) for kind, identity in named if identity]


def _person(event: Event) -> str | None:
    return (event.subject.sub or event.subject.email_hash) if event.subject is not None else None
