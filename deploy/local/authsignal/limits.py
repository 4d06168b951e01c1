"""Sliding-window limits. Kept in memory: a restart forgives, as an expired window would."""

from collections import deque


class SlidingWindow:
    """Counts calls by key; a refused call is not counted, so waiting always helps."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, ...], deque[float]] = {}

    def take(self, key: tuple[str, ...], *, now: float, calls_max: int, window_seconds: float) -> bool:
        """
        Count one call, if there is room for it.

        Args:
            key: What is limited, such as method, kind of call and user.
            now: Unix seconds; may go backwards when a test resets the clock.
            calls_max: Calls allowed in any window.
            window_seconds: Length of the window; a call exactly this old has left it.

        Returns:
            Whether the call may go ahead.
        """
        calls = self._calls.setdefault(key, deque())
        while calls and not now - window_seconds < calls[0] <= now:
            calls.popleft()
        if len(calls) >= calls_max:
            return False
        calls.append(now)
        return True

    def clear(self) -> None:
        """Forget every call."""
        self._calls.clear()
