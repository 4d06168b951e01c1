"""Define auth challenge: the one function that can hand out tokens, tried on every list it could ever get."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.cognito_triggers import define
from tests.unit.triggers.minting import DIRECT_CLIENT, GATEWAY_CLIENT, UNKNOWN_CLIENT, event, user

SOURCE = "DefineAuthChallenge_Authentication"
WON = {"challengeName": "CUSTOM_CHALLENGE", "challengeResult": True, "challengeMetadata": "ASSERTION"}
LOST = {**WON, "challengeResult": False}
ASKED = {"issueTokens": False, "failAuthentication": False, "challengeName": "CUSTOM_CHALLENGE"}
FAILED = {"issueTokens": False, "failAuthentication": True}

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
clients = st.sampled_from([GATEWAY_CLIENT, DIRECT_CLIENT, UNKNOWN_CLIENT, "", GATEWAY_CLIENT[:-1]])
# Lists that come near to tokens, which random ones seldom do.
near = st.lists(st.sampled_from([WON, LOST, {**LOST, "challengeName": "SRP_A"}, {**WON, "challengeResult": 1}]), max_size=5)


def answer(session: object, flag: object = missing, who: object = missing, client: str | None = None) -> dict[str, Any]:
    """Call the trigger with whatever parts are given."""
    parts = {"session": session, "userNotFound": flag, "userAttributes": who}
    request = {key: value for key, value in parts.items() if value is not missing}
    called = event(SOURCE, request) if client is None else event(SOURCE, request, client=client)
    response: dict[str, Any] = define.handler(called, None)["response"]
    return response


def is_answer(entry: object, result: bool) -> bool:
    """Say whether an entry is a custom challenge that was answered so."""
    return (
        isinstance(entry, dict) and entry.get("challengeName") == "CUSTOM_CHALLENGE" and entry.get("challengeResult") is result
    )


@given(session=lists | near, flag=flags, who=attributes, client=clients)
def test_tokens_only_for_a_right_answer_after_as_many_wrong_ones_as_the_client_may_give(
    session: object, flag: object, who: object, client: str
) -> None:
    """
    Tokens are issued if, and only if, the last entry is a custom challenge answered rightly, all before it are custom
    challenges answered wrongly, none of them with the gateway's client and at most two with the direct one, and the user is
    known.
    """
    wrong_max = {GATEWAY_CLIENT: 0, DIRECT_CLIENT: 2}.get(client, -1)
    entries = session if isinstance(session, list) else [None]
    is_won = bool(entries) and is_answer(entries[-1], True)
    wrong = entries[:-1] if is_won else entries
    is_clean = all(is_answer(entry, False) for entry in wrong) and len(wrong) <= wrong_max
    known = (flag is missing or flag is None or flag is False) and who == user()

    response = answer(session, flag, who, client)

    assert response["issueTokens"] is (is_won and is_clean and known)
    # Exactly one of the three outcomes, so Cognito never has to guess.
    asked = response.get("challengeName") == "CUSTOM_CHALLENGE"
    assert [response["issueTokens"], response["failAuthentication"], asked].count(True) == 1
    assert asked is (not is_won and is_clean and (known or client == DIRECT_CLIENT))


@pytest.mark.parametrize("wrong", [0, 1, 2])
@pytest.mark.parametrize("known", [True, False])
def test_the_direct_client_is_asked_three_times(wrong: int, known: bool) -> None:
    """Up to two wrong answers another is asked for, of a known user and an unknown one alike."""
    assert answer([LOST] * wrong, not known, user() if known else {}, DIRECT_CLIENT) == ASKED


@pytest.mark.parametrize("session", [[LOST] * 3, [LOST] * 3 + [WON], [LOST] * 4, [WON, LOST], [LOST, WON, WON]], ids=str)
def test_the_direct_client_fails_at_the_third_wrong_answer(session: list[object]) -> None:
    """Three wrong answers end the sign-in, whatever follows; so does anything after a right one."""
    assert answer(session, False, user(), DIRECT_CLIENT) == FAILED


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_a_stand_in_never_gets_tokens_from_the_direct_client(wrong: int) -> None:
    """Should a right answer ever be recorded of a user who does not exist, there are still no tokens."""
    assert answer([LOST] * wrong + [WON], True, {}, DIRECT_CLIENT) == FAILED


@pytest.mark.parametrize("client", [GATEWAY_CLIENT, DIRECT_CLIENT])
@pytest.mark.parametrize(
    "session",
    [
        [{"challengeName": "SRP_A", "challengeResult": True}],
        [{"challengeName": "SRP_A", "challengeResult": True}, WON],
        [{"challengeName": "PASSWORD_VERIFIER", "challengeResult": True}],
        [WON, WON],
        [WON, LOST],
        None,
        [None],
    ],
    ids=str,
)
def test_known_attacks_fail(session: object, client: str) -> None:
    """Opening with a password flow, answering twice or sending no list at all ends the sign-in, on either client."""
    assert answer(session, False, user(), client) == FAILED


@pytest.mark.parametrize("session", [[LOST], [LOST, WON]], ids=str)
def test_the_gateway_gets_no_second_round(session: object) -> None:
    """The gateway comes with a proof in hand: one wrong answer ends its sign-in."""
    assert answer(session, False, user(), GATEWAY_CLIENT) == FAILED


@pytest.mark.parametrize("client", [GATEWAY_CLIENT, DIRECT_CLIENT, ""])
def test_nothing_is_allowed_when_no_client_was_deployed(client: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deployed without client ids, or with empty ones, the function refuses everybody, the empty client id included."""
    monkeypatch.delenv("GATEWAY_CLIENT_ID")
    monkeypatch.setenv("DIRECT_CLIENT_ID", "")

    assert answer([WON], False, user(), client) == FAILED
    assert answer([], False, user(), client) == FAILED
