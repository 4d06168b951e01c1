"""Define auth challenge: the one function that can hand out tokens, tried on every list it could ever get."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.cognito_triggers import define
from tests.unit.triggers.minting import event, user

SOURCE = "DefineAuthChallenge_Authentication"
WON = {"challengeName": "CUSTOM_CHALLENGE", "challengeResult": True, "challengeMetadata": "ASSERTION"}
LOST = {**WON, "challengeResult": False}

names = st.one_of(
    st.sampled_from(["CUSTOM_CHALLENGE", "SRP_A", "PASSWORD_VERIFIER", "DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER"]),
    st.sampled_from(["SMS_MFA", "ADMIN_NO_SRP_AUTH", "custom_challenge", "CUSTOM_CHALLENGE ", ""]),
    st.none(),
    st.text(max_size=20),
)
results = st.one_of(st.booleans(), st.none(), st.sampled_from(["true", "True", 1, 0, "", [True], {"a": 1}]))
entries = st.one_of(
    st.fixed_dictionaries(
        {}, optional={"challengeName": names, "challengeResult": results, "challengeMetadata": st.none() | st.text(max_size=9)}
    ),
    st.just(WON),
    st.none(),
    st.text(max_size=5),
    st.integers(),
    st.lists(st.none(), max_size=2),
)
missing = object()
lists = st.one_of(st.lists(entries, max_size=5), st.none(), st.just(missing), st.text(max_size=5), st.just({"0": WON}))
flags = st.one_of(st.just(missing), st.none(), st.booleans(), st.sampled_from(["false", "true", 0, 1, ""]))
attributes = st.one_of(st.just(user()), st.just({}), st.none(), st.just(missing), st.just({"sub": ""}), st.just({"sub": None}))
clients = st.sampled_from(["gatewayclient0000000000000", "directclient00000000000000", "", "gatewayclient000000000000"])


def answer(session: object, flag: object = missing, who: object = missing, client: str | None = None) -> dict[str, Any]:
    """Call the trigger with whatever parts are given."""
    parts = {"session": session, "userNotFound": flag, "userAttributes": who}
    request = {key: value for key, value in parts.items() if value is not missing}
    called = event(SOURCE, request) if client is None else event(SOURCE, request, client=client)
    response: dict[str, Any] = define.handler(called, None)["response"]
    return response


@given(session=lists, flag=flags, who=attributes, client=clients)
def test_tokens_only_for_one_custom_challenge_answered_rightly(session: object, flag: object, who: object, client: str) -> None:
    """
    Tokens are issued if, and only if, the list is exactly one right custom challenge, of a known user, by the gateway.
    """
    exact = isinstance(session, list) and len(session) == 1 and isinstance(session[0], dict)
    first = session[0] if exact and isinstance(session, list) else {}
    won = exact and first.get("challengeName") == "CUSTOM_CHALLENGE" and first.get("challengeResult") is True
    known = (flag is missing or flag is None or flag is False) and who == user()
    allowed = client == "gatewayclient0000000000000"

    response = answer(session, flag, who, client)

    assert response["issueTokens"] is (won and known and allowed)
    # Exactly one of the three outcomes, so Cognito never has to guess.
    asked = response.get("challengeName") == "CUSTOM_CHALLENGE"
    assert [response["issueTokens"], response["failAuthentication"], asked].count(True) == 1
    assert asked is (session == [] and known and allowed)


@pytest.mark.parametrize(
    "session",
    [
        [{"challengeName": "SRP_A", "challengeResult": True}],
        [{"challengeName": "SRP_A", "challengeResult": True}, WON],
        [{"challengeName": "PASSWORD_VERIFIER", "challengeResult": True}],
        [LOST],
        [LOST, WON],
        [WON, WON],
        [WON, LOST],
        None,
        [None],
    ],
    ids=str,
)
def test_known_attacks_fail(session: object) -> None:
    """Opening with a password flow, answering twice or sending no list at all ends the sign-in."""
    assert answer(session, False, user()) == {"issueTokens": False, "failAuthentication": True}


def test_nothing_is_allowed_when_the_client_was_not_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deployed without a client id, the function refuses everybody, the empty client id included."""
    monkeypatch.delenv("GATEWAY_CLIENT_ID")

    assert answer([WON], False, user(), "")["failAuthentication"] is True
