"""``python -m services.audit [serve|migrate|recount] --settings FILE``."""

import argparse
import asyncio
import sys

import asyncpg

from services.audit.app import create_app
from services.audit.settings import AuditSettings
from services.audit.storage.counts import CountStore
from services.audit.storage.database import DatabaseUnavailable, open_pool
from services.audit.storage.migrate import MigrationFailed, migrate
from shared.serving import run_service
from shared.settings import SettingsError, load, read_secrets


def main() -> None:
    """Serve, bring the database to this release's schema, or have the hourly counts made anew."""
    for name, run in (("migrate", _migrate), ("recount", _recount)):
        if sys.argv[1:2] == [name]:
            run(sys.argv[2:])
            return
    if sys.argv[1:2] == ["serve"]:
        del sys.argv[1]
    run_service("audit", AuditSettings, create_app)


def _migrate(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m services.audit migrate", description="Apply the migrations.")
    parser.add_argument("--settings", required=True, metavar="FILE", help="TOML file")
    options = parser.parse_args(arguments)
    try:
        settings = load(AuditSettings, options.settings)
        applied = asyncio.run(migrate(read_secrets(settings.owner_database_url_file)[0]))
    except (SettingsError, MigrationFailed) as error:
        sys.exit(f"audit: {error}")
    except (OSError, asyncpg.PostgresError) as error:
        sys.exit(f"audit: the database does not answer: {error}")
    for migration in applied:
        sys.stdout.write(f"applied {migration.version:04} {migration.name}\n")
    if not applied:
        sys.stdout.write("nothing to apply\n")


def _recount(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m services.audit recount", description="Make the hourly counts anew.")
    parser.add_argument("--settings", required=True, metavar="FILE", help="TOML file")
    options = parser.parse_args(arguments)
    try:
        settings = load(AuditSettings, options.settings)
        asyncio.run(_forget_counts(read_secrets(settings.clerk_database_url_file)[0]))
    except SettingsError as error:
        sys.exit(f"audit: {error}")
    except DatabaseUnavailable as error:
        sys.exit(f"audit: the database does not answer: {error}")
    sys.stdout.write("the counts are dropped; the running service counts the log from its beginning\n")


async def _forget_counts(clerk_url: str) -> None:
    pool = await open_pool(clerk_url, name="audit-recount", connections_max=1)
    try:
        await CountStore(pool).forget()
    finally:
        await pool.close()


if __name__ == "__main__":
    main()
