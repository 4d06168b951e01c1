"""Authsignal is slow, down, or answers rubbish: said clearly, and no try is lost by it."""

import time
from typing import Any

import pytest

from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import SESSION, Person
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault

# The faults, and what the person is told. Times are few, so that the circuit stays closed for the next test.
FAULTS: dict[str, tuple[dict[str, Any], tuple[int, str]]] = {
    "slow": ({"kind": "delay", "delay_ms": 30_000}, (503, "provider_busy")),
    "down": ({"kind": "refuse"}, (503, "provider_busy")),
    "hanging up": ({"kind": "drop"}, (503, "provider_busy")),
    "rubbish": ({"kind": "respond", "status": 200, "body": "<html>"}, (502, "provider_error")),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_code_that_nobody_looked_at_is_not_charged(
    person: Person, authsignal: Authsignal, vault: Vault, ledger: Ledger, name: str
) -> None:
    """When the code could not be checked the tries left are as before, and the same code works afterwards."""
    await person.sign_up()
    person.cookies.pop(SESSION)
    attempt = await person.begin("sign-ins")
    fault, expected = FAULTS[name]
    await authsignal.fault(path_prefix="/v1/verify", times=1, **fault)
    began = time.monotonic()

    answer = await person.verify(attempt["id"], await person.code())

    assert (answer.status, answer.code) == expected
    assert time.monotonic() - began < 15.0
    stored = await vault.attempt(attempt["id"])
    assert (stored.codes_left, stored.status.value, stored.busy_until) == (5, "challenge_required", 0.0)
    assert "provider.call_failed" in await ledger.types_of_attempt(attempt["id"], expect="provider.call_failed")
    if name == "slow":
        await authsignal.reset()
        attempt = await person.begin("sign-ins")
    assert (await person.verify(attempt["id"], await person.code())).status == 200


@pytest.mark.parametrize("name", ["down", "hanging up", "rubbish"])
@pytest.mark.parametrize("kind", ["sign-ups", "sign-ins"])
async def test_an_attempt_that_cannot_begin(person: Person, authsignal: Authsignal, kind: str, name: str) -> None:
    """When no code can be sent, no attempt is begun, and the next try works."""
    await person.sign_up()
    fault, expected = FAULTS[name]
    await authsignal.fault(path_prefix="/v1/challenge", times=1, **fault)
    field = "email" if kind == "sign-ups" else "identifier"

    answer = await person.stranger().call("POST", f"/v1/{kind}", {field: person.email})

    assert (answer.status, answer.code) == expected
    assert "Set-Cookie" not in answer.headers
    assert (await person.stranger().call("POST", f"/v1/{kind}", {field: person.email})).status == 202


async def test_a_resend_that_failed_is_given_back(person: Person, authsignal: Authsignal, vault: Vault) -> None:
    """A resend that Authsignal did not take costs no send and no cool-down; the code sent before still works."""
    await person.sign_up()
    attempt = await person.begin("sign-ins")
    await vault.change_attempt(attempt["id"], resend_at=0.0)
    before = await vault.attempt(attempt["id"])
    await authsignal.fault(path_prefix="/v1/challenge", times=1, kind="refuse")

    answer = await person.call("POST", f"/v1/attempts/{attempt['id']}/challenges", {"method": "EMAIL_OTP"})

    after = await vault.attempt(attempt["id"])
    assert (answer.status, answer.code) == (503, "provider_busy")
    assert (after.sends_left, after.challenge_id) == (before.sends_left, before.challenge_id)
    assert after.resend_at <= time.time()
    assert (await person.verify(attempt["id"], await person.code())).status == 200
