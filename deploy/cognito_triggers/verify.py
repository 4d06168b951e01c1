"""
Verify auth challenge: the answer must be a fresh sign-in assertion for this very user of this very pool.

It never raises: whatever is wrong, the answer is simply not correct, so an error cannot be told from a refusal.
"""

import os
import time
from typing import Any

from deploy.cognito_triggers.assertion import AssertionRefused, keys_from, verify_assertion
from deploy.cognito_triggers.event import is_gateway_client, log_line, section, text, user_is_known

PURPOSE = "sign_in"


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer Cognito: the same event with ``answerCorrect`` true or false."""
    attempt_id = reason = ""
    try:
        attempt_id = _accepted_attempt(event)
    except AssertionRefused as refused:
        reason = refused.reason
    correct = not reason
    print(log_line(event, trigger="verify", outcome="correct" if correct else "refused", reason=reason, attempt_id=attempt_id))
    event["response"] = {"answerCorrect": correct}
    return event


def _accepted_attempt(event: dict[str, Any]) -> str:
    request = section(event, "request")
    if not is_gateway_client(event, os.environ):
        raise AssertionRefused("client")
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
