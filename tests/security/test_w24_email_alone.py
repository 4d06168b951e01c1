"""W24: a mailbox is all it takes, whatever is at stake."""

from typing import Any

from tests.integration.gateway.factors import Factors
from tests.integration.gateway.payer import ACTION, Payer
from tests.integration.gateway.person import SESSION, Person
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault


def passkeys_only(action: str) -> dict[str, Any]:
    """Return a rule that takes passkeys alone for an action."""
    return {"name": "Passkeys", "type": "CHALLENGE", "action": action, "verification_methods": ["PASSKEY"]}


async def test_w24_a_sensitive_action_can_ask_for_more(payer: Payer, factors: Factors, authsignal: Authsignal) -> None:
    """Where the rules want a passkey, the mailbox approves nothing: no code is offered, sent or taken; the passkey does."""
    key = (await factors.add(payer.person, "PASSKEY")).key
    await authsignal.control("POST", "/rules", passkeys_only(ACTION))
    mailed = len(await payer.person.codes())
    step_up = await payer.ask()
    path = f"/v1/step-ups/{step_up['id']}"

    sent = await payer.person.call("POST", path + "/challenges", {"method": "EMAIL_OTP"})
    typed = await payer.prove(step_up, "123456")
    token = await authsignal.earn_by_key(step_up["sdk"]["token"], key, "PASSKEY")
    proven = await payer.person.call("POST", path + "/completions", {"token": token})

    assert step_up["methods"] == ["PASSKEY"]
    assert (sent.status, typed.status) == (400, 400)
    assert len(await payer.person.codes()) == mailed
    assert (proven.body["status"], (await payer.spend(step_up)).status) == ("verified", 200)


async def test_w24_so_can_signing_in(person: Person, factors: Factors, authsignal: Authsignal, vault: Vault) -> None:
    """Where the rules want a passkey to sign in, no code goes to the mailbox, and none is taken, however one asks."""
    await person.sign_up()
    await factors.add(person, "PASSKEY")
    await authsignal.control("POST", "/rules", passkeys_only("signIn"))
    mailed = len(await person.codes())
    browser = person.stranger()
    attempt = await browser.begin("sign-ins")
    await vault.change_attempt(attempt["id"], resend_at=0.0)

    resent = await browser.call("POST", f"/v1/attempts/{attempt['id']}/challenges", {"method": "EMAIL_OTP"})
    typed = await browser.verify(attempt["id"], await person.code())

    assert (resent.status, typed.code) == (202, "invalid_code")
    assert len(await person.codes()) == mailed
    assert SESSION not in browser.cookies
