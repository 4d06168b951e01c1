"""W02: a password flow beside the challenge, which skips it."""

import functools

import pytest
from botocore.exceptions import ClientError

from tests.integration.aws.people import People
from tests.integration.gateway.person import Person
from tests.stack import RunningStack

PASSWORD = "A-password-that-the-attacker-knows-1!"
FLOWS = ("USER_PASSWORD_AUTH", "USER_SRP_AUTH", "USER_AUTH", "ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH")
CLIENTS = {"gateway": People.through_gateway, "direct": People.direct}


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("client", CLIENTS)
async def test_w02_a_known_password_opens_nothing(person: Person, stack: RunningStack, client: str, flow: str) -> None:
    """Even with the account's very password no password flow gets as far as a challenge, on either client."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    people = CLIENTS[client](stack)
    people.cognito.admin_set_user_password(UserPoolId=people.pool_id, Username=sub, Password=PASSWORD, Permanent=True)
    parameters = {"USERNAME": sub, "PASSWORD": PASSWORD, "SRP_A": "ab" * 384}
    if people.secret:
        parameters["SECRET_HASH"] = people.hash(sub)
    asked = {"ClientId": people.client_id, "AuthFlow": flow, "AuthParameters": parameters}
    call = people.cognito.initiate_auth
    if flow.startswith("ADMIN"):
        call = functools.partial(people.cognito.admin_initiate_auth, UserPoolId=people.pool_id)

    with pytest.raises(ClientError) as refused:
        call(**asked)

    assert refused.value.response["Error"]["Code"] in {"InvalidParameterException", "NotAuthorizedException"}


@pytest.mark.parametrize("client", ["gateway_client_id", "direct_client_id"])
def test_w02_the_clients_allow_one_flow(stack: RunningStack, client: str) -> None:
    """The live configuration of both clients allows custom authentication alone, and tells nobody who exists."""
    found = stack.aws("cognito-idp").describe_user_pool_client(
        UserPoolId=stack["aws"]["user_pool_id"], ClientId=stack["aws"][client]
    )["UserPoolClient"]

    assert found["ExplicitAuthFlows"] == ["ALLOW_CUSTOM_AUTH"]
    assert found["PreventUserExistenceErrors"] == "ENABLED"
    assert found["EnableTokenRevocation"] is True
