"""Coverage by enumeration: every route that changes state leaves an event behind."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from services.gateway.app import create_api
from tests.integration.gateway.account import delete_account
from tests.integration.gateway.business import Business
from tests.integration.gateway.direct_app import DirectApp
from tests.integration.gateway.factors import Factors
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.native_app import NativeApp
from tests.integration.gateway.person import Answer, Person
from tests.integration.gateway.sender import Sender
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault
from tests.stack import RunningStack

WRITES = {"post", "put", "patch", "delete"}
PAYMENT = {"amount": "10.00", "currency": "EUR", "payee": "Shop"}


@dataclass(frozen=True)
class World:
    """What a call may need: somebody, and what stands around the gateway."""

    person: Person
    authsignal: Authsignal
    factors: Factors
    vault: Vault
    stack: RunningStack

    async def extra_factor(self) -> str:
        """Sign up, and return the id of a second factor."""
        sub = (await self.person.sign_up()).body["subject"]["sub"]
        return await self.authsignal.enrol(sub, "SMS", phoneNumber="+46701234567")

    async def direct(self) -> DirectApp:
        """Sign up, and sign in with an app that talks to Cognito itself."""
        await self.person.sign_up()
        app = DirectApp(self.stack, self.authsignal, self.person)
        await app.sign_in()
        return app

    async def step_up(self, **rest: Any) -> dict[str, Any]:
        """Sign up and ask for a payment."""
        await self.person.sign_up()
        asked = {"action": "authorizePayment", "context": PAYMENT, **rest}
        begun: dict[str, Any] = (await self.person.call("POST", "/v1/step-ups", asked)).body
        return begun


Scenario = Callable[[World], Awaitable[Answer]]


async def _sign_up(world: World) -> Answer:
    return await world.person.call("POST", "/v1/sign-ups", {"email": world.person.email})


async def _sign_in(world: World) -> Answer:
    return await world.person.call("POST", "/v1/sign-ins", {"identifier": world.person.email})


async def _passkey(world: World) -> Answer:
    await world.person.sign_up()
    key = (await world.factors.add(world.person, "PASSKEY")).key
    token = await world.authsignal.earn_by_passkey(key, world.stack["authsignal"]["tenant_id"])
    return await world.person.stranger().call("POST", "/v1/sign-ins/passkey", {"token": token})


async def _send(world: World) -> Answer:
    attempt = await world.person.begin("sign-ups")
    await world.vault.change_attempt(attempt["id"], resend_at=0.0)
    return await world.person.call("POST", f"/v1/attempts/{attempt['id']}/challenges", {"method": "EMAIL_OTP"})


async def _verify(world: World) -> Answer:
    return await world.person.verify((await world.person.begin("sign-ups"))["id"], await world.person.code())


async def _complete(world: World) -> Answer:
    await world.person.sign_up()
    attempt = await world.person.begin("sign-ins")
    token = await world.authsignal.earn(attempt["sdk"]["token"], world.person.email)
    return await world.person.call("POST", f"/v1/attempts/{attempt['id']}/completions", {"token": token})


async def _cancel(world: World) -> Answer:
    return await world.person.call("DELETE", f"/v1/attempts/{(await world.person.begin('sign-ups'))['id']}")


async def _sign_out(world: World) -> Answer:
    await world.person.sign_up()
    return await world.person.call("DELETE", "/v1/session")


async def _revoke(world: World) -> Answer:
    await world.person.sign_up()
    other = (await world.person.stranger().sign_in()).body["id"]
    return await world.person.call("DELETE", f"/v1/sessions/{other}")


async def _revoke_all(world: World) -> Answer:
    await world.person.sign_up()
    return await world.person.call("DELETE", "/v1/sessions")


async def _rename(world: World) -> Answer:
    await world.person.sign_up()
    return await world.person.call("PATCH", "/v1/me", {"display_name": "Ada"})


async def _delete_account(world: World) -> Answer:
    await world.person.sign_up()
    return await delete_account(world.person)


async def _refresh(world: World) -> Answer:
    app = NativeApp(world.person)
    await app.sign_in("sign-ups")
    return await app.refresh()


async def _begin_enrolment(world: World) -> Answer:
    await world.person.sign_up()
    return await world.person.call("POST", "/v1/me/authenticators", {"type": "PASSKEY"})


async def _complete_enrolment(world: World) -> Answer:
    await world.person.sign_up()
    begun = (await world.person.call("POST", "/v1/me/authenticators", {"type": "PASSKEY"})).body
    await world.factors.enrol(world.person, "PASSKEY", begun["sdk"]["token"])
    return await world.factors.complete(world.person, begun["id"])


async def _name_factor(world: World) -> Answer:
    return await world.person.call("PATCH", f"/v1/me/authenticators/{await world.extra_factor()}", {"name": "Work"})


async def _remove_factor(world: World) -> Answer:
    return await world.person.call("DELETE", f"/v1/me/authenticators/{await world.extra_factor()}")


async def _step_up(world: World) -> Answer:
    await world.person.sign_up()
    return await world.person.call("POST", "/v1/step-ups", {"action": "authorizePayment", "context": PAYMENT})


async def _send_step_up(world: World) -> Answer:
    step_up = await world.step_up()
    await world.vault.change_attempt(step_up["id"], resend_at=0.0)
    return await world.person.call("POST", f"/v1/step-ups/{step_up['id']}/challenges", {"method": "EMAIL_OTP"})


async def _verify_step_up(world: World) -> Answer:
    step_up = await world.step_up()
    code = {"code": await world.person.code()}
    return await world.person.call("POST", f"/v1/step-ups/{step_up['id']}/verifications", code)


async def _complete_step_up(world: World) -> Answer:
    step_up = await world.step_up()
    token = await world.authsignal.earn(step_up["sdk"]["token"], world.person.email)
    return await world.person.call("POST", f"/v1/step-ups/{step_up['id']}/completions", {"token": token})


async def _consume(world: World) -> Answer:
    await world.authsignal.decide("authorizePayment", "ALLOW")
    step_up = await world.step_up()
    spending = {"sub": (await world.person.call("GET", "/v1/me")).body["sub"], "action": "authorizePayment", "context": PAYMENT}
    return await Business(world.person, world.stack).consume(step_up["id"], spending)


async def _add_direct(world: World) -> Answer:
    return await (await world.direct()).call("POST", "authenticators", {})


async def _remove_direct(world: World) -> Answer:
    app = await world.direct()
    sub = (await world.person.call("GET", "/v1/me")).body["sub"]
    factor = await world.authsignal.enrol(sub, "SMS", phoneNumber="+46701234567")
    return await app.call("DELETE", f"authenticators/{factor}")


async def _authorize_direct(world: World) -> Answer:
    return await (await world.direct()).call("POST", "payments/authorize", PAYMENT)


async def _confirm_direct(world: World) -> Answer:
    app = await world.direct()
    token = (await app.call("POST", "payments/authorize", PAYMENT)).body["authsignalToken"]
    return await app.call("POST", "payments/confirm", {**PAYMENT, "token": await app.earn(token)})


async def _webhook(world: World) -> Answer:
    sender = Sender(world.person, world.stack)
    sender.ip = "127.0.0.1"
    return await sender.send(sender.envelope("authenticator.created", {"userId": str(uuid.uuid4())}))


SCENARIOS: dict[str, Scenario] = {
    "POST /v1/webhooks/authsignal": _webhook,
    "POST /v1/sign-ups": _sign_up,
    "POST /v1/sign-ins": _sign_in,
    "POST /v1/sign-ins/passkey": _passkey,
    "POST /v1/attempts/{attempt_id}/challenges": _send,
    "POST /v1/attempts/{attempt_id}/verifications": _verify,
    "POST /v1/attempts/{attempt_id}/completions": _complete,
    "DELETE /v1/attempts/{attempt_id}": _cancel,
    "DELETE /v1/session": _sign_out,
    "DELETE /v1/sessions": _revoke_all,
    "DELETE /v1/sessions/{session_id}": _revoke,
    "POST /v1/session/refresh": _refresh,
    "PATCH /v1/me": _rename,
    "DELETE /v1/me": _delete_account,
    "POST /v1/me/authenticators": _begin_enrolment,
    "POST /v1/me/enrolments/{enrolment_id}/completions": _complete_enrolment,
    "PATCH /v1/me/authenticators/{authenticator_id}": _name_factor,
    "DELETE /v1/me/authenticators/{authenticator_id}": _remove_factor,
    "POST /v1/step-ups": _step_up,
    "POST /v1/step-ups/{step_up_id}/challenges": _send_step_up,
    "POST /v1/step-ups/{step_up_id}/verifications": _verify_step_up,
    "POST /v1/step-ups/{step_up_id}/completions": _complete_step_up,
    "POST /v1/step-ups/{step_up_id}/consume": _consume,
    "POST /v1/direct/authenticators": _add_direct,
    "DELETE /v1/direct/authenticators/{authenticator_id}": _remove_direct,
    "POST /v1/direct/payments/authorize": _authorize_direct,
    "POST /v1/direct/payments/confirm": _confirm_direct,
}


def writing_routes() -> list[str]:
    """Return every route of the OpenAPI document that may change something."""
    paths = create_api().openapi_schema.to_schema()["paths"]
    return sorted(f"{method.upper()} {path}" for path, item in paths.items() for method in item if method in WRITES)


@pytest.mark.parametrize("route", writing_routes())
async def test_every_write_is_recorded(
    person: Person, authsignal: Authsignal, factors: Factors, vault: Vault, stack: RunningStack, ledger: Ledger, route: str
) -> None:
    """A successful write carries the receipt of a stored event that names this very route and request."""
    assert route in SCENARIOS, f"{route} is new: say here how it is called, and see that it records an event"

    answer = await SCENARIOS[route](World(person, authsignal, factors, vault, stack))

    assert answer.status < 300, answer.body
    event = await ledger.promised(answer.receipt)
    assert event.http is not None
    assert f"{event.http.method} {event.http.route.replace(':str', '')}" == route
    assert event.request_id == answer.headers["X-Request-Id"]
    assert event.client is not None
    assert event.client.ip == "127.0.0.1"
