"""What the person at the terminal sees: steps on the way up, a table when ready, one line when something is wrong."""

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table


class Progress:
    """Print each step; on a terminal with a spinner while it lasts, elsewhere one plain line at its end."""

    def __init__(self) -> None:
        self._out = Console(highlight=False)
        self._err = Console(stderr=True, highlight=False, soft_wrap=True)

    @contextlib.contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show one step while the block runs, and how long it took when it ends well."""
        started = time.monotonic()
        waiting = self._out.status(escape(text)) if self._out.is_terminal else contextlib.nullcontext()
        with waiting:
            yield
        seconds = time.monotonic() - started
        self._print(f"[green]✓[/] {escape(text)} [dim]{seconds:.1f} s[/]")

    def say(self, text: str) -> None:
        """Print one line."""
        self._print(escape(text))

    def table(self, title: str, rows: Sequence[tuple[str, str, str]]) -> None:
        """Print what runs where: name, address, and what it is for; elsewhere than on a terminal one line each."""
        if not self._out.is_terminal:
            self._print(escape(title))
            for name, address, purpose in rows:
                self._print(escape(f"{name:22}{address:40}{purpose}".rstrip()))
            return
        table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, overflow="fold")  # an address that is cut off cannot be clicked
        table.add_column()
        for name, address, purpose in rows:
            table.add_row(f"[bold]{escape(name)}[/]", f"[cyan]{escape(address)}[/]", f"[dim]{escape(purpose)}[/]")
        self._out.print()
        self._out.print(table)
        self._out.print()

    def fail(self, text: str) -> None:
        """Print what is wrong, to standard error; the first line stands out."""
        first, _, rest = text.partition("\n")
        self._err.print(f"[bold red]✗[/] {escape(first)}")
        if rest:
            self._err.print(f"[dim]{escape(rest)}[/]")

    def _print(self, markup: str) -> None:
        self._out.print(markup, soft_wrap=True)
        # A pipe would keep the lines back until there are 8 KiB of them, and progress is only news at once.
        sys.stdout.flush()
