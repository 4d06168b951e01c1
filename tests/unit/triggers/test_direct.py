"""The direct client's column: what the triggers ask the challenge service, and what they make of its answers."""

import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from deploy.cognito_triggers import challenge_service, create, pre_sign_up, verify
from tests.unit.triggers.minting import DIRECT_CLIENT, EMAIL, SUB, UNKNOWN_CLIENT, event, user
from tests.unit.triggers.service import FakeService

CREATE = "CreateAuthChallenge_Authentication"
VERIFY = "VerifyAuthChallengeResponse_Authentication"
KEY = "0b2f4c1e-6f0e-4c9a-8f52-6f3a5f1f0c11"
CHALLENGE = "5f6f0d0e-2a52-4c0c-9b77-3a2d2f1b9f10"
NAME = "9a0b1c2d-0000-4000-8000-00000000b001"
KEPT = {"idempotency_key": KEY, "challenge_id": CHALLENGE, "round": "2"}
TOKEN = "header.claims.signature"
SERVICE_TOKEN = "7c" * 32
INVOCATION = SimpleNamespace(aws_request_id="6f1d7e3a-invocation-1")


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeService]:
    """A challenge service, and the triggers deployed for it."""
    service = FakeService()
    service.start()
    monkeypatch.setenv("CHALLENGE_URL", service.url)
    monkeypatch.setenv("CHALLENGE_TOKEN", SERVICE_TOKEN)
    yield service
    service.stop()


def created(*, client: str = DIRECT_CLIENT, **request: Any) -> dict[str, Any]:
    """Call Create for a known user, with changes."""
    called = event(CREATE, {"userAttributes": user(), "session": [], **request}, client=client)
    response: dict[str, Any] = create.handler(called, INVOCATION)["response"]
    return response


def verified(**request: Any) -> bool:
    """Call Verify for a known user, with changes."""
    given = {"userAttributes": user(), "privateChallengeParameters": KEPT, "challengeAnswer": TOKEN, **request}
    correct: bool = verify.handler(event(VERIFY, given, client=DIRECT_CLIENT), INVOCATION)["response"]["answerCorrect"]
    return correct


def test_sign_up_confirms_and_never_verifies() -> None:
    """Through the direct client an account is confirmed without proof, and its address stays unverified."""
    called = event("PreSignUp_SignUp", {"userAttributes": {"email": EMAIL}}, client=DIRECT_CLIENT)

    response = pre_sign_up.handler(called, None)["response"]

    assert response == {"autoConfirmUser": True, "autoVerifyEmail": False, "autoVerifyPhone": False}


@pytest.mark.parametrize("source", ["PreSignUp_ExternalProvider", ""])
def test_only_sign_up_itself_is_confirmed(source: str) -> None:
    """A federated or unknown kind of sign-up is refused through the direct client too."""
    with pytest.raises(pre_sign_up.SignUpRefused):
        pre_sign_up.handler(event(source, {"userAttributes": {"email": EMAIL}}, client=DIRECT_CLIENT), None)


def test_sign_up_through_an_unknown_client_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that was not deployed makes no account; nor does any while the direct client is off."""
    request = {"userAttributes": {"email": EMAIL}}
    with pytest.raises(pre_sign_up.SignUpRefused):
        pre_sign_up.handler(event("PreSignUp_SignUp", request, client=UNKNOWN_CLIENT), None)

    monkeypatch.setenv("DIRECT_CLIENT_ID", "")
    for client in (DIRECT_CLIENT, ""):
        with pytest.raises(pre_sign_up.SignUpRefused):
            pre_sign_up.handler(event("PreSignUp_SignUp", request, client=client), None)


def test_create_hands_out_the_token_and_keeps_the_rest(service: FakeService) -> None:
    """The app gets the token alone; what Verify compares is private, and the key is kept for another round."""
    service.answers(token=TOKEN, idempotency_key=KEY, challenge_id=CHALLENGE)

    assert created() == {
        "publicChallengeParameters": {"token": TOKEN},
        "privateChallengeParameters": {"idempotency_key": KEY, "challenge_id": CHALLENGE, "round": "1"},
        "challengeMetadata": KEY,
    }

    (asked,) = service.asked
    assert asked.path == "/v1/direct/challenges"
    assert asked.headers["Authorization"] == f"Bearer {SERVICE_TOKEN}"
    assert asked.headers["X-Request-Id"] == INVOCATION.aws_request_id
    assert asked.body == {
        "username": SUB,
        "sub": SUB,
        "email": EMAIL,
        "is_email_verified": True,
        "idempotency_key": None,
    }


def test_a_further_round_is_of_the_same_action(service: FakeService) -> None:
    """After a wrong answer the key that Cognito remembers goes along, so that the same action is tracked."""
    service.answers(token=TOKEN, idempotency_key=KEY, challenge_id=CHALLENGE)
    lost = {"challengeName": "CUSTOM_CHALLENGE", "challengeResult": False, "challengeMetadata": KEY}

    response = created(session=[lost, lost])

    assert service.asked[0].body["idempotency_key"] == KEY
    assert response["privateChallengeParameters"]["round"] == "3"


@pytest.mark.parametrize("metadata", [None, "", "ASSERTION", f"{KEY}x", KEY.upper(), 7])
def test_metadata_that_is_no_key_is_none(service: FakeService, metadata: object) -> None:
    """Only a key that the service could have made goes back to it."""
    service.answers(token=TOKEN, idempotency_key=KEY, challenge_id=CHALLENGE)

    created(session=[{"challengeMetadata": metadata}])

    assert service.asked[0].body["idempotency_key"] is None


@pytest.mark.parametrize(
    "request_part", [{"userNotFound": True, "userAttributes": {}}, {"userNotFound": "false"}, {"userAttributes": {}}], ids=str
)
def test_a_stand_in_is_asked_about_without_a_sub(service: FakeService, request_part: dict[str, Any]) -> None:
    """Somebody who does not exist gets what everybody gets; the service is told no sub and no address."""
    service.answers(token=TOKEN, idempotency_key=KEY, challenge_id=CHALLENGE)
    called = event(CREATE, {"userAttributes": user(), "session": [], **request_part}, client=DIRECT_CLIENT)
    called["userName"] = NAME

    response = create.handler(called, INVOCATION)["response"]

    assert response["publicChallengeParameters"] == {"token": TOKEN}
    assert service.asked[0].body == {"username": NAME, "idempotency_key": None}


def test_an_unverified_address_is_told(service: FakeService) -> None:
    """Whether Cognito holds the address for verified goes along, and only the text true means that it does."""
    service.answers(token=TOKEN, idempotency_key=KEY, challenge_id=CHALLENGE)

    for value in ("false", "", "True", None):
        created(userAttributes=user(email_verified=value))

    assert [asked.body["is_email_verified"] for asked in service.asked] == [False] * 4


@pytest.mark.parametrize(
    ("status", "content", "reason"),
    [
        (503, b"{}", "status_503"),
        (401, b"{}", "status_401"),
        (200, b"", "unreadable"),
        (200, b"[]", "unreadable"),
        (200, b'{"token": "t"}', "unreadable"),
        (200, b'{"token": 1, "idempotency_key": "k", "challenge_id": "c"}', "unreadable"),
        (200, b'{"token": "' + b"t" * 70_000 + b'"}', "unreadable"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_no_challenge_without_a_good_answer(
    service: FakeService, status: int, content: bytes, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A refusal, rubbish or half an answer of the service ends in one sentence for the caller and one word in the log."""
    service.status, service.content = status, content

    with pytest.raises(create.SignInUnavailable, match=r"^Sign-in is not available right now\. Try again in a moment\.$"):
        created()

    assert json.loads(capsys.readouterr().out)["reason"] == reason


def test_other_clients_never_reach_the_service(service: FakeService) -> None:
    """The gateway's challenge is empty, and so is an unknown client's."""
    for client in ("gatewayclient0000000000000", UNKNOWN_CLIENT):
        assert created(client=client)["publicChallengeParameters"] == {}
    assert service.asked == []


def test_verify_asks_with_what_create_kept(service: FakeService) -> None:
    """The answer, the key, the challenge and the round go to the service, and its yes is the answer."""
    service.answers(is_correct=True)

    assert verified()

    (asked,) = service.asked
    assert asked.path == "/v1/direct/answers"
    assert asked.body == {
        "username": SUB,
        "sub": SUB,
        "email": EMAIL,
        "is_email_verified": True,
        "idempotency_key": KEY,
        "challenge_id": CHALLENGE,
        "round": 2,
        "answer": TOKEN,
    }


@pytest.mark.parametrize("said", [False, None, "true", 1, {}, []])
def test_only_a_plain_yes_is_one(service: FakeService, said: object) -> None:
    """Whatever is not the JSON value true is a wrong answer."""
    service.answers(is_correct=said)

    assert not verified()


@pytest.mark.parametrize("request_part", [{"userNotFound": True}, {"userAttributes": {}}, {"userNotFound": "false"}], ids=str)
def test_a_stand_in_is_never_right(service: FakeService, request_part: dict[str, Any]) -> None:
    """Even if the service said yes about somebody who does not exist, the answer is wrong; and it was asked, as always."""
    service.answers(is_correct=True)

    assert not verified(**request_part)

    assert "sub" not in service.asked[0].body


@pytest.mark.parametrize("kept", [None, {}, {"idempotency_key": KEY}, {**KEPT, "round": "x"}, {**KEPT, "round": "²"}], ids=str)
def test_an_answer_to_no_challenge_is_wrong(service: FakeService, kept: object) -> None:
    """Without what Create kept there is nothing to compare, and nobody is asked."""
    service.answers(is_correct=True)

    assert not verified(privateChallengeParameters=kept)
    assert service.asked == []


@pytest.mark.parametrize("answer", [None, 7, ["x"], "x" * 8193])
def test_an_answer_that_cannot_be_a_token_is_asked_about_as_an_empty_one(service: FakeService, answer: object) -> None:
    """What is no text, or too long for one, still counts as a wrong answer in the log."""
    service.answers(is_correct=False)

    assert not verified(challengeAnswer=answer)
    assert service.asked[0].body["answer"] == ""


@pytest.mark.parametrize("broken", ["down", "not deployed", "no token", "another scheme"])
def test_verify_never_raises(service: FakeService, broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that is away or was never deployed makes every answer wrong."""
    if broken == "down":
        monkeypatch.setenv("CHALLENGE_URL", "http://127.0.0.1:9")
    elif broken == "not deployed":
        monkeypatch.delenv("CHALLENGE_URL")
    elif broken == "no token":
        monkeypatch.setenv("CHALLENGE_TOKEN", "")
    else:
        monkeypatch.setenv("CHALLENGE_URL", "file:///etc/passwd")
    service.answers(is_correct=True)

    assert not verified()


@pytest.mark.parametrize("slow", ["before the answer", "drop by drop"])
def test_the_deadline_holds_for_everything(service: FakeService, slow: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that is silent, or that sends a byte now and then, is given up at the deadline."""
    service.answers(is_correct=True)
    if slow == "before the answer":
        service.delay_seconds = 10.0
    else:
        service.drip_seconds = 0.1
    started = time.monotonic()

    with pytest.raises(challenge_service.ChallengeServiceFailed, match="too_slow"):
        challenge_service.ask(
            "/v1/x",
            {},
            environment={"CHALLENGE_URL": service.url, "CHALLENGE_TOKEN": SERVICE_TOKEN},
            seconds_max=0.4,
        )

    assert time.monotonic() - started < 5
    assert challenge_service.SECONDS_MAX == 4.0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(service: FakeService, status: int) -> None:
    """The token goes to the deployed address alone."""
    service.status, service.location = status, f"{service.url}/elsewhere"

    assert not verified()
    assert [asked.path for asked in service.asked] == ["/v1/direct/answers"]


def test_no_proxy_is_used(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment does not get to see the token."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    service.answers(is_correct=True)

    assert verified()


def test_each_call_writes_one_line_without_secrets(service: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each call, joined to the log by the sign-in's key; no address, no token of anybody."""
    service.answers(token=TOKEN, idempotency_key=KEY, challenge_id=CHALLENGE, is_correct=True)
    created()
    verified()
    verified(challengeAnswer="")

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all(json.loads(line)["attempt_id"] == KEY for line in lines)
    for secret in (EMAIL, TOKEN, SERVICE_TOKEN):
        assert secret not in "".join(lines)
