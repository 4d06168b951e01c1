"""The reference app's API in its own shapes, called from the page with Cognito's access token."""

import asyncio
import time
import uuid
from typing import Any

import aiohttp
import pytest

from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.process import ServiceProcess
from tests.integration.gateway.simulator import Authsignal
from tests.stack import RunningStack
from tests.system.direct.app import App
from tests.system.direct.conftest import Apps
from tests.system.direct.page import PageServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

TEN = {"amount": "10.00", "currency": "EUR", "payee": "Ann"}


def problem(answer: dict[str, Any]) -> tuple[int, str]:
    """Return the status and code of a refusal."""
    return answer["status"], answer["body"]["code"]


async def approves(app: App, payment: dict[str, Any]) -> str:
    """Have a payment authorized and approve it by a mailed code; return the token earned."""
    asked = await app.api("POST", "/v1/direct/payments/authorize", payment)
    assert asked["status"] == 200, asked
    assert set(asked["body"]) == {"authsignalToken"}
    await app.does("authsignal.setToken", asked["body"]["authsignalToken"])
    return await app.earns_by_code()


async def confirms(app: App, token: str, **changes: Any) -> dict[str, Any]:
    """Confirm the payment of ten, with changes."""
    return await app.api("POST", "/v1/direct/payments/confirm", {"token": token, **TEN, **changes})


async def test_authenticators_come_in_the_shapes_of_the_reference_app(app: App) -> None:
    """The list is an array of Authsignal's own objects, clear to their owner; a passkey's says what made it."""
    await app.has_passkeys()
    await app.signs_up()
    await app.sdk("passkey.signUp", {"username": app.email})

    listed = await app.api("GET", "/v1/direct/authenticators")

    assert listed["status"] == 200
    by_method = {one["verificationMethod"]: one for one in listed["body"]}
    assert by_method["EMAIL_OTP"]["email"] == app.email
    assert {"userAuthenticatorId", "createdAt", "verifiedAt", "lastVerifiedAt", "isDefault"} <= by_method["EMAIL_OTP"].keys()
    credential = by_method["PASSKEY"]["webauthnCredential"]
    assert {"credentialId", "aaguid", "credentialBackedUp", "credentialDeviceType"} <= credential.keys()


async def test_a_factor_is_added_and_removed(app: App, ledger: Ledger) -> None:
    """The API's token adds a factor, and the API removes it; each answer's receipt names its event."""
    await app.has_passkeys()
    await app.signs_up()
    added = await app.api("POST", "/v1/direct/authenticators")
    await app.does("authsignal.setToken", added["body"]["authsignalToken"])
    made = await app.sdk("passkey.signUp", {"username": app.email})

    removed = await app.api("DELETE", f"/v1/direct/authenticators/{made['userAuthenticator']['userAuthenticatorId']}")

    assert (removed["status"], removed["body"]) == (200, {"success": True})
    assert [one["verificationMethod"] for one in (await app.api("GET", "/v1/direct/authenticators"))["body"]] == ["EMAIL_OTP"]
    for answer, event_type in ((added, "authenticator.enrolment.started"), (removed, "authenticator.removed")):
        event_id, leaf_hash = answer["receipt"].split(":")
        event = await ledger.promised((event_id, leaf_hash))
        assert (event.event_type.value, event.outcome.value) == (event_type, "success")
        story = await ledger.of_attempt(event.attempt_id or "")
        assert story[0].outcome.value == "pending"


async def test_the_last_way_in_stays(app: App) -> None:
    """The only factor is not removed; of two removed at once, one stays."""
    await app.has_passkeys()
    await app.signs_up()
    (only,) = (await app.api("GET", "/v1/direct/authenticators"))["body"]

    refused = await app.api("DELETE", f"/v1/direct/authenticators/{only['userAuthenticatorId']}")
    assert problem(refused) == (409, "last_authenticator")

    await app.sdk("passkey.signUp", {"username": app.email})
    both = (await app.api("GET", "/v1/direct/authenticators"))["body"]
    answers = await asyncio.gather(
        *(app.api("DELETE", f"/v1/direct/authenticators/{one['userAuthenticatorId']}") for one in both)
    )
    assert sorted(answer["status"] for answer in answers) == [200, 409]
    assert len((await app.api("GET", "/v1/direct/authenticators"))["body"]) == 1


async def test_somebody_else_s_factor_is_not_found(apps: Apps) -> None:
    """Another person's authenticator, and one that never was, are not found, and stay."""
    one, other = await apps(), await apps()
    await one.signs_up()
    await other.signs_up()
    (theirs,) = (await other.api("GET", "/v1/direct/authenticators"))["body"]

    for authenticator_id in (theirs["userAuthenticatorId"], str(uuid.uuid4())):
        assert problem(await one.api("DELETE", f"/v1/direct/authenticators/{authenticator_id}")) == (404, "not_found")
    assert len((await other.api("GET", "/v1/direct/authenticators"))["body"]) == 1


async def test_changing_factors_needs_a_fresh_sign_in(
    app: App, hasty: ServiceProcess, page_server: PageServer, http: aiohttp.ClientSession
) -> None:
    """A while after the sign-in factors can be read and not changed."""
    await app.signs_up()
    headers = {"Authorization": f"Bearer {await app.access_token()}", "Content-Type": "application/json"}
    url = f"{hasty.url}/v1/direct/authenticators"
    await asyncio.sleep(2.1)

    async with http.get(url, headers=headers) as listed:
        (only,) = await listed.json()
    for method, target in (("POST", url), ("DELETE", f"{url}/{only['userAuthenticatorId']}")):
        async with http.request(method, target, headers=headers) as refused:
            assert (refused.status, (await refused.json())["code"]) == (403, "step_up_required")


async def test_a_payment_is_confirmed_once(app: App, ledger: Ledger) -> None:
    """Approved for ten, it is confirmed with ten, however the amount is written, and not a second time."""
    await app.signs_up()
    token = await approves(app, TEN)

    confirmed = await confirms(app, token, amount=10)
    again = await confirms(app, token)

    assert (confirmed["status"], confirmed["body"]) == (200, {"success": True})
    assert problem(again) == (401, "attempt_failed")
    assert [await _recorded(ledger, answer) for answer in (confirmed, again)] == [
        ("step_up.consumed", "success", None),
        ("step_up.failed", "failure", "TOKEN_REPLAYED"),
    ]


@pytest.mark.parametrize("changes", [{"amount": "10000"}, {"currency": "USD"}, {"payee": "Bob"}], ids=str)
async def test_a_payment_is_confirmed_as_it_was_approved(app: App, ledger: Ledger, changes: dict[str, str]) -> None:
    """Another amount, currency or payee is refused, and the approval stays good for what was approved."""
    await app.signs_up()
    token = await approves(app, TEN)

    changed = await confirms(app, token, **changes)

    assert problem(changed) == (401, "attempt_failed")
    assert await _recorded(ledger, changed) == ("step_up.failed", "failure", "CONTEXT_MISMATCHED")
    assert (await confirms(app, token))["status"] == 200


async def test_a_payment_is_confirmed_by_whoever_approved_it(apps: Apps) -> None:
    """Somebody else's approval is refused, even for the same payment."""
    one, other = await apps(), await apps()
    await one.signs_up()
    await other.signs_up()
    token = await approves(one, TEN)
    await approves(other, TEN)

    assert problem(await confirms(other, token)) == (401, "attempt_failed")
    assert (await confirms(one, token))["status"] == 200


async def test_nothing_but_an_approval_confirms_a_payment(app: App, simulator: Authsignal) -> None:
    """W11: the token before its challenge, one of a sign-in, and one of an action that we never tracked are refused."""
    sub = await app.signs_up()
    asked = (await app.api("POST", "/v1/direct/payments/authorize", TEN))["body"]["authsignalToken"]
    started = await app.does("start", app.email)
    signed_in = await simulator.earn(started["parameters"]["token"], app.email)
    untracked = await simulator.earn((await simulator.track(sub, "authorizePayment"))["token"], app.email)

    for token in (asked, signed_in, untracked, "x" * 40):
        assert problem(await confirms(app, token)) == (401, "attempt_failed")


@pytest.mark.parametrize("outcome", ["BLOCK", "REVIEW"])
async def test_rules_may_stop_a_payment(app: App, simulator: Authsignal, outcome: str) -> None:
    """A payment that the rules block, or hold for a review, gets no token, in words that say it was stopped."""
    await app.signs_up()
    await simulator.decide("authorizePayment", outcome)

    assert problem(await app.api("POST", "/v1/direct/payments/authorize", TEN)) == (403, "action_blocked")


async def test_rules_may_let_a_payment_through(app: App, simulator: Authsignal) -> None:
    """What the rules allow without a challenge is confirmed with the token as it is; once, and for that payment alone."""
    await app.signs_up()
    await simulator.decide("authorizePayment", "ALLOW")
    token = (await app.api("POST", "/v1/direct/payments/authorize", TEN))["body"]["authsignalToken"]

    assert problem(await confirms(app, token, amount=11)) == (401, "attempt_failed")
    assert (await confirms(app, token))["status"] == 200
    assert problem(await confirms(app, token)) == (401, "attempt_failed")


async def test_what_is_no_payment_is_refused(app: App, simulator: Authsignal) -> None:
    """A malformed payment is the caller's mistake, and is never tracked."""
    sub = await app.signs_up()
    wrong: list[Any] = [
        {**TEN, "amount": 0},
        {**TEN, "amount": -1},
        {**TEN, "amount": "0.00"},
        {**TEN, "amount": "1e3"},
        {**TEN, "amount": "10.00001"},
        {**TEN, "amount": 10.00001},
        {**TEN, "amount": "1" * 13},
        {**TEN, "amount": True},
        {**TEN, "amount": None},
        {**TEN, "currency": "eur"},
        {**TEN, "payee": ""},
        {**TEN, "payee": "a\nb"},
        {**TEN, "tip": 1},
        {"amount": 10},
        [],
    ]

    for payment in wrong:
        assert problem(await app.api("POST", "/v1/direct/payments/authorize", payment)) == (400, "invalid_request"), payment
    assert await simulator.calls(f"/v1/users/{sub}/actions/authorizePayment") == []


async def test_only_access_tokens_of_the_direct_client_are_taken(
    app: App, stack: RunningStack, http: aiohttp.ClientSession
) -> None:
    """No token, an ID token, a changed one, Authsignal's, and one in another scheme are refused, and how to ask is said."""
    await app.signs_up()
    tokens = await app.does("tokens")
    access = tokens["AccessToken"]
    header, claims, signature = access.split(".")
    changed = ".".join([header, claims, signature[:-8] + ("A" * 8 if not signature.endswith("A" * 8) else "B" * 8)])
    given = [
        None,
        "",
        f"Bearer {tokens['IdToken']}",
        f"Bearer {changed}",
        f"Basic {access}",
        "Bearer x",
        "Bearer " + "x" * 9000,
    ]

    for authorization in given:
        headers = {"Authorization": authorization} if authorization is not None else {}
        async with http.get(f"{stack['gateway_url']}/v1/direct/authenticators", headers=headers) as answer:
            assert (answer.status, (await answer.json())["code"]) == (401, "unauthorized"), authorization
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_one_person_never_gets_the_answer_kept_for_another(
    apps: Apps, http: aiohttp.ClientSession, stack: RunningStack
) -> None:
    """The same Idempotency-Key from two people behind one address is two requests; from one person it is one."""
    one, other = await apps(), await apps()
    await one.signs_up()
    await other.signs_up()
    key, answers = str(uuid.uuid4()), []

    for app in (one, one, other):
        headers = {"Authorization": f"Bearer {await app.access_token()}", "Idempotency-Key": key}
        async with http.post(f"{stack['gateway_url']}/v1/direct/payments/authorize", json=TEN, headers=headers) as answer:
            answers.append((await answer.json())["authsignalToken"])

    assert answers[0] == answers[1] != answers[2]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_preflight_admits_listed_origins(
    stack: RunningStack, app_origin: str, http: aiohttp.ClientSession, method: str
) -> None:
    """A listed origin may send these methods with a token; what it may is said for this origin alone, and without cookies."""
    answer = await _preflight(http, stack, app_origin, method)

    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == app_origin
    assert method in answer.headers["Access-Control-Allow-Methods"]
    assert {"authorization", "content-type"} <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert answer.headers["Vary"] == "origin"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    ("origin", "path", "method"),
    [
        ("https://elsewhere.test", "/v1/direct/authenticators", "GET"),
        ("null", "/v1/direct/authenticators", "GET"),
        (None, "/v1/direct/authenticators", "PUT"),
        (None, "/v1/session", "GET"),
        (None, "/v1/me", "DELETE"),
        (None, "/v1/directory", "GET"),
    ],
    ids=str,
)
async def test_preflight_admits_nothing_else(
    stack: RunningStack, app_origin: str, http: aiohttp.ClientSession, origin: str | None, path: str, method: str
) -> None:
    """An origin that is not listed, another method, and every route but the direct ones get no leave."""
    answer = await _preflight(http, stack, origin or app_origin, method, path)

    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_refusals_can_be_read_by_listed_origins_alone(
    stack: RunningStack, app_origin: str, http: aiohttp.ClientSession
) -> None:
    """A page of a listed origin reads why it was refused; a write from elsewhere is refused before anything else."""
    url = f"{stack['gateway_url']}/v1/direct/payments/authorize"
    async with http.post(url, json=TEN, headers={"Origin": app_origin}) as refused:
        assert refused.status == 401
        assert refused.headers["Access-Control-Allow-Origin"] == app_origin
    async with http.post(url, data="x", headers={"Origin": app_origin, "Content-Type": "text/plain"}) as refused:
        assert refused.status == 415
        assert refused.headers["Access-Control-Allow-Origin"] == app_origin
    async with http.post(url, json=TEN, headers={"Origin": "https://elsewhere.test"}) as refused:
        assert (refused.status, (await refused.json())["code"]) == (403, "origin_rejected")
        assert "Access-Control-Allow-Origin" not in refused.headers


async def test_authsignal_away_is_said_and_recorded(app: App, simulator: Authsignal, ledger: Ledger) -> None:
    """When Authsignal does not answer, nothing is changed, the caller is told to come again, and the log has both."""
    await app.signs_up()
    await simulator.fault(kind="respond", status=500, path_prefix="/v1/users/", times=20)
    started = time.monotonic()

    answer = await app.api("POST", "/v1/direct/authenticators")

    assert problem(answer) == (503, "provider_busy")
    assert time.monotonic() - started < 8
    assert await _recorded(ledger, answer) == ("authenticator.enrolment.started", "error", "provider_busy")


async def _recorded(ledger: Ledger, answer: dict[str, Any]) -> tuple[str, str, str | None]:
    event_id, leaf_hash = answer["receipt"].split(":")
    event = await ledger.promised((event_id, leaf_hash))
    return event.event_type.value, event.outcome.value, event.reason


async def _preflight(
    http: aiohttp.ClientSession, stack: RunningStack, origin: str, method: str, path: str = "/v1/direct/authenticators"
) -> aiohttp.ClientResponse:
    headers = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization"}
    async with http.options(f"{stack['gateway_url']}{path}", headers=headers) as answer:
        await answer.read()
        return answer
