"""Pre sign-up, Create and Verify: who gets in, what is refused, and what is written to the log."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.cognito_triggers import create, define, pre_sign_up, verify
from tests.unit.triggers.minting import DIRECT_CLIENT, EMAIL, KEY, OTHER_KEY, POOL, SUB, UNKNOWN_CLIENT, event, mint, user

VERIFY = "VerifyAuthChallengeResponse_Authentication"


def verified(answer: object, *, client: str | None = None, **changes: Any) -> bool:
    """Ask Verify about an answer."""
    request = {"userAttributes": user(), "privateChallengeParameters": {}, "challengeAnswer": answer, **changes}
    called = event(VERIFY, request) if client is None else event(VERIFY, request, client=client)
    correct: bool = verify.handler(called, None)["response"]["answerCorrect"]
    return correct


def sign_up(assertion: object, *, email: str = EMAIL, source: str = "PreSignUp_SignUp", **changes: Any) -> dict[str, Any]:
    """Ask Pre sign-up for an account."""
    request = {"userAttributes": {"email": email}, "validationData": {}, "clientMetadata": {"assertion": assertion}}
    response: dict[str, Any] = pre_sign_up.handler(event(source, {**request, **changes}), None)["response"]
    return response


def up(**changes: Any) -> str:
    """Mint a sign-up assertion for the usual address."""
    return mint(**{"purpose": "sign_up", "sub": EMAIL, **changes})


def test_verify_accepts_a_sign_in_assertion_for_this_user() -> None:
    """The assertion of this user, pool and purpose is the right answer, and stays so when Cognito asks again."""
    answer = mint()

    assert verified(answer)
    assert verified(answer)


@pytest.mark.parametrize(
    "answer",
    [
        lambda: mint(OTHER_KEY),
        lambda: mint(sub="another"),
        lambda: mint(aud="us-east-1_AnotherPoo"),
        up,
        lambda: up(sub=SUB),
        lambda: mint(iat=1, exp=61),
        lambda: "",
        lambda: None,
    ],
    ids=["retired key", "other user", "other pool", "sign-up", "sign-up with sub", "expired", "empty", "none"],
)
def test_verify_refuses_every_other_answer(answer: Callable[[], object]) -> None:
    """A retired key, another user, another pool, another purpose, an old or absent assertion is a wrong answer."""
    assert not verified(answer())


@pytest.mark.parametrize("client", [DIRECT_CLIENT, UNKNOWN_CLIENT, ""])
def test_verify_refuses_an_assertion_through_another_client(client: str) -> None:
    """A good assertion that comes through any other app client is a wrong answer."""
    assert not verified(mint(), client=client)


@pytest.mark.parametrize("flag", [True, "true", 1, "false"])
def test_verify_refuses_a_user_who_does_not_exist(flag: object) -> None:
    """For the stand-in of an unknown user nothing is right, however good the assertion."""
    assert not verified(mint(), userNotFound=flag)
    assert not verified(mint(sub=""), userNotFound=False, userAttributes={})


def test_verify_refuses_when_no_key_is_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without keys nobody gets in, and the function does not crash."""
    monkeypatch.delenv("ASSERTION_KEYS")

    assert not verified(mint())


@given(st.dictionaries(st.text(max_size=12), st.none() | st.text(max_size=9) | st.integers() | st.booleans(), max_size=4))
def test_verify_never_raises(request_part: dict[str, Any]) -> None:
    """Whatever shape the request has, the answer is a plain no."""
    called = event(VERIFY, {})
    called["request"] = request_part

    assert verify.handler(called, None)["response"] == {"answerCorrect": False}


def test_create_asks_for_nothing() -> None:
    """The challenge is empty, so the client learns nothing from it."""
    response = create.handler(event("CreateAuthChallenge_Authentication", {"session": []}), None)["response"]

    assert response["publicChallengeParameters"] == {}
    assert response["privateChallengeParameters"] == {}


def test_sign_up_with_proof_of_the_address_is_confirmed_and_verified() -> None:
    """An assertion for this very address confirms the account and verifies the address; case does not matter."""
    expected = {"autoConfirmUser": True, "autoVerifyEmail": True, "autoVerifyPhone": False}

    assert sign_up(up()) == expected
    assert sign_up(up(), email="A@Example.test") == expected


@pytest.mark.parametrize(
    "assertion",
    [
        lambda: mint(OTHER_KEY, purpose="sign_up", sub=EMAIL),
        lambda: up(sub="b@example.test"),
        lambda: up(aud="us-east-1_AnotherPoo"),
        mint,
        lambda: None,
        lambda: "",
        dict,
    ],
    ids=["retired key", "other address", "other pool", "sign-in", "none", "empty", "object"],
)
def test_sign_up_without_proof_of_the_address_is_refused(assertion: Callable[[], object]) -> None:
    """No account comes to be without an assertion for this address, and the refusal does not say why."""
    with pytest.raises(pre_sign_up.SignUpRefused, match=r"^Sign-up is not allowed\.$"):
        sign_up(assertion())


@pytest.mark.parametrize("source", ["PreSignUp_ExternalProvider", "", "PreSignUp_Signup"])
def test_sign_up_by_another_way_is_refused(source: str) -> None:
    """A federated or unknown kind of sign-up is refused, even with a good assertion."""
    with pytest.raises(pre_sign_up.SignUpRefused):
        sign_up(up(), source=source)


def test_sign_up_without_an_address_is_refused() -> None:
    """An empty address never matches, not even an assertion for the empty address."""
    with pytest.raises(pre_sign_up.SignUpRefused):
        sign_up(up(sub=""), email="")


def test_an_operator_may_still_create_a_user() -> None:
    """AdminCreateUser needs IAM rights, so the trigger leaves it alone."""
    assert sign_up(None, source="PreSignUp_AdminCreateUser") == {}


@pytest.mark.parametrize(
    ("module", "source", "request_part"),
    [
        (define, "DefineAuthChallenge_Authentication", lambda: {"session": []}),
        (create, "CreateAuthChallenge_Authentication", lambda: {"session": []}),
        (verify, VERIFY, lambda: {"challengeAnswer": mint()}),
        (verify, VERIFY, lambda: {"challengeAnswer": mint(OTHER_KEY)}),
        (pre_sign_up, "PreSignUp_SignUp", lambda: {"clientMetadata": {"assertion": up()}}),
        (pre_sign_up, "PreSignUp_SignUp", lambda: {"clientMetadata": {"assertion": up(sub="b@example.test")}}),
    ],
    ids=["define", "create", "verify", "verify refused", "sign-up", "sign-up refused"],
)
def test_each_call_writes_one_json_line_without_secrets(
    module: Any, source: str, request_part: Callable[[], dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    """One line for each call: what was decided and for which pool, never an address, an assertion or a key."""
    called = event(source, {"userAttributes": user(), **request_part()})
    with contextlib.suppress(pre_sign_up.SignUpRefused):
        module.handler(called, None)

    printed = capsys.readouterr().out
    (line,) = printed.splitlines()
    written = json.loads(line)
    assert written["event"].startswith("trigger.")
    assert written["outcome"]
    assert written["user_pool_id"] == POOL
    for secret in (EMAIL, "example.test", KEY, OTHER_KEY, "eyJ"):
        assert secret not in line
