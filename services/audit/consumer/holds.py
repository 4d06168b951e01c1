"""The messages that this process has received and not yet deleted or given back."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from services.audit.reading import Reading


@dataclass(slots=True, eq=False)
class Held:
    """One message. Times are seconds of the monotonic clock; `sent_at` is Unix time, when the producer put it on the queue."""

    message_id: str
    receipt_handle: str
    reading: Reading
    received_at: float
    visible_at: float
    sent_at: float | None = None
    delete_tries: int = 0

    def held_seconds(self) -> float:
        """Return how long ago this message was received."""
        return time.monotonic() - self.received_at


class Holds:
    """What is held, and which of it the heartbeat must renew."""

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}

    def __len__(self) -> int:
        return len(self._held)

    def add(self, held: Held) -> None:
        """Take a message in."""
        self._held[held.receipt_handle] = held

    def drop(self, messages: Iterable[Held]) -> None:
        """Forget messages: deleted, given back, or out of our hands."""
        for held in messages:
            self._held.pop(held.receipt_handle, None)

    def all(self) -> list[Held]:
        """Return everything that is held."""
        return list(self._held.values())

    def due(self, *, before: float) -> list[Held]:
        """Return what others could see again before this moment of the monotonic clock."""
        return [held for held in self._held.values() if held.visible_at < before]
