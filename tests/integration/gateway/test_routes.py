"""Coverage by enumeration: every route that changes state leaves an event behind."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from services.gateway.app import create_api
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import Answer, Person
from tests.integration.gateway.simulator import Authsignal

WRITES = {"post", "put", "patch", "delete"}
Scenario = Callable[[Person, Authsignal], Awaitable[Answer]]


async def _sign_up(person: Person, _: Authsignal) -> Answer:
    return await person.call("POST", "/v1/sign-ups", {"email": person.email})


async def _sign_in(person: Person, _: Authsignal) -> Answer:
    return await person.call("POST", "/v1/sign-ins", {"identifier": person.email})


async def _send(person: Person, _: Authsignal) -> Answer:
    attempt = await person.begin("sign-ups")
    await asyncio.sleep(1.05)
    return await person.call("POST", f"/v1/attempts/{attempt['id']}/challenges", {"method": "EMAIL_OTP"})


async def _verify(person: Person, _: Authsignal) -> Answer:
    return await person.verify((await person.begin("sign-ups"))["id"], await person.code())


async def _complete(person: Person, authsignal: Authsignal) -> Answer:
    await person.sign_up()
    attempt = await person.begin("sign-ins")
    token = await authsignal.earn(attempt["sdk"]["token"], person.email)
    return await person.call("POST", f"/v1/attempts/{attempt['id']}/completions", {"token": token})


async def _cancel(person: Person, _: Authsignal) -> Answer:
    return await person.call("DELETE", f"/v1/attempts/{(await person.begin('sign-ups'))['id']}")


async def _sign_out(person: Person, _: Authsignal) -> Answer:
    await person.sign_up()
    return await person.call("DELETE", "/v1/session")


async def _rename(person: Person, _: Authsignal) -> Answer:
    await person.sign_up()
    return await person.call("PATCH", "/v1/me", {"display_name": "Ada"})


SCENARIOS: dict[str, Scenario] = {
    "POST /v1/sign-ups": _sign_up,
    "POST /v1/sign-ins": _sign_in,
    "POST /v1/attempts/{attempt_id}/challenges": _send,
    "POST /v1/attempts/{attempt_id}/verifications": _verify,
    "POST /v1/attempts/{attempt_id}/completions": _complete,
    "DELETE /v1/attempts/{attempt_id}": _cancel,
    "DELETE /v1/session": _sign_out,
    "PATCH /v1/me": _rename,
}


def writing_routes() -> list[str]:
    """Return every route of the OpenAPI document that may change something."""
    paths = create_api().openapi_schema.to_schema()["paths"]
    return sorted(f"{method.upper()} {path}" for path, item in paths.items() for method in item if method in WRITES)


@pytest.mark.parametrize("route", writing_routes())
async def test_every_write_is_recorded(person: Person, authsignal: Authsignal, ledger: Ledger, route: str) -> None:
    """A successful write carries the receipt of a stored event that names this very route and request."""
    assert route in SCENARIOS, f"{route} is new: say here how it is called, and see that it records an event"

    answer = await SCENARIOS[route](person, authsignal)

    assert answer.status < 300, answer.body
    event = await ledger.promised(answer.receipt)
    assert event.http is not None
    assert f"{event.http.method} {event.http.route.replace(':str', '')}" == route
    assert event.request_id == answer.headers["X-Request-Id"]
    assert event.client is not None
    assert event.client.ip == "127.0.0.1"
