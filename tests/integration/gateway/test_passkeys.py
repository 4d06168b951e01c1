"""Sign-in by passkey, without a name: the token alone says who it is."""

import secrets
import uuid

import pytest

from tests.integration.gateway.fixtures import People
from tests.integration.gateway.holder import Holder, present, refused
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import SESSION, Person
from tests.integration.gateway.simulator import Authsignal, Refused
from tests.integration.gateway.soft_key import SoftKey
from tests.stack import RunningStack


@pytest.mark.parametrize("action", ["signIn", None], ids=["by button", "by autofill"])
async def test_a_passkey_signs_in_without_a_name(holder: Holder, ledger: Ledger, action: str | None) -> None:
    """Whether the page named the action or autofill did not, the token opens a session of the passkey's owner."""
    browser = holder.person.stranger()

    answer = await present(browser, await holder.earn(action))

    assert (answer.status, answer.body["subject"]["sub"], answer.body["methods"]) == (200, holder.sub, ["PASSKEY"])
    created = await ledger.promised(answer.receipt)
    # What Authsignal tells of the new passkey comes when it comes.
    types = [kind for kind in await ledger.types_of_subject(holder.sub) if kind != "webhook.received"]
    assert created.event_type.value == "session.created"
    assert types[-3:] == ["passkey.asserted", "sign_in.succeeded", "session.created"]


async def test_a_token_of_another_action_opens_nothing(holder: Holder, ledger: Ledger) -> None:
    """A passkey that was used to approve something else signs nobody in."""
    browser = holder.person.stranger()

    answer = await present(browser, await holder.earn("withdraw"))

    assert refused(answer, browser)
    assert (await ledger.promised(answer.receipt)).reason == "TOKEN_MISMATCHED"


async def test_only_a_passkey_comes_in_this_way(person: Person, authsignal: Authsignal, ledger: Ledger) -> None:
    """A token that an e-mail code earned for an attempt is good for that attempt, and nothing at the passkey's door."""
    await person.sign_up()
    owner, other = person.stranger(), person.stranger()
    attempt = await owner.begin("sign-ins")
    token = await authsignal.earn(attempt["sdk"]["token"], person.email)

    answer = await present(other, token)

    assert refused(answer, other)
    assert (await ledger.promised(answer.receipt)).reason == "TOKEN_MISMATCHED"
    assert (await owner.call("POST", f"/v1/attempts/{attempt['id']}/completions", {"token": token})).status == 200


async def test_a_passkeys_token_completes_no_attempt(holder: Holder, ledger: Ledger) -> None:
    """A token earned without a name belongs to no attempt, its owner's own included."""
    browser = holder.person.stranger()
    attempt = await browser.begin("sign-ins", method="PASSKEY")

    answer = await browser.call("POST", f"/v1/attempts/{attempt['id']}/completions", {"token": await holder.earn()})

    assert (answer.status, answer.code) == (401, "attempt_failed")
    assert "action.mismatched" in await ledger.types_of_attempt(attempt["id"], expect="action.mismatched")


async def test_a_removed_passkey_opens_nothing(holder: Holder) -> None:
    """Once a passkey is removed it earns no token; the ones that it earned before no longer matter either way."""
    listed = (await holder.person.call("GET", "/v1/me/authenticators")).body["authenticators"]
    passkey = next(one["id"] for one in listed if one["method"] == "PASSKEY")
    removed = await holder.person.call("DELETE", f"/v1/me/authenticators/{passkey}")

    assert removed.status == 200
    with pytest.raises(Refused, match="not known"):
        await holder.earn()


@pytest.mark.parametrize("kind", ["rubbish", "a track token"])
async def test_what_is_no_proof_opens_nothing(person: Person, authsignal: Authsignal, kind: str) -> None:
    """Neither a made-up token nor one that was only begun with is a proof."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    browser = person.stranger()
    token = secrets.token_urlsafe(60) if kind == "rubbish" else (await authsignal.track(sub, "signIn"))["token"]

    assert refused(await present(browser, token), browser)


async def test_a_passkey_of_nobody_opens_nothing(
    person: Person, authsignal: Authsignal, stack: RunningStack, ledger: Ledger
) -> None:
    """A passkey of a user that Authsignal knows and Cognito does not is refused, and the log says why."""
    stranger = Holder(person, authsignal, stack)
    stranger.key = SoftKey(stack["gateway_url"])
    token = (await authsignal.track(str(uuid.uuid4()), "signIn"))["token"]
    begun = await authsignal.client("user-authenticators/passkey/registration-options", token, {})
    body = {"challengeId": begun["challengeId"], "registrationCredential": stranger.key.create(begun["options"])}
    await authsignal.client("user-authenticators/passkey", token, body)

    answer = await present(person, await stranger.earn())

    assert refused(answer, person)
    assert (await ledger.promised(answer.receipt)).reason == "no_account"


async def test_a_disabled_account_is_nobodys(holder: Holder, stack: RunningStack) -> None:
    """The passkey of an account that was disabled at Cognito opens nothing."""
    browser = holder.person.stranger()
    stack.aws("cognito-idp").admin_disable_user(UserPoolId=stack["aws"]["user_pool_id"], Username=holder.sub)

    assert refused(await present(browser, await holder.earn()), browser)


@pytest.mark.parametrize(
    ("outcome", "status", "event"), [("BLOCK", 403, "sign_in.blocked"), ("REVIEW", 202, "sign_in.under_review")]
)
async def test_rules_hold_for_passkeys(
    holder: Holder, authsignal: Authsignal, ledger: Ledger, outcome: str, status: int, event: str
) -> None:
    """A person whom the rules stop gets no session by passkey either."""
    await authsignal.decide("signIn", outcome)
    browser = holder.person.stranger()

    answer = await present(browser, await holder.earn())

    assert answer.status == status
    assert SESSION not in browser.cookies
    assert (await ledger.promised(answer.receipt)).event_type.value == event


async def test_nobody_elses_cookies_matter(people: People, holder: Holder) -> None:
    """Whoever was signed in before in this browser, a passkey opens a new session of its owner, under a new secret."""
    browser = people()
    other = (await browser.sign_up()).body["subject"]["sub"]
    before = browser.cookies[SESSION]

    answer = await present(browser, await holder.earn())

    assert answer.body["subject"]["sub"] == holder.sub != other
    assert browser.cookies[SESSION] != before
