"""The browser of the browser tests: found, installed where that is possible, or asked for in one line."""

import os
import sys
from pathlib import Path

import pytest

from deploy.local import browser
from deploy.local.errors import StackError


def program(folder: Path, name: str, script: str = "") -> None:
    """Put a program into a folder."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    path.chmod(0o755)


@pytest.fixture(autouse=True)
def only_folder_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing of this machine be found, and be root on it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.mark.parametrize("name", browser.NAMES)
def test_a_browser_that_is_there_is_left_alone(name: str, tmp_path: Path) -> None:
    """With any of the known browsers on the path nothing is installed."""
    program(tmp_path, name)
    program(tmp_path, "apt-get", f"echo called > {tmp_path}/called")

    browser.ensure({})

    assert not (tmp_path / "called").exists()


def test_root_on_debian_gets_one_installed(tmp_path: Path) -> None:
    """Without a browser, root's apt brings Chromium, without what it only recommends."""
    made = tmp_path / "chromium"
    script = f'echo "$@" >> {tmp_path}/calls; echo "#!/bin/sh" > {made}; /bin/chmod 755 {made}'
    program(tmp_path, "apt-get", script)

    browser.ensure({})

    assert (tmp_path / "calls").read_text() == "install -y --no-install-recommends chromium\n"


def test_empty_package_lists_are_fetched_once(tmp_path: Path) -> None:
    """Where the package is not known yet, the lists are brought up to date and it is tried again."""
    made, lists = tmp_path / "chromium", tmp_path / "lists"
    install = f'[ -e {lists} ] || exit 100; echo "#!/bin/sh" > {made}; /bin/chmod 755 {made}'
    program(tmp_path, "apt-get", f'if [ "$1" = update ]; then echo > {lists}; else {install}; fi')

    browser.ensure({})

    assert browser.found() == str(made)


def test_an_installation_that_fails_says_what_to_try(tmp_path: Path) -> None:
    """When apt brings no browser the line names the command to try."""
    program(tmp_path, "apt-get", "exit 100")

    with pytest.raises(StackError, match=r"^Chromium could not be installed\. Try: apt-get"):
        browser.ensure({})


@pytest.mark.parametrize("why", ["not root", "no apt"])
def test_whoever_cannot_install_is_told_the_package(why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain user, and a machine without apt, get one line with the package's name and the variable CHROMIUM."""
    if why == "not root":
        program(tmp_path, "apt-get", "exit 1")
        monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(StackError, match=r"Install the package chromium .* CHROMIUM") as raised:
        browser.ensure({})

    assert "\n" not in str(raised.value)


def test_the_named_browser_must_run() -> None:
    """CHROMIUM names a program that can be run, or is refused by name; nothing is installed in its stead."""
    browser.ensure({"CHROMIUM": sys.executable})

    with pytest.raises(StackError, match="CHROMIUM=/no/such/browser"):
        browser.ensure({"CHROMIUM": "/no/such/browser"})
