"""What becomes of a message that was received: decided here, done elsewhere."""

from enum import Enum
from typing import Final

# SQS lets nobody hold a message longer than 12 hours from its receipt; we give it back in good time.
HELD_SECONDS_MAX: Final = 11 * 3600.0
PAUSE_SECONDS_MIN: Final = 0.1
PAUSE_SECONDS_MAX: Final = 5.0
DELETE_TRIES_MAX: Final = 5


class Outcome(Enum):
    """How an attempt to append a message ended. Malformed lines are committed too: into quarantine."""

    COMMITTED = "committed"
    UNAVAILABLE = "unavailable"


class Delivery(Enum):
    """What to do with the message."""

    DELETE = "delete"
    HOLD = "hold"
    RELEASE = "release"


def plan_delivery(outcome: Outcome, *, held_seconds: float, drain_seconds_left: float | None) -> Delivery:
    """
    Decide over one message.

    Args:
        outcome: What the log says.
        held_seconds: How long ago the message was received.
        drain_seconds_left: What is left of the time to finish; None while the service is not stopping.

    Returns:
        DELETE only for what is durable. HOLD keeps it invisible to others and tries again: an outage of the database must not
        count as deliveries, which would push good messages into the dead-letter queue. RELEASE shows it to others at once.
    """
    if outcome is Outcome.COMMITTED:
        return Delivery.DELETE
    if drain_seconds_left is not None and drain_seconds_left <= 0:
        return Delivery.RELEASE
    if held_seconds >= HELD_SECONDS_MAX:
        return Delivery.RELEASE
    return Delivery.HOLD


def next_pause(pause_seconds: float) -> float:
    """Return how long to wait before the next try, given the wait before; start with `PAUSE_SECONDS_MIN`."""
    return min(pause_seconds * 2, PAUSE_SECONDS_MAX)


def should_retry_delete(*, is_sender_fault: bool, tries: int) -> bool:
    """Say whether a refused deletion is worth another try. If not, the message comes again and is dropped as a duplicate."""
    return not is_sender_fault and tries < DELETE_TRIES_MAX
