"""W01: the caller names the first challenge, and the trigger takes its success for a sign-in."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.aws.people import People
from tests.integration.gateway.person import Person
from tests.stack import RunningStack

OPENINGS: dict[str, dict[str, str]] = {
    "SRP_A": {"CHALLENGE_NAME": "SRP_A", "SRP_A": "ab" * 384},
    "SRP_A without a value": {"CHALLENGE_NAME": "SRP_A"},
    "SRP_A of zero": {"CHALLENGE_NAME": "SRP_A", "SRP_A": "0"},
    "a value without a name": {"SRP_A": "ab" * 384},
    "another name": {"CHALLENGE_NAME": "PASSWORD_VERIFIER"},
    "a device": {"CHALLENGE_NAME": "DEVICE_SRP_AUTH", "DEVICE_KEY": "us-east-1_x"},
}
CLIENTS = {"gateway": People.through_gateway, "direct": People.direct}


def tokens_of(people: People, email: str, parameters: dict[str, str]) -> Any:
    """Go on for as long as Cognito asks, with nothing in hand; return the tokens that came, if any."""
    try:
        answer = people.start(email, **parameters)
        while "AuthenticationResult" not in answer and answer.get("Session"):
            answer = people.answer(answer, "000000", email)
    except ClientError as error:
        # Any other fault would be no refusal, and say nothing.
        if error.response["Error"]["Code"] not in {"NotAuthorizedException", "InvalidParameterException"}:
            raise
        return None
    return answer.get("AuthenticationResult")


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("client", CLIENTS)
async def test_w01_no_opening_yields_tokens(person: Person, stack: RunningStack, client: str, opening: str) -> None:
    """Whoever knows an address, and even the client's secret, gets no tokens by naming the first challenge."""
    await person.sign_up()

    assert tokens_of(CLIENTS[client](stack), person.email, OPENINGS[opening]) is None
