"""Progress on a terminal."""

import sys
import time
from collections.abc import Callable


def terminal_progress(verb: str, *, is_quiet: bool) -> Callable[[int, int], None]:
    """Return what shows a progress line, how much of how much, and how fast; nothing when quiet, or where no terminal is."""
    if is_quiet or not sys.stderr.isatty():
        return lambda done, total: None
    began = time.monotonic()
    shown_at = 0.0

    def show(done: int, total: int) -> None:
        nonlocal shown_at
        now = time.monotonic()
        if done < total and now - shown_at < 0.2:
            return
        shown_at = now
        rate = done / max(now - began, 0.001)
        end = "\n" if done >= total else ""
        sys.stderr.write(f"\r{done:,} of {total:,} entries {verb}, {rate:,.0f}/s\x1b[K{end}")
        sys.stderr.flush()

    return show
