"""What somebody does with their own account."""

import time
from typing import Any

from tests.integration.gateway.person import SESSION, Person
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault

PATH = "/v1/me/authenticators"


async def listed(person: Person) -> list[dict[str, Any]]:
    """Return somebody's authenticators, as they see them."""
    found: list[dict[str, Any]] = (await person.call("GET", PATH)).body["authenticators"]
    return found


async def extra(person: Person, authsignal: Authsignal) -> str:
    """Sign somebody up with a second factor; return its id."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    return await authsignal.enrol(sub, "SMS", phoneNumber="+46701234567")


async def age(person: Person, vault: Vault) -> None:
    """Let five minutes pass since the person of a session proved a factor."""
    await vault.change_session(person.cookies[SESSION], proven_at=time.time() - 301)
