"""
A factor removed soon after a sign-in from a new device: what somebody does who got in once and wants to stay.

Which devices a person used is not remembered for everybody all the time: a removal is rare, so its person's sign-ins are read
when one comes. They are the history that `judge` is given, and the finding depends on nothing else.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from services.audit.detections.model import LATE, About, Alert, Record, Severity, make_alert, subject_of, window_of
from services.audit.detections.parameters import TakeoverParameters, minutes
from shared.events import EventType, Outcome

TAKEOVER: Final = About(
    "factor_removed_from_new_device",
    1,
    "Factor removed from a new device",
    "A person signs in from a device that they did not use lately, and soon after that one of their factors is removed.",
    Severity.HIGH,
)
TRIGGER: Final = EventType.AUTHENTICATOR_REMOVED
HISTORY: Final = EventType.SIGN_IN_SUCCEEDED
WINDOW: Final = timedelta(days=1)


class TakeoverRule:
    """See `TAKEOVER`."""

    def __init__(self, parameters: TakeoverParameters) -> None:
        self.about = TAKEOVER
        self.types = frozenset({TRIGGER})
        self._within = minutes(parameters.within_minutes)
        self.history_reach = timedelta(days=parameters.known_days) + LATE

    def needs_history(self, record: Record) -> str | None:
        """Return whose sign-ins `judge` wants to see: those of `history_reach` before the event, sealed before it."""
        is_removal = record.event.event_type is TRIGGER and record.event.outcome is Outcome.SUCCESS
        return subject_of(record.event) if is_removal else None

    def judge(self, removal: Record, history: Sequence[Record]) -> Alert | None:
        """
        Say whether a removal came soon after a sign-in from a new device.

        Args:
            removal: An event of which `needs_history` named somebody.
            history: That person's sign-ins, in the order of the log. What was sealed after the removal does not count.
        """
        at = removal.event.occurred_at
        sign_ins = [one for one in history if one.leaf_index < removal.leaf_index and one.event.occurred_at <= at]
        late = [one for one in sign_ins if at - one.event.occurred_at <= self._within]
        known = {_device(one) for one in sign_ins if at - one.event.occurred_at > self._within}
        new = [one for one in late if _device(one) not in known]
        # Who was never seen before has no other device that this one could be told from.
        if not new or not known:
            return None
        person = subject_of(removal.event) or ""
        apart = round((at - new[-1].event.occurred_at).total_seconds() / 60)
        return make_alert(
            self.about,
            person,
            str(window_of(at, WINDOW)),
            (*new, removal),
            title=f"A factor was removed {apart} minutes after a sign-in from a new device",
            minutes=apart,
            known_devices=len(known),
        )


def _device(record: Record) -> tuple[str, ...]:
    """Return what tells a person's devices apart: the id that the browser keeps, or what else is known of it."""
    client = record.event.client
    if client is None:
        return ()
    return (client.device_id,) if client.device_id else (client.user_agent or "", client.country or "")
