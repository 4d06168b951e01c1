"""How tests find their browser."""

from pathlib import Path

import pytest

from tests.chromium import ChromiumMissing, chromium_path


def _program(folder: Path, name: str) -> Path:
    program = folder / name
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


def test_named_browser_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The program that CHROMIUM names is taken before any on PATH.
    """
    _program(tmp_path, "chromium")
    named = _program(tmp_path, "my-browser")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CHROMIUM", str(named))
    assert chromium_path() == str(named)


def test_names_on_path_are_tried_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without CHROMIUM the first known name on PATH is taken.
    """
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    last = _program(tmp_path, "google-chrome")
    assert chromium_path() == str(last)
    first = _program(tmp_path, "chromium")
    assert chromium_path() == str(first)


@pytest.mark.parametrize("named", ["", "no-such-program"])
def test_missing_browser_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    """
    With no browser to be found the error names CHROMIUM, the variable to set.
    """
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CHROMIUM", named)
    with pytest.raises(ChromiumMissing, match="CHROMIUM"):
        chromium_path()
