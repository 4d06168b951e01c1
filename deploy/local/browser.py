"""
Bring the browser that the browser tests run in: ``python3 -m deploy.local.browser``.

Part of ``make test`` alone: running the product needs no browser of its own. Runs under the machine's own Python before
anything is installed, so it imports the standard library alone.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping

from deploy.local.errors import StackError

# The programs that tests take, in the order in which they are looked for.
NAMES = ("chromium", "chromium-browser", "google-chrome")
PACKAGE = "chromium"
INSTALL_SECONDS_MAX = 900


def main() -> int:
    """Make sure of a browser; return 0, or 1 after one line that says what to install."""
    try:
        ensure()
    except StackError as exc:
        print(f"✗ {exc}", file=sys.stderr)
        return 1
    return 0


def ensure(environment: Mapping[str, str] = os.environ) -> None:
    """
    Install Chromium when no browser is found and this is root on a machine with apt; otherwise name the package.

    Raises:
        StackError: There is no browser, and none could be installed.
    """
    named = environment.get("CHROMIUM")
    if named:
        if shutil.which(named) is None:
            raise StackError(f"CHROMIUM={named} is not a program that can be run. Unset it, or name one that can.")
        return
    if found():
        return
    apt_get = shutil.which("apt-get")
    if apt_get is None or os.geteuid() != 0:
        raise StackError(
            f"The browser tests need Chromium, and there is none. Install the package {PACKAGE} "
            f"(sudo apt-get install {PACKAGE}), or set CHROMIUM to the path of a browser."
        )
    print("… Chromium, for the browser tests", flush=True)
    if not _run(apt_get, "install", "-y", "--no-install-recommends", PACKAGE):
        # The usual reason on a fresh machine: its lists of packages are empty or old.
        _run(apt_get, "update")
        _run(apt_get, "install", "-y", "--no-install-recommends", PACKAGE)
    if not found():
        raise StackError(f"Chromium could not be installed. Try: apt-get update && apt-get install {PACKAGE}")
    print("✓ Chromium", flush=True)


def found() -> str | None:
    """Return the path of the first browser on PATH, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def _run(*argv: str) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=INSTALL_SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
