"""What does not sign in through the direct client: wrong answers, other people's proofs, used proofs, names that nobody has."""

import uuid
from typing import Any

import pytest

from shared.events import Event
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.simulator import Authsignal
from tests.stack import RunningStack
from tests.system.direct.app import App, Threw, attempt_of, claims_of
from tests.system.direct.cognito import NodeCognito, Refused
from tests.system.direct.conftest import Apps
from tests.system.direct.page import PageServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

REFUSED = "NotAuthorizedException"


def token_of(started: dict[str, Any]) -> str:
    """Return the Authsignal token of a challenge."""
    return str(started["ChallengeParameters"]["token"])


def is_wrong(cognito: NodeCognito, email: str, answer: str) -> bool:
    """Say whether an answer is wrong in a fresh sign-in: then Cognito asks again."""
    return "AuthenticationResult" not in cognito.answer(cognito.start(email), answer)


async def event_of(ledger: Ledger, started: dict[str, Any], event_type: str) -> Event:
    """Return the one event of a type in a sign-in's story."""
    story = await ledger.of_attempt(attempt_of(token_of(started)), expect=event_type)
    (found,) = [event for event in story if event.event_type.value == event_type]
    return found


async def test_three_wrong_answers_end_a_sign_in(app: App, cognito: NodeCognito, ledger: Ledger) -> None:
    """Two wrong answers are forgiven, in one and the same action; the third ends it, and each is in the log."""
    await app.signs_up()
    first = cognito.start(app.email)
    second = cognito.answer(first, "123456")
    third = cognito.answer(second, token_of(second))

    with pytest.raises(Refused, match="Incorrect username or password") as refused:
        cognito.answer(third, "")

    assert refused.value.name == REFUSED
    attempts = {attempt_of(token_of(started)) for started in (first, second, third)}
    assert len(attempts) == 1
    events = await ledger.of_attempt(attempts.pop(), expect="sign_in.failed")
    reasons = [event.reason for event in events if event.event_type.value == "challenge.rejected"]
    assert reasons == ["NOT_A_TOKEN", "CHALLENGE_UNFINISHED", "NOT_A_TOKEN"]
    assert [event.event_type.value for event in events].count("action.tracked") == 3


async def test_a_right_answer_after_two_wrong_ones_signs_in(app: App, cognito: NodeCognito, simulator: Authsignal) -> None:
    """The proof of the same action is taken in the last round."""
    await app.signs_up()
    started = cognito.start(app.email)
    for _ in range(2):
        started = cognito.answer(started, "wrong")

    answered = cognito.answer(started, await simulator.earn(token_of(started), app.email))

    assert answered["AuthenticationResult"]["AccessToken"]


@pytest.mark.parametrize("parameters", [{"CHALLENGE_NAME": "SRP_A", "SRP_A": "A" * 768}, {"CHALLENGE_NAME": "SRP_A"}], ids=str)
async def test_opening_with_a_password_flow_never_signs_in(app: App, cognito: NodeCognito, parameters: dict[str, str]) -> None:
    """W1: a list that opens with a success of another kind yields neither tokens nor a challenge."""
    await app.signs_up()

    with pytest.raises(Refused) as refused:
        cognito.start(app.email, **parameters)

    assert refused.value.name == REFUSED


async def test_a_proof_is_good_for_one_sign_in(app: App, cognito: NodeCognito, simulator: Authsignal, ledger: Ledger) -> None:
    """W6: the token that opened a session is refused in every other one, and the log says that it came again."""
    await app.signs_up()
    started = cognito.start(app.email)
    earned = await simulator.earn(token_of(started), app.email)
    cognito.answer(started, earned)

    again = cognito.start(app.email)
    cognito.answer(again, earned)

    # Its key is another sign-in's, so it is refused before anybody asks whether it was used.
    assert (await event_of(ledger, again, "action.mismatched")).reason == "TOKEN_MISMATCHED"


async def test_a_passkey_proof_is_good_for_one_sign_in(app: App, cognito: NodeCognito, ledger: Ledger) -> None:
    """W6: a passkey's token, whose key no sign-in of ours has, opens one session and no other."""
    await app.has_passkeys()
    await app.signs_up()
    await app.sdk("passkey.signUp", {"username": app.email})
    token = (await app.does("signInWithPasskey"))["token"]

    again = cognito.start(app.email)
    assert "AuthenticationResult" not in cognito.answer(again, token)

    replayed = await event_of(ledger, again, "token.replayed")
    assert replayed.authsignal is not None
    assert replayed.authsignal.idempotency_key == attempt_of(token)


async def test_an_old_passkey_proof_signs_nobody_in(app: App, cognito: NodeCognito, simulator: Authsignal) -> None:
    """A passkey's token that was never used is refused once its proof is more than five minutes old."""
    await app.has_passkeys()
    await app.signs_up()
    await app.sdk("passkey.signUp", {"username": app.email})
    # The simulator's clock goes back, so that the proof was made 400 s ago by ours.
    await simulator.advance(-400)
    token = (await app.sdk("passkey.signIn", {"action": "cognitoAuth"}))["token"]
    await simulator.reset()

    assert is_wrong(cognito, app.email, token)


async def test_a_mailed_proof_of_another_sign_in_is_refused(app: App, cognito: NodeCognito, simulator: Authsignal) -> None:
    """A proof belongs to the Cognito session that it was tracked for; only a passkey's may come from elsewhere."""
    await app.signs_up()
    theirs, ours = cognito.start(app.email), cognito.start(app.email)
    earned = await simulator.earn(token_of(theirs), app.email)

    assert "AuthenticationResult" not in cognito.answer(ours, earned)
    assert cognito.answer(theirs, earned)["AuthenticationResult"]


async def test_a_proof_for_something_else_signs_nobody_in(app: App, cognito: NodeCognito, simulator: Authsignal) -> None:
    """W7: tokens earned for a payment, for adding a factor, or for the gateway's own sign-in are refused."""
    sub = await app.signs_up()
    payment = {"amount": "10", "currency": "EUR", "payee": "Ann"}
    tokens = [
        (await app.api("POST", "/v1/direct/payments/authorize", payment))["body"]["authsignalToken"],
        (await app.api("POST", "/v1/direct/authenticators"))["body"]["authsignalToken"],
        (await simulator.track(sub, "signIn"))["token"],
    ]

    for token in tokens:
        assert is_wrong(cognito, app.email, await simulator.earn(token, app.email))


async def test_a_proof_of_somebody_else_signs_nobody_in(apps: Apps, cognito: NodeCognito, simulator: Authsignal) -> None:
    """W7: another person's fresh proof, by mail or passkey, is refused."""
    one, other = await apps(), await apps()
    await one.signs_up()
    await other.has_passkeys()
    await other.signs_up()
    await other.sdk("passkey.signUp", {"username": other.email})
    mailed = await simulator.earn(token_of(cognito.start(other.email)), other.email)
    signed = (await other.sdk("passkey.signIn", {"action": "cognitoAuth"}))["token"]

    assert is_wrong(cognito, one.email, mailed)
    assert is_wrong(cognito, one.email, signed)


async def test_whoever_signs_up_with_the_address_of_another_gets_no_tokens(app: App, cognito: NodeCognito) -> None:
    """W4: a factor of one's own, on an account that bears somebody else's address, opens nothing, then or later."""
    victim = f"v{uuid.uuid4().hex}@example.test"
    await app.has_passkeys()
    await app.does("signUp", victim)
    await app.does("start", victim)
    await app.sdk("email.enroll", {"email": app.email})
    earned = await app.sdk("email.verify", {"code": await app.code()})
    assert not (await app.does("answer", earned["token"]))["isSignedIn"]

    await app.does("authsignal.setToken", earned["token"])
    await app.sdk("passkey.signUp", {"username": victim})
    signed = (await app.sdk("passkey.signIn", {"action": "cognitoAuth"}))["token"]

    assert is_wrong(cognito, victim, signed)


async def test_a_verified_account_without_a_factor_gets_no_token_to_enrol_with(
    app: App, cognito: NodeCognito, stack: RunningStack, ledger: Ledger
) -> None:
    """W5: a verified address without any factor gets a decoy: knowing an address is not enough to bind a factor to it."""
    email = f"a{uuid.uuid4().hex}@example.test"
    attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
    pool = stack["aws"]["user_pool_id"]
    stack.aws("cognito-idp").admin_create_user(
        UserPoolId=pool,
        Username=email,
        TemporaryPassword="0.4fzyo82mvyrX-0.9xqwm1c",
        MessageAction="SUPPRESS",
        UserAttributes=attributes,
    )

    started = cognito.start(email)

    assert await app.client_status("user-authenticators/email-otp", token_of(started), {"email": app.email}) == 401
    assert (await event_of(ledger, started, "sign_in.decoyed")).reason == "no_factor"


@pytest.mark.parametrize(("outcome", "event_type"), [("BLOCK", "sign_in.blocked"), ("REVIEW", "sign_in.under_review")])
async def test_rules_that_stop_somebody_stop_the_token(
    app: App, cognito: NodeCognito, simulator: Authsignal, ledger: Ledger, outcome: str, event_type: str
) -> None:
    """A person whom the rules block, or hold for a review, gets a decoy, and the log says which."""
    await app.signs_up()
    await simulator.decide("cognitoAuth", outcome)

    started = cognito.start(app.email)

    assert await app.client_status("challenge/email-otp", token_of(started), {}) == 401
    assert (await event_of(ledger, started, event_type)).reason in {"blocked", "review"}


async def test_an_unknown_name_gets_what_a_known_one_gets(app: App, cognito: NodeCognito, simulator: Authsignal) -> None:
    """W12: the same challenge, parameters, claims and lengths, the same user name each time; nobody is tracked for it."""
    await app.signs_up()
    nobody = f"n{uuid.uuid4().hex[:12]}@example.test"
    known, unknown, again = cognito.start(app.email), cognito.start(nobody), cognito.start(nobody.upper())

    def shape(started: dict[str, Any]) -> Any:
        claims = claims_of(token_of(started))
        return (
            started.keys(),
            started["ChallengeName"],
            started["ChallengeParameters"].keys(),
            claims.keys(),
            claims["other"].keys(),
            {name: claims[name] for name in ("iss", "aud", "scope")},
            claims["exp"] - claims["iat"],
            [len(part) for part in token_of(started).split(".")],
            claims["sub"] == claims["other"]["userId"] == started["ChallengeParameters"]["USERNAME"],
        )

    assert shape(known) == shape(unknown)
    assert unknown["ChallengeParameters"]["USERNAME"] == again["ChallengeParameters"]["USERNAME"]
    stand_in = unknown["ChallengeParameters"]["USERNAME"]
    assert await simulator.calls(f"/v1/users/{stand_in}") == []
    assert stand_in not in str(await simulator.control("GET", "/users"))


async def test_an_unknown_name_may_also_answer_three_times(app: App, cognito: NodeCognito) -> None:
    """W12: wrong answers of somebody who does not exist are counted, and refused in the same words."""
    await app.signs_up()
    said: list[list[str]] = []

    for email in (app.email, f"n{uuid.uuid4().hex}@example.test"):
        started, words = cognito.start(email), []
        for _ in range(2):
            started = cognito.answer(started, "wrong")
            words.append(",".join(sorted(started)))
        with pytest.raises(Refused) as refused:
            cognito.answer(started, "wrong")
        said.append([*words, str(refused.value)])

    assert said[0] == said[1]


async def test_a_page_of_another_origin_reaches_nobody_but_cognito(app: App, page_server: PageServer) -> None:
    """Cognito answers any page, as on AWS; Authsignal and the API answer only pages of origins that they list."""
    await app.signs_up()
    await app.open(page_server.origin.replace("localhost", "127.0.0.1"))
    await app.does("start", app.email)

    with pytest.raises(Threw, match="Failed to fetch"):
        await app.does("authsignal.email.challenge")
