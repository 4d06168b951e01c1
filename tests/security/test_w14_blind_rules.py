"""W14: rules that see no address, agent or device, and whose outcome nobody heeds."""

from typing import Any

import aiohttp
import pytest

from tests.integration.gateway.person import SESSION, Person
from tests.integration.gateway.simulator import Authsignal
from tests.stack import RunningStack

DEVICE = "5f4dcc3b-5aa7-465d-8327-deb882cf99aa"
THIEF = "203.0.113.66"


async def latest(authsignal: Authsignal, sub: str) -> dict[str, Any]:
    """Return what Authsignal knows of a person's latest action."""
    actions: list[dict[str, Any]] = (await authsignal.control("GET", f"/users/{sub}"))["actions"]
    return max(actions, key=lambda one: float(one["created_at"]))


async def test_w14_rules_see_where_a_request_came_from(person: Person, authsignal: Authsignal) -> None:
    """Address, user agent and device of a sign-in reach the rules."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    headers = {"User-Agent": "Agent/7", "X-Forwarded-For": THIEF}

    await person.stranger().call("POST", "/v1/sign-ins", {"identifier": person.email, "device_id": DEVICE}, headers=headers)

    seen = await latest(authsignal, sub)
    assert (seen["ip_address"], seen["user_agent"], seen["device_id"]) == (THIEF, "Agent/7", DEVICE)


async def test_w14_a_rule_about_an_address_cannot_be_dodged(person: Person, authsignal: Authsignal) -> None:
    """A blocked address stays blocked whatever it claims to forward for; the code alone opens no session."""
    await person.sign_up()
    rule = {"name": "A thief", "type": "BLOCK", "action": "signIn", "conditions": {"==": [{"var": "ip.address"}, THIEF]}}
    await authsignal.control("POST", "/rules", rule)
    headers = {"X-Forwarded-For": f"192.0.2.1, {THIEF}"}
    browser = person.stranger()
    attempt = (await browser.call("POST", "/v1/sign-ins", {"identifier": person.email}, headers=headers)).body

    answer = await browser.verify(attempt["id"], await person.code())

    assert (answer.status, answer.code, SESSION in browser.cookies) == (403, "action_blocked", False)


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
async def test_w14_nobody_chooses_their_address(
    person: Person, authsignal: Authsignal, stack: RunningStack, http: aiohttp.ClientSession, header: str
) -> None:
    """A gateway that is told of no proxy believes no header about where a request came from."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    browser = Person(http, stack["gateway_url"], stack["mail"]["inbox_url"])
    forged = {header: f"for={THIEF}" if header == "Forwarded" else THIEF}

    await browser.call("POST", "/v1/sign-ins", {"identifier": person.email}, headers=forged)

    assert (await latest(authsignal, sub))["ip_address"] == "127.0.0.1"
