"""The whole OpenAPI document against the running gateway: whatever fits it, or nearly does, is answered as it says."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import aiohttp
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.gateway.openapi import DOCUMENT
from tests.integration.gateway.business import Business
from tests.integration.gateway.person import Person
from tests.integration.gateway.process import ServiceProcess
from tests.stack import RunningStack

EXAMPLES = 6
PROMISES = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# One test for each, under a name of its own: `schema.parametrize` gives all the same, and of these pytest-xdist runs one.
FOUND: Iterable[Any] = schemathesis.openapi.from_path(DOCUMENT).get_all_operations()
OPERATIONS = [found.ok() for found in FOUND]


class Member:
    """Somebody signed in, with one object of each kind that a path can name, and the shop that spends their grants."""

    def __init__(self, cookies: str, shop_token: str, ids: dict[str, str]) -> None:
        self.cookies, self.shop_token, self.ids = cookies, shop_token, ids

    def headers(self, path: str) -> dict[str, str]:
        """Return the one credential that a path asks for."""
        return {"Authorization": f"Bearer {self.shop_token}"} if path.endswith("/consume") else {"Cookie": self.cookies}


async def join(gateway: ServiceProcess, stack: RunningStack) -> Member:
    """Sign somebody up, and begin one of everything."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False) as http:
        person = Person(http, gateway.url, stack["mail"]["inbox_url"])
        session = (await person.sign_up()).body["id"]
        begin: Callable[..., Awaitable[Any]] = person.call
        attempt = await person.begin("sign-ins")
        step_up = await begin("POST", "/v1/step-ups", {"action": "authorizePayment"})
        enrolment = await begin("POST", "/v1/me/authenticators", {"type": "PASSKEY"})
        listed = await begin("GET", "/v1/me/authenticators")
        shop = Business(person, stack)
        cookies = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
        async with http.get(f"{gateway.url}/v1/me", headers={"Cookie": cookies}) as answer:
            assert answer.status == 200, "nobody is signed in: every answer would be the same refusal"
    ids = {
        "attempt_id": attempt["id"],
        "step_up_id": step_up.body["id"],
        "enrolment_id": enrolment.body["id"],
        "session_id": session,
        "authenticator_id": listed.body["authenticators"][0]["id"],
    }
    return Member(cookies, shop.token, ids)


@pytest.fixture
def member(gateway: ServiceProcess, stack: RunningStack) -> Member:
    """Somebody signed in; another one for each operation, since some of them sign out."""
    return asyncio.run(join(gateway, stack))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_answer_is_in_the_document(operation: Any, member: Member, gateway: ServiceProcess) -> None:
    """No answer is a server error, or has a status, a type or a body that the document does not name."""

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def keeps_its_promises(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(base_url=gateway.url, headers=member.headers(case.path), checks=PROMISES)
        if case.path_parameters:
            # Once more about something that is really there.
            case.path_parameters.update({name: member.ids[name] for name in case.path_parameters if name in member.ids})
            case.call_and_validate(base_url=gateway.url, headers=member.headers(case.path), checks=PROMISES)

    keeps_its_promises()
