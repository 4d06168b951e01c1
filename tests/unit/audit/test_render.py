"""What the commands print: text from outside is shown, and commands nobody's terminal."""

import pytest
from rich.text import Text

from services.audit.commands.render import console, plain_table

HOSTILE = "[red]Ada's phone[/oops] :warning:\x1b[2J\r\nverified  all"
SHOWN = "[red]Ada's phone[/oops] :warning:\ufffd[2J\ufffd\ufffdverified  all"


def test_text_from_outside_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """
    In a line, in the cell of a table and in its head, markup is text, and what a terminal would obey is replaced; a line of
    ours may begin with an empty one.
    """
    screen = console()
    table = plain_table("title", HOSTILE)
    table.add_row(HOSTILE, Text("plain"))
    screen.print(HOSTILE, soft_wrap=True)
    screen.print(table)
    screen.print("\nNext.", style="dim")

    line, head, row, empty, last = capsys.readouterr().out.splitlines()
    assert line == SHOWN
    assert head.rstrip().endswith(SHOWN)
    assert row.startswith(SHOWN)
    assert (empty, last) == ("", "Next.")
