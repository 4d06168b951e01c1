"""The packages of the app, and the app as one script for a page."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "js"


def require_packages() -> None:
    """Fail with a clear line if the packages are not installed."""
    if not (FOLDER / "node_modules" / "@aws-sdk").is_dir():
        raise AssertionError("the JavaScript SDKs are missing: run `make install` (npm ci in tests/system/direct/js)")


@cache
def bundle() -> bytes:
    """Return the app with both SDKs in it, as a browser's bundler makes it of the unmodified packages."""
    require_packages()
    command = ["node_modules/.bin/esbuild", "app.mjs", "--bundle", "--format=esm", "--log-level=error"]
    return subprocess.run(command, cwd=FOLDER, capture_output=True, check=True).stdout


def node() -> str:
    """Return the path of Node."""
    found = shutil.which("node")
    assert found is not None, "node is missing: install Node 20 or newer"
    return found
