"""A circuit breaker: a provider that keeps failing is left alone for a while, then asked once before all others."""

import time
from collections.abc import Callable


class CircuitOpen(Exception):
    """The provider failed too often just now; nothing was sent."""


class CircuitBreaker:
    """
    Count failures in a row and stop calling at `failures_max`; after `open_seconds` let one call through as a probe.

    Only faults of the provider count (no answer, 5xx, rubbish): a refusal is an answer.
    """

    def __init__(
        self, *, failures_max: int = 10, open_seconds: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._failures_max = failures_max
        self._open_seconds = open_seconds
        self._clock = clock
        self._failures = 0
        self._retry_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls are refused now."""
        return self._failures >= self._failures_max and self._clock() < self._retry_at

    def before_call(self) -> None:
        """
        Ask leave for a call.

        Raises:
            CircuitOpen: The provider is being left alone.
        """
        if self.is_open:
            raise CircuitOpen
        if self._failures >= self._failures_max:
            # Half open: this call is the probe; the others go on being refused until it has an answer.
            self._retry_at = self._clock() + self._open_seconds

    def succeeded(self) -> None:
        """Note that the provider answered."""
        self._failures = 0

    def failed(self) -> None:
        """Note a fault of the provider."""
        self._failures += 1
        if self._failures >= self._failures_max:
            self._retry_at = self._clock() + self._open_seconds
