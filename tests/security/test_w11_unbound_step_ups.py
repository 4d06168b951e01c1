"""W11: a payment that was never approved, or approved with other details."""

import asyncio
import time
import uuid
from typing import Any

import pytest

from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.payer import TEN, Payer
from tests.integration.gateway.vault import Vault

REFUSALS: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "another amount": ({"context": {**TEN, "amount": "10000.00"}}, 403, "action_blocked", "other_details"),
    "another payee": ({"context": {**TEN, "payee": "Mallory"}}, 403, "action_blocked", "other_details"),
    "a detail less": ({"context": {"amount": "10.00"}}, 403, "action_blocked", "other_details"),
    "a number for text": ({"context": {**TEN, "amount": 10}}, 403, "action_blocked", "other_details"),
    "no details": ({"context": {}}, 403, "action_blocked", "other_details"),
    "another action": ({"action": "withdraw"}, 403, "action_blocked", "other_action"),
    "another person": ({"sub": str(uuid.uuid4())}, 404, "not_found", "other_person"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_w11_what_was_not_approved_is_not_spent(payer: Payer, ledger: Ledger, name: str) -> None:
    """Anything but the very person, action and details is refused and recorded; the approval itself is still good."""
    changes, status, code, reason = REFUSALS[name]
    step_up = await payer.approved()

    answer = await payer.spend(step_up, **changes)

    assert (answer.status, answer.code) == (status, code)
    assert await ledger.told(answer.receipt) == ("step_up.consumed", "denied", reason)
    assert (await payer.spend(step_up)).status == 200


async def test_w11_a_grant_is_spent_once(payer: Payer, ledger: Ledger) -> None:
    """A second try finds the grant used, and so do all but one of many at the same moment."""
    step_up = await payer.approved()

    answers = await asyncio.gather(*(payer.spend(step_up) for _ in range(8)))
    late = await payer.spend(step_up)

    assert sorted(answer.status for answer in answers) == [200] + [409] * 7
    assert (late.status, late.code) == (409, "conflict")
    assert await ledger.told(late.receipt) == ("step_up.consumed", "denied", "already_consumed")
    assert (await payer.person.call("GET", f"/v1/step-ups/{step_up['id']}")).body["grant"] is None


async def test_w11_a_late_grant_is_worth_nothing(payer: Payer, vault: Vault, ledger: Ledger) -> None:
    """Two minutes after the proof the grant is over, for the shop and for its person."""
    step_up = await payer.approved()
    await vault.change_attempt(step_up["id"], grant_expires_at=time.time() - 1)

    answer = await payer.spend(step_up)

    assert (answer.status, answer.code) == (410, "attempt_expired")
    assert await ledger.told(answer.receipt) == ("step_up.consumed", "denied", "expired")
    assert (await payer.person.call("GET", f"/v1/step-ups/{step_up['id']}")).body["grant"] is None


@pytest.mark.parametrize("proof", ["none", "a wrong code"])
async def test_w11_an_unproven_step_up_is_not_spent(payer: Payer, ledger: Ledger, proof: str) -> None:
    """What was asked for and not proven gives no grant."""
    step_up = await payer.ask()
    if proof == "a wrong code":
        wrong = await payer.prove(step_up, await payer.person.wrong_code())
        assert (wrong.code, wrong.body["attempts_left"]) == ("invalid_code", 4)

    answer = await payer.spend(step_up)

    assert (answer.status, answer.code) == (409, "conflict")
    assert await ledger.told(answer.receipt) == ("step_up.consumed", "denied", "not_granted")
