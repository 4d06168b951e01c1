"""Installing: what is missing is named, and what has not changed is left alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import bootstrap
from deploy.local.errors import StackError
from deploy.local.keys import Keys
from deploy.local.layout import REPOSITORY, Layout
from deploy.local.parts import aws


def tool(folder: Path, name: str, prints: str) -> None:
    """Put a program into a folder that prints one line."""
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{prints}'\n", encoding="ascii")
    program.chmod(0o755)


def test_a_missing_tool_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Node on the path the line says so, and which version to install."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(StackError, match=r"^node is not installed\. Install Node\.js 20\.19, 22\.13, 24 or newer, with npm"):
        bootstrap.require_tools()


@pytest.mark.parametrize("version", ["v18.20.1", "v20.18.3", "v21.7.3", "v22.12.0", "v23.11.0", "nonsense", ""])
def test_an_old_node_is_refused(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Node on which a package of the locks does not run, or that does not say its version, is refused at once."""
    tool(tmp_path, "node", version)
    tool(tmp_path, "npm", "10.0.0")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    with pytest.raises(StackError, match=r"^Node\.js 20\.19, 22\.13, 24 or newer is needed"):
        bootstrap.require_tools()


@pytest.mark.parametrize("version", ["v20.19.0", "v20.20.2", "v22.13.0", "v24.0.0", "v25.1.0", "v26.0.0"])
def test_a_node_that_every_package_takes_is_taken(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The releases that the locks allow are taken."""
    tool(tmp_path, "node", version)
    tool(tmp_path, "npm", "10.0.0")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    bootstrap.require_tools()


@pytest.mark.parametrize("project", bootstrap.BUILT_PROJECTS)
def test_npm_is_told_the_same_releases(project: str) -> None:
    """What both web apps and their locks ask of Node is what is asked here."""
    *older, (major, minor) = bootstrap.NODE_MIN.items()
    asked = " || ".join([*(f"^{one}.{least}.0" for one, least in older), f">={major}.{minor}.0"])
    package, lock = (json.loads((REPOSITORY / project / name).read_text()) for name in ("package.json", "package-lock.json"))

    assert package["engines"] == lock["packages"][""]["engines"] == {"node": asked}


def test_an_old_python_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python below 3.11 is refused, with the way to name another."""
    monkeypatch.setattr(bootstrap, "PYTHON_MIN", (99, 0))

    with pytest.raises(StackError, match="make PYTHON="):
        bootstrap.require_tools()


def test_a_fingerprint_follows_names_and_contents(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another content, another name or another surrounding gives another stamp; the order of the files does not."""
    monkeypatch.setattr(bootstrap, "REPOSITORY", tmp_path)
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a")
    two.write_text("b")
    before = bootstrap.fingerprint([one, two])

    assert bootstrap.fingerprint([two, one]) == before
    assert bootstrap.fingerprint([one, two], also="x") != before
    assert bootstrap.fingerprint([one]) != before
    two.write_text("c")
    assert bootstrap.fingerprint([one, two]) != before


def test_a_build_depends_on_sources_alone(tmp_path: Path) -> None:
    """What installing and building put into the folder does not ask for another build."""
    for name in ("src/main.tsx", "package.json", "dist/index.html", "node_modules/react/index.js"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")

    found = {path.relative_to(tmp_path).as_posix() for path in bootstrap.sources_of(tmp_path)}

    assert found == {"src/main.tsx", "package.json"}


def test_bootstrap_needs_the_standard_library_alone() -> None:
    """Before anything is installed, installing and cleaning import nothing that would have to be installed."""
    for module in ("bootstrap", "clean"):
        code = f"import deploy.local.{module}"
        ran = subprocess.run([sys.executable, "-S", "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, "")


def test_a_missing_emulator_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the emulator's virtual environment the line says what to run."""
    monkeypatch.setattr(aws, "PYTHON", tmp_path / "nowhere")

    with pytest.raises(StackError, match="make install"):
        aws.command(Layout(tmp_path), Keys(tmp_path), 4566)


def test_locks_and_sources_name_no_registry() -> None:
    """No lock says where packages come from, so the repository installs from whatever registry a machine uses."""
    locks = [*REPOSITORY.glob("requirements/*.txt"), *REPOSITORY.glob("services/*/*/package-lock.json")]
    locks += REPOSITORY.glob("tests/contract/js/package-lock.json")

    assert len(locks) >= 4
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert "--index-url" not in text, lock
        assert '"resolved"' not in text, lock
