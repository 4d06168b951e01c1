"""``countersign audit retention``: what may be dropped, and dropping it."""

import getpass
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any, Final

import asyncpg
from rich.text import Text

from services.audit.commands.errors import USAGE, CommandFailed
from services.audit.commands.render import console, plain_table, print_json
from services.audit.commands.settings import audit_settings, open_archive, open_trail, run
from services.audit.retention.job import MonthDropped, MonthPlan, Retention, RetentionRefused
from services.audit.retention.statement import month_name
from services.audit.retention.store import MonthChanged, RetentionStore, open_owner
from services.audit.sealing.keys import read_signers
from services.audit.settings import AuditSettings
from shared.settings import read_secrets

MONTH: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


def plan(options: Any) -> None:
    """
    Print each month and what stands against dropping it.

    Raises:
        CommandFailed: Database or archive cannot be asked.
    """
    plans = _run(_plan(audit_settings(options)))
    if options.json:
        for one in plans:
            print_json({"month": month_name(one.facts.month), "entries": one.facts.entry_count, "blocks": one.blocks})
        return
    made = plain_table("month", "entries", "may be dropped", wraps=("may be dropped",))
    for one in plans:
        verdict = Text("yes", style="green") if not one.blocks else Text(f"no: {'; '.join(one.blocks)}")
        made.add_row(month_name(one.facts.month), f"{one.facts.entry_count:,}", verdict)
    console().print(made)


def drop(options: Any) -> None:
    """
    Drop one month.

    Raises:
        CommandFailed: Something stands against it, or it could not be done; the text says which.
    """
    match = MONTH.fullmatch(options.month)
    if match is None:
        raise CommandFailed(f"{options.month} is no month: write 2026-01", USAGE)
    month = date(int(match[1]), int(match[2]), 1)
    dropped: MonthDropped = _run(_drop(audit_settings(options), month))
    if options.json:
        print_json({**dropped._asdict(), "month": options.month})
        return
    sys.stdout.write(dropped.note)
    took = f"{dropped.seconds:.3f} s, and {dropped.total_seconds:.3f} s until their files were gone"
    console().print(f"\nDropped {dropped.entry_count:,} entries in {took}. Their hashes stay in the tree.")


async def _plan(settings: AuditSettings) -> list[MonthPlan]:
    async with _retention(settings) as (retention, store):
        today = datetime.now(UTC).date()
        return [await retention.plan(month, today) for month in await store.months()]


async def _drop(settings: AuditSettings, month: date) -> MonthDropped:
    async with _retention(settings) as (retention, store):
        if month not in await store.months():
            raise CommandFailed(f"there is no {month_name(month)}: see countersign audit retention plan")
        return await retention.drop(month, datetime.now(UTC))


@asynccontextmanager
async def _retention(settings: AuditSettings) -> AsyncIterator[tuple[Retention, RetentionStore]]:
    if settings.log_key_file is None:
        raise CommandFailed("these settings hold no log key, and the statement about what is dropped must be signed", USAGE)
    signers = read_signers(settings.log_key_file, settings.log_origin)
    async with open_archive(settings) as bucket, open_trail(settings) as trail:
        connection = await open_owner(read_secrets(settings.owner_database_url_file)[0])
        try:
            store = RetentionStore(connection)
            yield Retention(settings, store, bucket, trail, signers, getpass.getuser()), store
        finally:
            await connection.close(timeout=5)


def _run(work: Any) -> Any:
    async def wrapped() -> Any:
        try:
            return await work
        except asyncpg.UndefinedTableError as error:
            raise CommandFailed(
                f"the database lacks a table that must be asked first, so nothing is dropped: {error}"
            ) from error
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
            raise CommandFailed("somebody uses this month right now: nothing was dropped, try again") from error
        except (RetentionRefused, MonthChanged) as error:
            raise CommandFailed(str(error)) from error

    return run(wrapped())
