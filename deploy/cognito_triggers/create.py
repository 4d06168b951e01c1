"""
Create auth challenge.

* Through the gateway's client: an empty challenge. The person has already been challenged by the time the gateway comes to
  Cognito, so there is nothing to tell the client and nothing to remember for Verify.
* Through the direct client: the challenge service tracks the sign-in with Authsignal, and the app gets the token that its Web
  SDK goes on with. An unknown user gets a decoy from the same place, of the same shape, after about the same time.

Which action a sign-in belongs to is in the challenge's metadata: Cognito shows it to this function again after a wrong answer,
and to nobody else. All rounds of one sign-in, and calls that Cognito repeats in a later round, so track one action. The first
call has nothing that names its sign-in, and must not make a key from the user's name or the time: two people who sign in as one
user at once would share an action, and the proof of one would let in the other. Repeated, it tracks a second action whose token
nobody ever gets.
"""

import os
import re
from typing import Any, Final

from deploy.cognito_triggers.challenge_service import ChallengeServiceFailed, ask
from deploy.cognito_triggers.event import AppClient, app_client, log_line, section, text, user_is_known

PATH: Final = "/v1/direct/challenges"
KEY: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class SignInUnavailable(Exception):
    """No challenge could be made. Cognito passes this text to its caller, so it says nothing about why."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """
    Answer Cognito: the same event with a challenge.

    Raises:
        SignInUnavailable: The challenge service did not answer.
    """
    if app_client(event, os.environ) is not AppClient.DIRECT:
        print(log_line(event, trigger="create", outcome="challenge"))
        event["response"] = _challenge({}, {}, "ASSERTION")
        return event
    try:
        event["response"], key = _tracked(event, str(getattr(context, "aws_request_id", "")))
    except ChallengeServiceFailed as failed:
        print(log_line(event, trigger="create", outcome="failed", reason=failed.reason))
        raise SignInUnavailable("Sign-in is not available right now. Try again in a moment.") from None
    print(log_line(event, trigger="create", outcome="challenge", attempt_id=key))
    return event


def _tracked(event: dict[str, Any], request_id: str) -> tuple[dict[str, Any], str]:
    request = section(event, "request")
    answered = request.get("session")
    round_number = len(answered) + 1 if isinstance(answered, list) else 1
    answer = ask(PATH, {**_person(event), "idempotency_key": _key_of(answered)}, environment=os.environ, request_id=request_id)
    token, key, challenge_id = text(answer, "token"), text(answer, "idempotency_key"), text(answer, "challenge_id")
    if not (token and key and challenge_id):
        raise ChallengeServiceFailed("unreadable")
    kept = {"idempotency_key": key, "challenge_id": challenge_id, "round": str(round_number)}
    return _challenge({"token": token}, kept, key), key


def _person(event: dict[str, Any]) -> dict[str, Any]:
    """Say who signs in: with a ``sub`` when Cognito knows them, and by what they are called in any case."""
    request = section(event, "request")
    attributes = section(request, "userAttributes")
    person: dict[str, Any] = {"username": text(event, "userName")}
    if user_is_known(request):
        person["sub"] = text(attributes, "sub")
        person["email"] = text(attributes, "email")
        person["is_email_verified"] = text(attributes, "email_verified") == "true"
    return person


def _key_of(answered: object) -> str | None:
    last = answered[-1] if isinstance(answered, list) and answered else None
    key = text(last, "challengeMetadata") if isinstance(last, dict) else ""
    return key if KEY.fullmatch(key) else None


def _challenge(public: dict[str, str], private: dict[str, str], metadata: str) -> dict[str, Any]:
    return {
        "publicChallengeParameters": public,
        "privateChallengeParameters": private,
        "challengeMetadata": metadata,
    }
