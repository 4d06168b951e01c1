"""What somebody does with their own account."""

import asyncio
import time
from typing import Any

import aiohttp

from tests.integration.gateway.person import SESSION, Answer, Person
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault
from tests.stack import RunningStack

PATH = "/v1/me/authenticators"
NOTICE_SECONDS_MAX = 30.0


async def listed(person: Person) -> list[dict[str, Any]]:
    """Return somebody's authenticators, as they see them."""
    found: list[dict[str, Any]] = (await person.call("GET", PATH)).body["authenticators"]
    return found


async def delete_account(person: Person) -> Answer:
    """Ask for the end of one's account, by its id."""
    sub = (await person.call("GET", "/v1/session")).body["subject"]["sub"]
    return await person.call("DELETE", f"/v1/me?sub={sub}")


async def extra(person: Person, authsignal: Authsignal) -> str:
    """Sign somebody up with a second factor; return its id."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    return await authsignal.enrol(sub, "SMS", phoneNumber="+46701234567")


async def age(person: Person, vault: Vault) -> None:
    """Let five minutes pass since the person of a session proved a factor."""
    await vault.change_session(person.cookies[SESSION], proven_at=time.time() - 301)


async def notice(http: aiohttp.ClientSession, stack: RunningStack, person: Person, word: str) -> str:
    """Return the text of the mail whose subject has a word in it."""
    deadline = time.monotonic() + NOTICE_SECONDS_MAX
    while True:
        async with http.get(f"{stack['mail']['inbox_url']}/api/messages?to={person.email}") as answer:
            for message in await answer.json():
                if word in message["subject"]:
                    return str(message["text"])
        assert time.monotonic() < deadline, f"no mail about {word}"
        await asyncio.sleep(0.05)
