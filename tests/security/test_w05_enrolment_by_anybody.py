"""W05: a token that adds a factor, given to whoever knows the address of somebody without one."""

import aiohttp
import pytest

from tests.integration.gateway.direct_app import DirectApp
from tests.integration.gateway.person import Person, new_address
from tests.integration.gateway.simulator import Authsignal, Refused
from tests.integration.gateway.soft_key import SoftKey
from tests.stack import RunningStack


async def stripped(person: Person, authsignal: Authsignal) -> str:
    """Sign somebody up, and let all of their factors be lost; return the sub."""
    sub = str((await person.sign_up()).body["subject"]["sub"])
    for one in await authsignal.server("GET", f"users/{sub}/authenticators"):
        await authsignal.server("DELETE", f"users/{sub}/authenticators/{one['userAuthenticatorId']}")
    assert await authsignal.methods(sub) == []
    return sub


async def add_passkey(authsignal: Authsignal, token: str, stack: RunningStack) -> None:
    """Do what ``passkey.signUp`` does."""
    begun = await authsignal.client("user-authenticators/passkey/registration-options", token, {})
    credential = SoftKey(stack["gateway_url"]).create(begun["options"])
    body = {"challengeId": begun["challengeId"], "registrationCredential": credential}
    await authsignal.client("user-authenticators/passkey", token, body)


async def attack(authsignal: Authsignal, token: str, stack: RunningStack) -> None:
    """Try to add a mailbox, an app and a passkey with a token."""
    bodies: dict[str, dict[str, str]] = {
        "user-authenticators/email-otp": {"email": new_address()},
        "user-authenticators/totp": {},
        "user-authenticators/sms": {"phoneNumber": "+46700000000"},
    }
    for path, body in bodies.items():
        with pytest.raises(Refused):
            await authsignal.client(path, token, body)
    with pytest.raises(Refused):
        await add_passkey(authsignal, token, stack)


@pytest.mark.parametrize("method", ["EMAIL_OTP", "PASSKEY", "SMS"])
async def test_w05_an_address_adds_no_factor(person: Person, authsignal: Authsignal, stack: RunningStack, method: str) -> None:
    """Somebody without a factor gets no token to add one with; their mailbox still lets them, and only them, in."""
    sub = await stripped(person, authsignal)
    stranger = person.stranger()

    attempt = await stranger.begin("sign-ins", method=method)

    await attack(authsignal, attempt["sdk"]["token"], stack)
    assert await authsignal.methods(sub) == []
    if method == "EMAIL_OTP":
        assert (await stranger.verify(attempt["id"], await person.code())).status == 200


async def test_w05_nor_does_the_sign_in_of_somebody_who_has_one(
    person: Person, authsignal: Authsignal, stack: RunningStack
) -> None:
    """The token with which a page goes on signing in may prove a factor and never add one, before the proof and after."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    stranger = person.stranger()
    attempt = await stranger.begin("sign-ins")
    before = await authsignal.methods(sub)

    await attack(authsignal, attempt["sdk"]["token"], stack)
    await stranger.verify(attempt["id"], await person.code())
    await attack(authsignal, attempt["sdk"]["token"], stack)

    assert await authsignal.methods(sub) == before


async def test_w05_the_direct_client_gives_none_either(
    person: Person, authsignal: Authsignal, stack: RunningStack, http: aiohttp.ClientSession
) -> None:
    """An account with a proven address and no factor gets a decoy from the direct client."""
    del http
    sub = await stripped(person, authsignal)

    token = DirectApp(stack, authsignal, person).begin()["ChallengeParameters"]["token"]

    await attack(authsignal, token, stack)
    assert await authsignal.methods(sub) == []
