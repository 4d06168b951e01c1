"""Every command says what it does, what its arguments mean, and how it is written where that is not plain."""

import re
from collections.abc import Iterator

import pytest

from services.audit.cli import main

COMMAND = re.compile(r"^    ([a-z]+)(?: |$)", re.MULTILINE)
# An argument begins a line, two characters in; its words stand behind it, or deeper on the lines below.
ARGUMENT = re.compile(r"^  (?=-|[A-Z]{2})(.+(?:\n {6,}.+)*)", re.MULTILINE)


def help_of(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> str:
    """Return what a command says of itself."""
    with pytest.raises(SystemExit) as ended:
        main([*path, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def commands(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every command below one, with its help."""
    shown = help_of(path, capsys)
    _, _, listed = shown.partition("\ncommands:\n")
    if not listed:
        yield path, shown
        return
    for name in COMMAND.findall(listed.partition("\n\n")[0]):
        yield from commands((*path, name), capsys)


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Each command has a sentence, each argument has words, a number has a default; what must be given has an example.
    """
    monkeypatch.setenv("COLUMNS", "120")
    every = dict(commands(("audit",), capsys))
    assert len(every) > 30

    for path, shown in every.items():
        usage, sentences, *sections = shown.strip().split("\n\n")
        assert sentences.endswith("."), path
        arguments = [re.split(r"\s{2,}", found, maxsplit=1) for section in sections for found in ARGUMENT.findall(section)]
        assert all(len(argument) == 2 for argument in arguments), path
        numbers = [words for name, words in arguments if name.endswith((" N", " SECONDS"))]
        assert all("(default: " in words for words in numbers), path
        is_plain = usage.endswith("]") and " --" not in re.sub(r"\[[^]]*\]", "", usage)
        has_example = any(line.startswith(f"  countersign {' '.join(path)}") for line in shown.splitlines())
        assert is_plain or has_example, path
