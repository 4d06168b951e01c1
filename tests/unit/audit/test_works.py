"""The command of the audit service says what it can do."""

import sys

import pytest

from services.audit.__main__ import WORKS, main


def test_help_names_every_work(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Whoever asks for help is told to serve and each of the works, with what it does.
    """
    monkeypatch.setattr(sys, "argv", ["services.audit", "--help"])

    with pytest.raises(SystemExit, match="0"):
        main()

    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert {"serve", *WORKS} <= {line[0] for line in lines}
    assert {description for description, _ in WORKS.values()} <= {line[-1].rstrip() for line in lines}
