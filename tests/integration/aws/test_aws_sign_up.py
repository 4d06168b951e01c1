"""Sign-up through Cognito: no account without proof of the address."""

import uuid

import pytest
from botocore.exceptions import ClientError

from tests.integration.aws.people import People


def attributes(people: People, username: str) -> tuple[str, dict[str, str]]:
    """Return a user's status and attributes, as an administrator sees them."""
    user = people.cognito.admin_get_user(UserPoolId=people.pool_id, Username=username)
    return user["UserStatus"], {item["Name"]: item["Value"] for item in user["UserAttributes"]}


def test_proof_of_the_address_confirms_and_verifies_at_once(gateway: People) -> None:
    """With an assertion for the address the account is confirmed, and the address verified, by SignUp itself."""
    email = f"{uuid.uuid4().hex}@example.test"

    made = gateway.sign_up(email, gateway.assertion(purpose="sign_up", sub=email))

    status, found = attributes(gateway, email)
    assert made["UserConfirmed"] is True
    assert status == "CONFIRMED"
    assert found["email_verified"] == "true"
    assert found["sub"] == made["UserSub"]


@pytest.mark.parametrize("kind", ["none", "other address", "sign-in", "expired", "retired key", "other pool"])
def test_anything_less_makes_no_account(gateway: People, kind: str) -> None:
    """Without a fresh sign-up assertion for this address SignUp is refused, and nobody is there afterwards."""
    email = f"{uuid.uuid4().hex}@example.test"
    assertion = {
        "none": None,
        "other address": gateway.assertion(purpose="sign_up", sub="b@example.test"),
        "sign-in": gateway.assertion(purpose="sign_in", sub=email),
        "expired": gateway.assertion(purpose="sign_up", sub=email, iat=1_700_000_000, exp=1_700_000_060),
        "retired key": gateway.assertion("0a" * 32, purpose="sign_up", sub=email),
        "other pool": gateway.assertion(purpose="sign_up", sub=email, aud="us-east-1_AnotherPoo"),
    }[kind]

    with pytest.raises(gateway.cognito.exceptions.UserLambdaValidationException) as refused:
        gateway.sign_up(email, assertion)

    message = refused.value.response["Error"]["Message"]
    assert message == "PreSignUp failed with error Sign-up is not allowed."
    with pytest.raises(gateway.cognito.exceptions.UserNotFoundException):
        attributes(gateway, email)


@pytest.mark.parametrize("with_assertion", [False, True])
def test_the_direct_client_never_verifies(direct: People, with_assertion: bool) -> None:
    """Through the public client the account is confirmed and its address stays unverified, even with a good assertion."""
    email = f"{uuid.uuid4().hex}@example.test"
    assertion = direct.assertion(purpose="sign_up", sub=email) if with_assertion else None

    made = direct.sign_up(email, assertion)

    status, found = attributes(direct, email)
    assert made["UserConfirmed"] is True
    assert status == "CONFIRMED"
    assert found.get("email_verified", "false") == "false"


def test_nobody_calls_an_address_verified_for_themselves(direct: People) -> None:
    """Whoever signs up may not write email_verified."""
    email = f"{uuid.uuid4().hex}@example.test"

    with pytest.raises(ClientError, match="NotAuthorizedException"):
        direct.cognito.sign_up(
            ClientId=direct.client_id,
            Username=email,
            Password="0.4fzyo82mvyrX-0.9xqwm1c",
            UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
        )


def test_the_gateway_client_needs_its_secret(gateway: People) -> None:
    """Whoever lacks the client's secret cannot even ask."""
    email = f"{uuid.uuid4().hex}@example.test"
    gateway.secret = "not the secret"

    with pytest.raises(ClientError, match="NotAuthorizedException"):
        gateway.sign_up(email, gateway.assertion(purpose="sign_up", sub=email))


def test_an_address_has_one_account_in_any_case(gateway: People) -> None:
    """The same address in other letters is the same account."""
    email, _ = gateway.make()

    with pytest.raises(gateway.cognito.exceptions.UsernameExistsException):
        gateway.sign_up(email.upper(), gateway.assertion(purpose="sign_up", sub=email))
