"""What holds for every file of the repository."""

import re
import subprocess
from pathlib import Path

import pytest

from deploy.local.layout import REPOSITORY

# A place on somebody's machine has no business in a repository that others clone.
MACHINE_PATH = re.compile(r"(?<![\w.<>{}$~/:-])/(?:home|root|Users|work|mnt|tmp)/[A-Za-z0-9._-]+")
REGISTRY = re.compile(
    r"registry\.npmjs\.org|files\.pythonhosted\.org|pypi\.org/simple|registry\.yarnpkg\.com|artifactory|nexus\.", re.I
)
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
SKIPPED = re.compile(r"pytest\.mark\.(?:skip|xfail)|pytest\.skip\(|\b(?:it|test|describe)\.(?:skip|only|todo)\(")
BINARY = {".png", ".jpg", ".ico", ".woff2", ".gz", ".zip", ".svg"}
LOCK_FILES = ("requirements/dev.txt", "requirements/emulator.txt")


def tracked_files() -> list[Path]:
    """Return every text file that is under version control or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
        text=True,
    )
    files = [REPOSITORY / name for name in listed.stdout.split("\0") if name]
    return [file for file in files if file.is_file() and file.suffix not in BINARY]


def lines_with(pattern: re.Pattern[str], files: list[Path]) -> list[str]:
    """Return the places where a pattern occurs."""
    found = []
    for file in files:
        if file == Path(__file__):  # It names what it looks for.
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if pattern.search(line):
                found.append(f"{file.relative_to(REPOSITORY)}:{number}: {line.strip()[:120]}")
    return found


@pytest.fixture(scope="module")
def files() -> list[Path]:
    """The repository's text files."""
    return tracked_files()


def test_no_path_of_a_machine(files: list[Path]) -> None:
    """No file names a folder of the machine that it was written on."""
    assert lines_with(MACHINE_PATH, files) == []


def test_no_registry(files: list[Path]) -> None:
    """No file names a package registry: where packages come from is the reader's choice."""
    assert lines_with(REGISTRY, files) == []


def test_nothing_is_left_for_later(files: list[Path]) -> None:
    """No code says that it is unfinished."""
    code = [file for file in files if file.suffix in {".py", ".ts", ".tsx", ".css", ".sql", ".yaml", ".toml", ".mjs"}]
    assert lines_with(UNFINISHED, code) == []


def test_no_test_is_skipped(files: list[Path]) -> None:
    """Every test runs, or fails."""
    assert lines_with(SKIPPED, [file for file in files if file.suffix in {".py", ".ts", ".tsx"}]) == []


@pytest.mark.parametrize("name", LOCK_FILES)
def test_python_locks_pin_and_hash(name: str) -> None:
    """Each requirement is one exact version with at least one SHA-256."""
    text = (REPOSITORY / name).read_text(encoding="utf-8").replace("\\\n", " ")
    requirements = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]

    assert len(requirements) > 10
    for requirement in requirements:
        assert re.match(r"^[A-Za-z0-9_.\-\[\],]+==[^ ]+", requirement), requirement
        assert "--hash=sha256:" in requirement, requirement


def test_npm_locks_have_integrity_and_no_address(files: list[Path]) -> None:
    """Each npm lock file pins by integrity and names no place to download from."""
    locks = [file for file in files if file.name == "package-lock.json"]

    assert locks
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert '"resolved"' not in text, lock
        assert text.count('"integrity": "sha512-') > 10, lock


def test_no_module_is_a_giant(files: list[Path]) -> None:
    """No Python module has more than 500 lines."""
    sizes = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in files if file.suffix == ".py"}

    assert {str(file.relative_to(REPOSITORY)): size for file, size in sizes.items() if size > 500} == {}
