"""Step-ups: one action with its very details, asked for, proven, and spent once by a business service."""

from typing import Any

import aiohttp
import jwt
import pytest

from tests.integration.gateway.business import Business
from tests.integration.gateway.factors import SIGNED, TYPED, Factors
from tests.integration.gateway.fixtures import People
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.payer import ACTION, TEN, Payer, hashed
from tests.integration.gateway.person import SESSION
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault
from tests.stack import RunningStack


async def test_approve_ten_and_spend_ten(payer: Payer, ledger: Ledger) -> None:
    """A payment that its person proved is spent once by the shop, and the log names both, and the hash of the details."""
    step_up = await payer.ask()
    proven = await payer.prove(step_up)

    spent = await payer.spend(step_up)

    assert (step_up["status"], step_up["next"], step_up["grant"]) == ("challenge_required", "code", None)
    assert (proven.body["status"], proven.body["next"]) == ("verified", "done")
    assert (spent.status, spent.body) == (200, {"ok": True, "id": step_up["id"], "sub": payer.sub, "action": ACTION})
    event = await ledger.promised(spent.receipt)
    assert event.actor is not None
    assert (event.actor.kind, event.actor.id, event.outcome.value) == ("service", "demo-shop", "success")
    assert event.data["context_hash"] == hashed(TEN)
    types = await ledger.types_of_attempt(step_up["id"], expect="step_up.consumed")
    assert [kind for kind in types if kind.startswith("step_up")] == [
        "step_up.requested",
        "step_up.challenged",
        "step_up.succeeded",
        "step_up.consumed",
    ]
    # The first code is the first, though the action was tracked before it.
    assert ("challenge.sent" in types, "challenge.resent" in types) == (True, False)


@pytest.mark.parametrize("token", ["", "x" * 64, "local"])
async def test_only_business_services_spend(payer: Payer, stack: RunningStack, ledger: Ledger, token: str) -> None:
    """A wrong credential, the person's own included, spends nothing; that somebody tried is recorded."""
    step_up = await payer.approved()

    answer = await Business(payer.person, stack, token=token).consume(
        step_up["id"], {"sub": payer.sub, "action": ACTION, "context": TEN}
    )
    own = await payer.person.call(
        "POST", f"/v1/step-ups/{step_up['id']}/consume", {"sub": payer.sub, "action": ACTION, "context": TEN}
    )

    for one in (answer, own):
        assert (one.status, one.code) == (401, "unauthorized")
        assert await ledger.told(one.receipt) == ("step_up.consumed", "denied", "unknown_credential")
    assert (await payer.spend(step_up)).status == 200


async def test_a_sign_in_is_no_step_up(payer: Payer, ledger: Ledger) -> None:
    """The id of a sign-in cannot be spent, read or answered as a step-up."""
    attempt = await payer.person.begin("sign-ins")

    spent = await payer.spend(attempt)
    read = await payer.person.call("GET", f"/v1/step-ups/{attempt['id']}")

    assert (spent.status, read.status) == (404, 404)
    assert await ledger.told(spent.receipt) == ("step_up.consumed", "denied", "not_a_step_up")


async def test_a_step_up_is_no_sign_in(payer: Payer) -> None:
    """The id of a step-up cannot be answered as a sign-in, by its own person either."""
    step_up = await payer.ask()

    answer = await payer.person.verify(step_up["id"], await payer.person.code())

    assert (answer.status, answer.code) == (404, "not_found")


OUTCOMES = {
    "ALLOW": ("allowed", 200, "step_up.allowed"),
    "REVIEW": ("review", 409, "step_up.under_review"),
    "BLOCK": ("blocked", 409, "step_up.blocked"),
}


@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_rules_decide(payer: Payer, authsignal: Authsignal, ledger: Ledger, outcome: str) -> None:
    """What the rules allow has its grant at once; what they block, or send to a review, has none and sends no code."""
    status, spent, event = OUTCOMES[outcome]
    await authsignal.decide(ACTION, outcome)
    mailed = len(await payer.person.codes())

    step_up = await payer.ask()
    answer = await payer.spend(step_up)

    assert (step_up["status"], step_up["grant"] is not None, step_up["next"]) == (status, outcome == "ALLOW", "done")
    assert answer.status == spent
    assert len(await payer.person.codes()) == mailed
    assert event in await ledger.types_of_attempt(step_up["id"], expect=event)


async def test_rules_see_the_details(payer: Payer, authsignal: Authsignal) -> None:
    """A rule about the amount decides differently over ten and ten thousand."""
    rule = {
        "name": "Large payments",
        "type": "BLOCK",
        "action": ACTION,
        "conditions": {"==": [{"var": "custom.amount"}, "10000.00"]},
    }
    await authsignal.control("POST", "/rules", rule)

    statuses = [(await payer.ask({**TEN, "amount": amount}))["status"] for amount in ("10.00", "10000.00")]

    assert statuses == ["challenge_required", "blocked"]


async def test_a_grant_is_checked_offline(payer: Payer, http: aiohttp.ClientSession) -> None:
    """Whoever has the published keys can check a grant: who, what, which details, how proven, until when."""
    proven = await payer.approved()
    async with http.get(f"{payer.person.url}/.well-known/jwks.json") as answer:
        keys = jwt.PyJWKSet.from_dict(await answer.json())
    header = jwt.get_unverified_header(proven["grant"])

    claims = jwt.decode(proven["grant"], keys[header["kid"]].key, algorithms=["EdDSA"], issuer=payer.person.url)

    assert {name: claims[name] for name in ("sub", "action", "ctx", "amr", "jti")} == {
        "sub": payer.sub,
        "action": ACTION,
        "ctx": hashed(TEN),
        "amr": ["EMAIL_OTP"],
        "jti": proven["id"],
    }
    assert claims["exp"] - claims["iat"] == 120
    assert header["alg"] == "EdDSA"


async def test_a_forged_grant_does_not_verify(payer: Payer, http: aiohttp.ClientSession) -> None:
    """A grant whose details were changed, or that is unsigned, is none."""
    proven = await payer.approved()
    async with http.get(f"{payer.person.url}/.well-known/jwks.json") as answer:
        key = jwt.PyJWKSet.from_dict(await answer.json()).keys[0].key
    claims = jwt.decode(proven["grant"], options={"verify_signature": False})
    forged = [
        jwt.encode({**claims, "ctx": hashed({**TEN, "amount": "10000.00"})}, "", algorithm="none"),
        jwt.encode(claims, "x" * 32, algorithm="HS256"),
        proven["grant"][:-8] + "AAAAAAAA",
    ]

    for grant in forged:
        with pytest.raises(jwt.InvalidTokenError):
            jwt.decode(grant, key, algorithms=["EdDSA"])


async def test_another_persons_step_up_is_not_there(people: People, payer: Payer) -> None:
    """Nobody reads, answers or redirects the step-up of somebody else."""
    other = people()
    await other.sign_up()
    step_up = await payer.ask()
    path = f"/v1/step-ups/{step_up['id']}"

    answers = [
        await other.call("GET", path),
        await other.call("POST", path + "/challenges", {"method": "EMAIL_OTP"}),
        await other.call("POST", path + "/verifications", {"code": await payer.person.code()}),
        await other.call("POST", path + "/completions", {"token": "x" * 40}),
    ]

    assert {(answer.status, answer.code) for answer in answers} == {(404, "not_found")}
    assert (await payer.prove(step_up)).body["status"] == "verified"


async def test_another_session_of_the_same_person_is_another(payer: Payer) -> None:
    """A step-up belongs to the session that asked for it."""
    step_up = await payer.ask()
    elsewhere = payer.person.stranger()
    await elsewhere.sign_in()

    answer = await elsewhere.call("GET", f"/v1/step-ups/{step_up['id']}")

    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("method", [*TYPED, *SIGNED, "PUSH", "QR_CODE", "EMAIL_MAGIC_LINK"])
async def test_any_factor_of_the_person_proves_it(
    payer: Payer, factors: Factors, authsignal: Authsignal, vault: Vault, method: str
) -> None:
    """A step-up offers what the person has, and each of those proves it."""
    factor = await factors.add(payer.person, method)
    step_up = await payer.ask()
    path = f"/v1/step-ups/{step_up['id']}"
    await vault.change_attempt(step_up["id"], resend_at=0.0)
    chosen = (await payer.person.call("POST", path + "/challenges", {"method": method})).body

    if method in TYPED:
        answer = await payer.prove(step_up, await factors.code(factor))
    elif method in SIGNED:
        token = await authsignal.earn_by_key(chosen["sdk"]["token"], factor.key, method)
        answer = await payer.person.call("POST", path + "/completions", {"token": token})
    else:
        await factors.answer_elsewhere(payer.person, factor, chosen)
        waited = await payer.person.call("GET", path, headers={"Prefer": "wait=20"})
        assert (waited.body["status"], waited.body["next"], waited.body["grant"]) == ("verified", "complete", None)
        answer = await payer.person.call("POST", path + "/completions", {})

    assert set(step_up["methods"]) == {"EMAIL_OTP", method}
    assert (answer.status, answer.body["status"], answer.body["grant"] is None) == (200, "verified", False)
    assert (await payer.spend(step_up)).status == 200


async def test_a_method_that_the_person_lacks(payer: Payer) -> None:
    """Inside, only one's own methods are offered."""
    step_up = await payer.ask()

    answer = await payer.person.call("POST", f"/v1/step-ups/{step_up['id']}/challenges", {"method": "PASSKEY"})

    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "method")


async def test_a_token_of_a_sign_in_approves_nothing(payer: Payer, authsignal: Authsignal, ledger: Ledger) -> None:
    """What was earned to sign in does not pay."""
    step_up = await payer.ask()
    sign_in = await payer.person.begin("sign-ins")
    token = await authsignal.earn(sign_in["sdk"]["token"], payer.person.email)

    answer = await payer.person.call("POST", f"/v1/step-ups/{step_up['id']}/completions", {"token": token})

    assert (answer.status, answer.code) == (401, "attempt_failed")
    assert "action.mismatched" in await ledger.types_of_attempt(step_up["id"], expect="action.mismatched")
    assert (await payer.spend(step_up)).status == 409


async def test_a_token_of_a_step_up_signs_nobody_in(payer: Payer, authsignal: Authsignal) -> None:
    """What was earned to pay does not sign in, at either door."""
    step_up = await payer.ask()
    token = await authsignal.earn(step_up["sdk"]["token"], payer.person.email)
    browser = payer.person.stranger()
    attempt = await browser.begin("sign-ins")

    answers = [
        await browser.call("POST", f"/v1/attempts/{attempt['id']}/completions", {"token": token}),
        await browser.call("POST", "/v1/sign-ins/passkey", {"token": token}),
    ]

    assert [(answer.status, answer.code) for answer in answers] == [(401, "attempt_failed")] * 2
    assert SESSION not in browser.cookies


WRONG_BODIES: dict[str, dict[str, Any]] = {
    "no action": {},
    "an action with a path": {"action": "../users"},
    "a long action": {"action": "x" * 65},
    "nested details": {"action": ACTION, "context": {"a": {"b": 1}}},
    "a list": {"action": ACTION, "context": {"a": [1]}},
    "too many details": {"action": ACTION, "context": {f"n{number}": 1 for number in range(21)}},
    "a long detail": {"action": ACTION, "context": {"memo": "x" * 201}},
    "an unknown field": {"action": ACTION, "sub": "somebody"},
}


@pytest.mark.parametrize("name", WRONG_BODIES)
async def test_a_wrong_request_is_a_problem(payer: Payer, name: str) -> None:
    """What is no action, or no flat set of small details, is refused before anything is asked."""
    answer = await payer.person.call("POST", "/v1/step-ups", WRONG_BODIES[name])

    assert (answer.status, answer.code) == (400, "invalid_request")
