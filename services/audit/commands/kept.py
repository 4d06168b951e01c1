"""Kept searches, found by the name that somebody gave them."""

from typing import Any

from services.audit.commands.client import AuditClient, Params, decoded
from services.audit.commands.errors import USAGE, CommandFailed


def find(client: AuditClient, name: str) -> dict[str, Any]:
    """
    Return the kept search of a name or id.

    Raises:
        CommandFailed: There is none, or there are several of this name.
    """
    every: list[dict[str, Any]] = decoded(client.read("/v1/searches"))["searches"]
    found = [one for one in every if name in (one["id"], one["name"])]
    if len(found) != 1:
        how = "there is no search" if not found else "there are several searches"
        raise CommandFailed(f"{how} called {name}: see countersign audit searches list", USAGE)
    return found[0]


def params_of(client: AuditClient, name: str) -> Params:
    """
    Return the parameters of a kept search.

    Raises:
        CommandFailed: As `find`; or it was emptied, and would find everything.
    """
    params = find(client, name)["params"]
    if not params:
        raise CommandFailed(f"{name} looks for nobody any more: the person whom it named was erased", USAGE)
    return [(key, value) for key, values in params.items() for value in many(values)]


def many(values: str | list[str]) -> list[str]:
    """Return the values of one parameter as a list."""
    return [values] if isinstance(values, str) else values
