"""Where Chromium is on this machine, and how tests start it."""

import os
import shutil
from pathlib import Path

from playwright.async_api import expect

from deploy.local.browser import NAMES as _NAMES

# Long, since a wait ends with what it waits for: a busy machine may stand still for seconds.
WAIT_MS = 30_000
expect.set_options(timeout=WAIT_MS)


class ChromiumMissing(Exception):
    """No browser to test with; the message says what to do about it."""


def chromium_path() -> str:
    """
    Absolute path of the browser: the one that the variable CHROMIUM names, else the first on PATH.

    Raises:
        ChromiumMissing: There is none, or CHROMIUM names a file that cannot be run.
    """
    named = os.environ.get("CHROMIUM")
    if named:
        found = shutil.which(named)
        if found is None:
            raise ChromiumMissing(f"CHROMIUM={named} is not a program that can be run")
        return str(Path(found).resolve())
    for name in _NAMES:
        found = shutil.which(name)
        if found is not None:
            return found
    raise ChromiumMissing(f"no browser found: install Chromium, or set CHROMIUM to its path (looked for {', '.join(_NAMES)})")


def chromium_arguments() -> list[str]:
    """Arguments for a browser that talks to this machine alone, and to nobody of its own accord."""
    arguments = [
        "--no-proxy-server",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    ]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium refuses to sandbox a process of the superuser
    return arguments
