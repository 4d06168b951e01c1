"""Sign-in through Cognito: tokens for a fresh assertion about this user, and for nothing else."""

import time
import uuid
from typing import Any

import jwt
import pytest
from botocore.exceptions import ClientError

from tests.integration.aws.people import People

REFUSED = "NotAuthorizedException"


def refusal(call: Any, *arguments: Any, **named: Any) -> str:
    """Return the code of the error that a call must end in."""
    with pytest.raises(ClientError) as raised:
        call(*arguments, **named)
    code: str = raised.value.response["Error"]["Code"]
    return code


def test_a_fresh_assertion_yields_tokens(gateway: People) -> None:
    """The gateway's own way: one challenge, answered with an assertion for this user, gives all three tokens."""
    email, sub = gateway.make()

    tokens = gateway.sign_in(email, sub)

    user = gateway.cognito.get_user(AccessToken=tokens["AccessToken"])
    assert user["Username"] == sub
    assert tokens["RefreshToken"]
    assert tokens["IdToken"]
    assert tokens["ExpiresIn"] == 600


@pytest.mark.parametrize(
    "parameters", [{"CHALLENGE_NAME": "SRP_A", "SRP_A": "A" * 768}, {"CHALLENGE_NAME": "SRP_A"}, {"SRP_A": "1"}]
)
@pytest.mark.parametrize("which", ["gateway", "direct"])
def test_starting_with_a_password_flow_never_yields_tokens(
    which: str, parameters: dict[str, str], request: pytest.FixtureRequest, gateway: People
) -> None:
    """A caller who opens with SRP_A, so that the list already holds a success, is refused on either client."""
    email, _ = gateway.make()
    people: People = request.getfixturevalue(which)

    assert refusal(people.start, email, **parameters) == REFUSED


@pytest.mark.parametrize("kind", ["expired", "other user", "other pool", "retired key", "sign-up", "rubbish", "space"])
def test_no_other_answer_yields_tokens(gateway: People, kind: str) -> None:
    """An assertion that is old, about somebody else, for another pool or purpose, or by a retired key is refused."""
    email, sub = gateway.make()
    now = int(time.time())
    answer = {
        "expired": gateway.assertion(sub=sub, iat=now - 120, exp=now - 60),
        "other user": gateway.assertion(sub=str(uuid.uuid4())),
        "other pool": gateway.assertion(sub=sub, aud="us-east-1_AnotherPoo"),
        "retired key": gateway.assertion("0a" * 32, sub=sub),
        "sign-up": gateway.assertion(sub=sub, purpose="sign_up"),
        "rubbish": "123456",
        "space": " ",
    }[kind]
    started = gateway.start(email)

    assert refusal(gateway.answer, started, answer) == REFUSED
    # The failed round is over: not even a good assertion revives it.
    assert refusal(gateway.answer, started, gateway.assertion(sub=sub)) == REFUSED


def test_the_direct_client_needs_the_challenge_service(direct: People, gateway: People) -> None:
    """While the challenge service is away nobody gets a challenge, and a known address fails like an unknown one."""
    email, _ = gateway.make()
    said = set()

    for username in (email, "nobody@example.test"):
        with pytest.raises(ClientError) as raised:
            direct.start(username)
        said.add((raised.value.response["Error"]["Code"], raised.value.response["Error"]["Message"]))

    message = "CreateAuthChallenge failed with error Sign-in is not available right now. Try again in a moment."
    assert said == {("UserLambdaValidationException", message)}


def test_an_unknown_address_is_refused_like_a_wrong_answer(gateway: People) -> None:
    """Cognito walks an unknown user through the triggers, and they refuse with the words of any refusal."""
    with pytest.raises(ClientError, match=r"Incorrect username or password\.") as raised:
        gateway.start(f"{uuid.uuid4().hex}@example.test")

    assert raised.value.response["Error"]["Code"] == REFUSED


@pytest.mark.parametrize("flow", ["USER_PASSWORD_AUTH", "USER_SRP_AUTH"])
def test_the_clients_know_no_password_flow(gateway: People, flow: str) -> None:
    """Neither password flow is enabled on the client."""
    email, _ = gateway.make()
    parameters = {"USERNAME": email, "PASSWORD": "x" * 20, "SRP_A": "A" * 64, "SECRET_HASH": gateway.hash(email)}

    code = refusal(gateway.cognito.initiate_auth, ClientId=gateway.client_id, AuthFlow=flow, AuthParameters=parameters)

    assert code in {"InvalidParameterException", REFUSED}


def test_a_session_string_is_good_for_one_answer_by_its_user(gateway: People) -> None:
    """A used session, and one answered in another user's name, are refused."""
    email, sub = gateway.make()
    _, other = gateway.make()
    started = gateway.start(email)

    assert refusal(gateway.answer, started, gateway.assertion(sub=other), other) == REFUSED
    assert gateway.answer(started, gateway.assertion(sub=sub))["AuthenticationResult"]
    assert refusal(gateway.answer, started, gateway.assertion(sub=sub)) == REFUSED


def test_refresh_tokens_rotate(gateway: People) -> None:
    """A refresh gives a new refresh token, wants the client's secret, and is not available by the old flow."""
    email, sub = gateway.make()
    tokens = gateway.sign_in(email, sub)
    given = {"ClientId": gateway.client_id, "RefreshToken": tokens["RefreshToken"]}
    refresh = gateway.cognito.get_tokens_from_refresh_token

    renewed = refresh(**given, ClientSecret=gateway.secret)["AuthenticationResult"]

    assert renewed["RefreshToken"] != tokens["RefreshToken"]
    assert refusal(refresh, **given, ClientSecret="wrong" * 8) == REFUSED
    old_flow = {"REFRESH_TOKEN": renewed["RefreshToken"], "SECRET_HASH": gateway.hash(sub)}
    start = gateway.cognito.initiate_auth
    code = refusal(start, ClientId=gateway.client_id, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=old_flow)
    assert code == "InvalidParameterException"


def test_nobody_changes_what_was_proven_about_them(gateway: People) -> None:
    """With an access token of one's own neither email_verified nor, without a code sent there, the address can be changed."""
    email, sub = gateway.make()
    token = gateway.sign_in(email, sub)["AccessToken"]
    update = gateway.cognito.update_user_attributes

    assert refusal(update, AccessToken=token, UserAttributes=[{"Name": "email_verified", "Value": "true"}]) == REFUSED
    update(AccessToken=token, UserAttributes=[{"Name": "email", "Value": "b@example.test"}, {"Name": "name", "Value": "B"}])

    user = gateway.cognito.get_user(AccessToken=token)
    found = {item["Name"]: item["Value"] for item in user["UserAttributes"]}
    assert (found["email"], found["name"]) == (email, "B")


def test_a_refreshed_token_keeps_the_time_of_the_sign_in(gateway: People) -> None:
    """Refreshing is no proof of anything, so auth_time stays; over a second rotation too."""
    email, sub = gateway.make()
    tokens = gateway.sign_in(email, sub)
    signed_in_at = jwt.decode(tokens["AccessToken"], options={"verify_signature": False})["auth_time"]

    for _ in range(2):
        time.sleep(1.1)
        tokens = gateway.cognito.get_tokens_from_refresh_token(
            ClientId=gateway.client_id, ClientSecret=gateway.secret, RefreshToken=tokens["RefreshToken"]
        )["AuthenticationResult"]
        claims = jwt.decode(tokens["AccessToken"], options={"verify_signature": False})
        assert claims["auth_time"] == signed_in_at < claims["iat"]


def test_the_demo_auditor_can_sign_in_and_is_in_the_group(gateway: People) -> None:
    """The auditor signs in like everybody, and the token names the group that may read the audit log."""
    auditor = gateway.account["auditor_email"]
    user = gateway.cognito.admin_get_user(UserPoolId=gateway.pool_id, Username=auditor)
    found = {item["Name"]: item["Value"] for item in user["UserAttributes"]}

    tokens = gateway.sign_in(auditor, found["sub"])

    claims = jwt.decode(tokens["AccessToken"], options={"verify_signature": False})
    assert claims["cognito:groups"] == ["security-auditors"]
    assert found["email_verified"] == "true"
