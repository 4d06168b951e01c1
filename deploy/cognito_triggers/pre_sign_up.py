"""
Pre sign-up: an account may exist only for an address whose owner has just proven it.

* ``SignUp`` through the gateway's client, with a sign-up assertion for this very address: confirm and verify at once.
* ``AdminCreateUser``: an operator with IAM rights creates somebody; Cognito ignores the flags, so none are set.
* everything else (no assertion, another client, a federated user): refused.
"""

import os
import time
from typing import Any

from deploy.cognito_triggers.assertion import AssertionRefused, keys_from, verify_assertion
from deploy.cognito_triggers.event import is_gateway_client, log_line, section, text

PURPOSE = "sign_up"


class SignUpRefused(Exception):
    """No account is made. Cognito passes this text to its caller, so it says nothing about why."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """
    Answer Cognito: the same event, with the account confirmed and its address verified.

    Raises:
        SignUpRefused: The caller showed no valid assertion for this address.
    """
    source = text(event, "triggerSource")
    if source == "PreSignUp_AdminCreateUser":
        print(log_line(event, trigger="pre_sign_up", outcome="left_to_admin"))
        return event
    try:
        attempt_id = _accepted_attempt(event, source)
    except AssertionRefused as refused:
        print(log_line(event, trigger="pre_sign_up", outcome="refused", reason=refused.reason))
        # "from None": the chain would reach CloudWatch as a second, multi-line record of the same refusal.
        raise SignUpRefused("Sign-up is not allowed.") from None
    print(log_line(event, trigger="pre_sign_up", outcome="confirmed", attempt_id=attempt_id))
    event["response"] = {"autoConfirmUser": True, "autoVerifyEmail": True, "autoVerifyPhone": False}
    return event


def _accepted_attempt(event: dict[str, Any], source: str) -> str:
    if source != "PreSignUp_SignUp":
        raise AssertionRefused("trigger_source")
    if not is_gateway_client(event, os.environ):
        raise AssertionRefused("client")
    request = section(event, "request")
    assertion = verify_assertion(
        section(request, "clientMetadata").get("assertion"),
        keys=keys_from(os.environ),
        pool_id=text(event, "userPoolId"),
        purpose=PURPOSE,
        subject=text(section(request, "userAttributes"), "email").lower(),
        now=time.time(),
    )
    return assertion.attempt_id
