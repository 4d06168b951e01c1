"""Connections: one pool a role, opened lazily, so that a service starts and waits while the database is away."""

from typing import Any, Final

import asyncpg

CONNECT_SECONDS_MAX: Final = 5.0
COMMAND_SECONDS_MAX: Final = 30.0

Pool = asyncpg.Pool

# What asyncpg raises when the database is away, restarting, full or too slow: trying again later may work. Everything else
# that it raises is about the statement or its values.
UNAVAILABLE: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.SyntaxOrAccessError,  # Not migrated yet, or a grant is missing: an operator mends it while we wait.
)


class DatabaseUnavailable(Exception):
    """The database cannot be reached or will not answer now: hold what you have and try again."""


class QueryTooSlow(Exception):
    """The statement hit its time limit: the question has to be narrower."""


async def _keep_commits_durable(connection: Any) -> None:
    # "Deleted from the queue only after commit" is worth nothing when a commit may be lost with the power.
    if await connection.fetchval("SELECT current_setting('synchronous_commit')") == "off":
        await connection.execute("SET synchronous_commit = on")


async def _keep_as_set_up(_: Any) -> None:
    """
    Hand a connection on as it is: nothing here changes a session but for a transaction, and who takes a lock gives it back.

    What asyncpg does in place of this is a round trip for each use, and takes back what `_keep_commits_durable` set.
    """


async def open_pool(
    url: str,
    *,
    name: str,
    connections_max: int,
    seconds_max: float = COMMAND_SECONDS_MAX,
    idle_seconds_max: float = 0,
    plans_each: bool = False,
) -> Pool:
    """
    Return a pool that connects when it is first used.

    Args:
        url: PostgreSQL URL.
        name: Shown in ``pg_stat_activity``.
        connections_max: Connections at most.
        seconds_max: A statement that runs longer is cancelled by the server; the client gives up a little later.
        idle_seconds_max: A transaction that stands still for longer is ended by the server: what it held is free again even
            when this process hangs. 0 is no limit.
        plans_each: Plan every statement for its own values, for questions of all sizes: one plan for all of them is some
            hundred times too slow for some.
    """
    pool = asyncpg.create_pool(
        url,
        min_size=0,
        max_size=connections_max,
        timeout=CONNECT_SECONDS_MAX,
        command_timeout=seconds_max + 2,
        max_inactive_connection_lifetime=300,
        init=_keep_commits_durable,
        reset=_keep_as_set_up,
        server_settings={
            "application_name": f"countersign-{name}",
            "statement_timeout": str(int(seconds_max * 1000)),
            "idle_in_transaction_session_timeout": str(int(idle_seconds_max * 1000)),
            "timezone": "UTC",
            "plan_cache_mode": "force_custom_plan" if plans_each else "auto",
        },
    )
    await pool
    return pool


async def run(pool: Pool, sql: str, *values: Any, seconds_max: float | None = None) -> list[Any]:
    """
    Run one statement that cannot be made narrower: a change, or what a change rests on.

    Args:
        pool: Of the role that may.
        sql: The statement.
        values: Its parameters.
        seconds_max: How long it may take, where that is not the limit of the pool.

    Raises:
        DatabaseUnavailable: Try again later; a change may have landed all the same.
    """
    try:
        async with pool.acquire() as connection, connection.transaction():
            if seconds_max is None:
                rows: list[Any] = await connection.fetch(sql, *values)
            else:
                await connection.execute(f"SET LOCAL statement_timeout = {int(seconds_max * 1000)}")
                rows = await connection.fetch(sql, *values, timeout=seconds_max + 2)
    except UNAVAILABLE as error:
        raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error
    return rows


async def fetch(pool: Pool, sql: str, *values: Any) -> list[Any]:
    """
    Run one statement that reads.

    Raises:
        DatabaseUnavailable: Try again later.
        QueryTooSlow: Ask for less.
    """
    try:
        rows: list[Any] = await pool.fetch(sql, *values)
    except asyncpg.QueryCanceledError as error:
        raise QueryTooSlow(str(error)) from error
    except UNAVAILABLE as error:
        raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error
    return rows
