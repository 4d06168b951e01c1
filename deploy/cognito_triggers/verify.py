"""
Verify auth challenge.

* Through the gateway's client the answer must be a fresh sign-in assertion for this very user of this very pool.
* Through the direct client it must be the token that Authsignal's Web SDK earned; the challenge service validates it against
  what Create kept, and burns it.

It never raises: whatever is wrong, the answer is simply not correct, so an error cannot be told from a refusal.
"""

import os
import time
from collections.abc import Mapping
from typing import Any, Final

from deploy.cognito_triggers.assertion import AssertionRefused, keys_from, verify_assertion
from deploy.cognito_triggers.challenge_service import ChallengeServiceFailed, ask
from deploy.cognito_triggers.event import AppClient, app_client, log_line, section, text, user_is_known

PURPOSE = "sign_in"
PATH: Final = "/v1/direct/answers"
ANSWER_CHARACTERS_MAX: Final = 8192


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer Cognito: the same event with ``answerCorrect`` true or false."""
    client = app_client(event, os.environ)
    attempt_id = reason = ""
    try:
        if client is AppClient.DIRECT:
            attempt_id = text(section(section(event, "request"), "privateChallengeParameters"), "idempotency_key")
            reason = _refusal(event, str(getattr(context, "aws_request_id", "")))
        elif client is AppClient.GATEWAY:
            attempt_id = _accepted_attempt(event)
        else:
            reason = "client"
    except (AssertionRefused, ChallengeServiceFailed) as refused:
        reason = refused.reason
    correct = not reason
    print(log_line(event, trigger="verify", outcome="correct" if correct else "refused", reason=reason, attempt_id=attempt_id))
    event["response"] = {"answerCorrect": correct}
    return event


def _accepted_attempt(event: dict[str, Any]) -> str:
    request = section(event, "request")
    if not user_is_known(request):
        raise AssertionRefused("user_unknown")
    assertion = verify_assertion(
        request.get("challengeAnswer"),
        keys=keys_from(os.environ),
        pool_id=text(event, "userPoolId"),
        purpose=PURPOSE,
        subject=text(section(request, "userAttributes"), "sub"),
        now=time.time(),
    )
    return assertion.attempt_id


def _refusal(event: dict[str, Any], request_id: str) -> str:
    """
    Return why the challenge service does not take the answer; empty when it does.

    Somebody who does not exist is asked about too: the question takes its time, and its answer is always no.
    """
    request = section(event, "request")
    is_known, kept = user_is_known(request), section(request, "privateChallengeParameters")
    body = {**_challenge(kept), "username": text(event, "userName"), "answer": _answer(request)}
    if is_known:
        attributes = section(request, "userAttributes")
        body["sub"], body["email"] = text(attributes, "sub"), text(attributes, "email")
        body["is_email_verified"] = text(attributes, "email_verified") == "true"
    is_correct = ask(PATH, body, environment=os.environ, request_id=request_id).get("is_correct")
    return "" if is_known and is_correct is True else "answer"


def _challenge(kept: Mapping[str, Any]) -> dict[str, Any]:
    round_text = text(kept, "round")
    if not (text(kept, "idempotency_key") and text(kept, "challenge_id") and round_text.isascii() and round_text.isdigit()):
        # Create has not made this challenge.
        raise ChallengeServiceFailed("challenge_missing")
    return {
        "idempotency_key": text(kept, "idempotency_key"),
        "challenge_id": text(kept, "challenge_id"),
        "round": int(round_text),
    }


def _answer(request: Mapping[str, Any]) -> str:
    answer = text(request, "challengeAnswer")
    return answer if len(answer) <= ANSWER_CHARACTERS_MAX else ""
