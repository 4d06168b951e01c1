"""
Pre sign-up.

* ``SignUp`` through the gateway's client, with a sign-up assertion for this very address: confirm and verify at once. Through
  this client an account exists only for an address whose owner has just proven it.
* ``SignUp`` through the direct client: confirm, and never verify. Anybody can make such an account for any address, which is
  why nobody but this client takes an unverified address for anything, and why the client is off unless it is switched on.
* ``AdminCreateUser``: an operator with IAM rights creates somebody; Cognito ignores the flags, so none are set.
* everything else (no assertion, an unknown client, a federated user): refused.
"""

import os
import time
from typing import Any

from deploy.cognito_triggers.assertion import AssertionRefused, keys_from, verify_assertion
from deploy.cognito_triggers.event import AppClient, app_client, log_line, section, text

PURPOSE = "sign_up"


class SignUpRefused(Exception):
    """No account is made. Cognito passes this text to its caller, so it says nothing about why."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """
    Answer Cognito: the same event, with the account confirmed and, through the gateway, its address verified.

    Raises:
        SignUpRefused: The caller showed no valid assertion for this address.
    """
    source = text(event, "triggerSource")
    client = app_client(event, os.environ)
    if source == "PreSignUp_AdminCreateUser":
        print(log_line(event, trigger="pre_sign_up", outcome="left_to_admin"))
        return event
    if source == "PreSignUp_SignUp" and client is AppClient.DIRECT:
        print(log_line(event, trigger="pre_sign_up", outcome="confirmed_unverified"))
        event["response"] = _confirmed(is_verified=False)
        return event
    try:
        attempt_id = _accepted_attempt(event, source, client)
    except AssertionRefused as refused:
        print(log_line(event, trigger="pre_sign_up", outcome="refused", reason=refused.reason))
        # "from None": the chain would reach CloudWatch as a second, multi-line record of the same refusal.
        raise SignUpRefused("Sign-up is not allowed.") from None
    print(log_line(event, trigger="pre_sign_up", outcome="confirmed", attempt_id=attempt_id))
    event["response"] = _confirmed(is_verified=True)
    return event


def _confirmed(*, is_verified: bool) -> dict[str, bool]:
    return {"autoConfirmUser": True, "autoVerifyEmail": is_verified, "autoVerifyPhone": False}


def _accepted_attempt(event: dict[str, Any], source: str, client: AppClient) -> str:
    if source != "PreSignUp_SignUp":
        raise AssertionRefused("trigger_source")
    if client is not AppClient.GATEWAY:
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
