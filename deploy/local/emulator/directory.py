"""
User names, as AWS compares them.

In a pool whose user names are not case-sensitive, AWS finds A@Example.test under a@example.test, and refuses to make the
second account. ministack compares the sign-in attributes to the letter, so it would make both.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import cognito

from deploy.local.emulator.wrapping import wrap

Lookup = Callable[[dict[str, Any], Any], tuple[Any, Any]]


def apply() -> None:
    """Put the correction in place."""
    wrap(cognito, "_resolve_user", _resolve_user)


def _resolve_user(original: Lookup, pool: dict[str, Any], username: Any) -> tuple[Any, Any]:
    user, error = original(pool, username)
    if user is not None or not isinstance(username, str) or _case_sensitive(pool):
        return user, error
    wanted = username.lower()
    for candidate in pool["_users"].values():
        attributes = cognito._attr_list_to_dict(candidate.get("Attributes", []))
        if any(str(attributes.get(name, "")).lower() == wanted for name in pool.get("UsernameAttributes") or ()):
            return candidate, None
    return None, error


def _case_sensitive(pool: dict[str, Any]) -> bool:
    # A JSON template carries a boolean, a YAML one goes through CloudFormation as text.
    return str((pool.get("UsernameConfiguration") or {}).get("CaseSensitive", True)).lower() != "false"
