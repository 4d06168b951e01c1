"""The simulator's clock: the machine's, moved by tests and never by anything else."""

import time


class Clock:
    """Unix time plus an offset, so that a test can let a token expire without waiting."""

    def __init__(self) -> None:
        self.offset_seconds = 0.0

    def now(self) -> float:
        """Unix seconds as the simulator sees them."""
        return time.time() + self.offset_seconds

    def advance(self, seconds: float) -> None:
        """Move forward (or back, with a negative number) from where the clock stands."""
        self.offset_seconds += seconds

    def reset(self) -> None:
        """Go back to the machine's time."""
        self.offset_seconds = 0.0
