"""``python -m services.audit [serve|migrate|check|recount|compact|rewrap] --settings FILE``."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from typing import Final

import asyncpg

from services.audit.app import create_app
from services.audit.checking.check import Check, CheckFailed
from services.audit.checking.store import CheckStore, Quarantined
from services.audit.commands.progress import terminal_progress
from services.audit.settings import AuditSettings
from services.audit.storage.counts import CountsIrreplaceable, forget_counts
from services.audit.storage.database import DatabaseUnavailable, QueryTooSlow, open_pool
from services.audit.storage.keys import KeyRing, KeyUnusable
from services.audit.storage.maintain import MaintenanceFailed, compact, rewrap
from services.audit.storage.migrate import MigrationFailed, migrate
from shared.serving import run_service
from shared.settings import SettingsError, load, read_keys, read_secrets


def main() -> None:
    """Serve, or do one of the operator's works and end."""
    if sys.argv[1:2] and sys.argv[1] in WORKS:
        _work(sys.argv[1], sys.argv[2:])
        return
    if sys.argv[1:2] == ["serve"]:
        del sys.argv[1]
    run_service("audit", AuditSettings, create_app, epilog=_epilog())


def _epilog() -> str:
    works = {
        "serve": "Consume, seal and answer: the same as without a word.",
        **{name: work[0] for name, work in WORKS.items()},
    }
    lines = [f"  {name:<9}{description}" for name, description in works.items()]
    return "\n".join(["works: python -m services.audit WORK --settings FILE", *lines])


def _work(name: str, arguments: list[str]) -> None:
    description, work = WORKS[name]
    parser = argparse.ArgumentParser(prog=f"python -m services.audit {name}", description=description)
    parser.add_argument("--settings", required=True, metavar="FILE", help="TOML file")
    options = parser.parse_args(arguments)
    try:
        settings = load(AuditSettings, options.settings)
        lines = work(settings)
    except (SettingsError, MigrationFailed, MaintenanceFailed, KeyUnusable, CountsIrreplaceable, CheckFailed) as error:
        sys.exit(f"audit: {error}")
    except (OSError, asyncpg.PostgresError, DatabaseUnavailable, QueryTooSlow) as error:
        sys.exit(f"audit: the database does not answer: {error}")
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _owner_url(settings: AuditSettings) -> str:
    return read_secrets(settings.owner_database_url_file)[0]


def _migrate(settings: AuditSettings) -> list[str]:
    applied = asyncio.run(migrate(_owner_url(settings)))
    return [f"applied {migration.version:04} {migration.name}" for migration in applied] or ["nothing to apply"]


def _check(settings: AuditSettings) -> list[str]:
    entry_count, quarantined = asyncio.run(_check_all(settings))
    lines = [f"searches, counts and records say what the log says: {entry_count:,} entries"]
    if quarantined.line_count:
        lines.append(
            f"cannot be checked: lines in quarantine, {quarantined.line_count:,}; {quarantined.unread_count:,} of them name no"
            " producer, and nothing would miss these"
        )
    return lines


async def _check_all(settings: AuditSettings) -> tuple[int, Quarantined]:
    url = read_secrets(settings.database_url_file)[0]
    pool = await open_pool(url, name="audit-check", connections_max=1, plans_each=True)
    try:
        store, ring = CheckStore(pool), KeyRing(read_keys(settings.entry_key_file))
        entry_count = await Check(store, ring, terminal_progress("checked", is_quiet=False)).run()
        return entry_count, await store.quarantined()
    finally:
        await pool.close()


def _compact(settings: AuditSettings) -> list[str]:
    tables, has_checkpoint = asyncio.run(compact(_owner_url(settings)))
    if not tables:
        return ["nothing to compact"]
    lines = [f"compacted {table}" for table in tables]
    if not has_checkpoint:
        lines.append("the old files go with the server's next checkpoint: this role may not ask for one")
    return lines


def _rewrap(settings: AuditSettings) -> list[str]:
    count = asyncio.run(rewrap(_owner_url(settings), KeyRing(read_keys(settings.entry_key_file))))
    return [f"{count} keys are under the first key of {settings.entry_key_file}"]


def _recount(settings: AuditSettings) -> list[str]:
    asyncio.run(_forget_counts(_owner_url(settings)))
    return ["the counts are dropped; the running service counts the log from its beginning"]


async def _forget_counts(owner_url: str) -> None:
    pool = await open_pool(owner_url, name="audit-recount", connections_max=1)
    try:
        await forget_counts(pool)
    finally:
        await pool.close()


WORKS: Final[dict[str, tuple[str, Callable[[AuditSettings], list[str]]]]] = {
    "migrate": ("Apply the migrations.", _migrate),
    "check": ("Compare what is searched, counted and acted on with the entries.", _check),
    "recount": ("Have the hourly counts made anew.", _recount),
    "compact": ("Make what was erased go from the database's files.", _compact),
    "rewrap": ("Wrap the keys of persons under the first key of entry_key_file.", _rewrap),
}


if __name__ == "__main__":
    main()
