"""
Install what is missing: ``python3 -m deploy.local.bootstrap``.

Runs under the machine's own Python before anything is installed, so it imports the standard library alone. Each part
carries a stamp, the hash of what it was made from; a part whose stamp matches is left alone, so a second run takes
a fraction of a second.
"""

import contextlib
import fcntl
import hashlib
import math
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.layout import DEFAULT_STATE_DIR, REPOSITORY

PYTHON_MIN = (3, 11)
# The least release of each line of Node that every package of the locks takes; a newer line than these is taken as well.
NODE_MIN = {20: 19, 22: 13, 24: 0}
NODE_WORDS = "Node.js 20.19, 22.13, 24 or newer"
STEP_SECONDS_MAX = 1800
# Folders with a package-lock.json; those that also have a build script are built.
NODE_PROJECTS = ("services/gateway/web", "services/audit/console", "tests/contract/js", "tests/system/direct/js")
BUILT_PROJECTS = ("services/gateway/web", "services/audit/console")
# What both web apps are made from, beside their own folder.
SHARED_LOOK = "shared/look"

_NOT_SOURCE = {"node_modules", "dist", "coverage", ".vite"}


def main() -> int:
    """Install everything; return 0, or 1 after one line that says what is missing or failed."""
    try:
        install()
    except StackError as exc:
        print(f"✗ {exc}", file=sys.stderr)
        return 1
    return 0


def install() -> None:
    """
    Bring every installed part to what the repository asks for.

    Raises:
        StackError: A tool is missing, or a step failed; the end of its output is in the text.
    """
    require_tools()
    DEFAULT_STATE_DIR.mkdir(exist_ok=True)
    with _alone():
        _virtual_environment(".venv", "requirements/dev.txt", "Python packages")
        _own_package()
        _virtual_environment(".venv-emulator", "requirements/emulator.txt", "AWS emulator")
        for project in NODE_PROJECTS:
            if (REPOSITORY / project / "package-lock.json").exists():
                _node_packages(REPOSITORY / project)
        for project in BUILT_PROJECTS:
            if (REPOSITORY / project / "package-lock.json").exists():
                _web_build(REPOSITORY / project)


def require_tools() -> None:
    """
    Check for what nobody but the person can install.

    Raises:
        StackError: Python or Node is too old, or Node or npm is missing.
    """
    if sys.version_info < PYTHON_MIN:
        found = ".".join(map(str, sys.version_info[:3]))
        raise StackError(f"Python 3.11 or newer is needed, and this is {found}. Try: make PYTHON=python3.11 run")
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise StackError(f"{tool} is not installed. Install {NODE_WORDS}, with npm.")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    release = re.match(r"v(\d+)\.(\d+)", version)
    if release is None or not _takes_node(int(release[1]), int(release[2])):
        raise StackError(f"{NODE_WORDS} is needed, and this is {version or 'unknown'}.")


def _takes_node(major: int, minor: int) -> bool:
    return major > max(NODE_MIN) or minor >= NODE_MIN.get(major, math.inf)


def fingerprint(paths: Iterable[Path], *, also: str = "") -> str:
    """Hash files by name and content, in a fixed order, together with whatever else the result depends on."""
    digest = hashlib.sha256(also.encode())
    for path in sorted(paths):
        content = path.read_bytes()
        digest.update(f"\0{path.relative_to(REPOSITORY).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def sources_of(folder: Path) -> list[Path]:
    """Return the files that a web build is made from: everything but what installing and building put there."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _NOT_SOURCE]
        found += [Path(parent, name) for name in names]
    return found


def _virtual_environment(name: str, lock: str, title: str) -> None:
    folder = REPOSITORY / name
    stamp = folder / ".installed"
    wanted = fingerprint([REPOSITORY / lock], also=sys.version)
    if _reads(stamp, wanted):
        return
    python = folder / "bin" / "python"
    with _step(title):
        if not python.exists():
            _run([sys.executable, "-m", "venv", str(folder)])
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--require-hashes", "-r", str(REPOSITORY / lock)])
        stamp.write_text(wanted, encoding="ascii")


def _own_package() -> None:
    """Put the command ``countersign`` into the virtual environment, pointing at this working copy."""
    stamp = REPOSITORY / ".venv" / ".own-package"
    wanted = fingerprint([REPOSITORY / "pyproject.toml"], also=str(REPOSITORY))
    if _reads(stamp, wanted) and (REPOSITORY / ".venv/bin/countersign").exists():
        return
    with _step("The countersign command"):
        pip = [str(REPOSITORY / ".venv/bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        # The build tools come from the hashed lock, so nothing is fetched here.
        _run([*pip, "--no-deps", "--no-build-isolation", "--no-index", "--editable", str(REPOSITORY)])
        stamp.write_text(wanted, encoding="ascii")


def _node_packages(folder: Path) -> None:
    stamp = folder / "node_modules" / ".installed"
    wanted = fingerprint([folder / "package.json", folder / "package-lock.json"])
    if _reads(stamp, wanted):
        return
    with _step(f"Node packages of {folder.relative_to(REPOSITORY)}"):
        _run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], folder=folder)
        stamp.write_text(wanted, encoding="ascii")


def _web_build(folder: Path) -> None:
    # The stamp lies outside dist, which the build empties and the gateway serves.
    stamp = folder / "node_modules" / ".built"
    wanted = fingerprint([*sources_of(folder), *sources_of(REPOSITORY / SHARED_LOOK)])
    if _reads(stamp, wanted) and (folder / "dist" / "index.html").exists():
        return
    with _step(f"Web app {folder.relative_to(REPOSITORY)}"):
        _run(["npm", "run", "build", "--silent"], folder=folder)
        stamp.write_text(wanted, encoding="ascii")


def _reads(stamp: Path, wanted: str) -> bool:
    with contextlib.suppress(OSError):
        return stamp.read_text(encoding="ascii") == wanted
    return False


def _run(argv: Sequence[str], *, folder: Path = REPOSITORY) -> None:
    try:
        done = subprocess.run(
            argv,
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=STEP_SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise StackError(f"{' '.join(argv[:3])} could not be run: {exc}") from exc
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-25:])
        raise StackError(f"{' '.join(argv[:4])} failed in {folder}.\n{tail}")


def _environment() -> Mapping[str, str]:
    # Another active virtual environment or a PYTHONPATH would leak into the one being made.
    return {key: value for key, value in os.environ.items() if key not in {"VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH"}}


@contextlib.contextmanager
def _step(title: str) -> Iterator[None]:
    print(f"… {title}", end="\r" if sys.stdout.isatty() else "\n", flush=True)
    started = time.monotonic()
    yield
    print(f"✓ {title} {time.monotonic() - started:.1f} s", flush=True)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Let one installation at a time change the working copy; a second waits for the first."""
    with (DEFAULT_STATE_DIR / "install.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
