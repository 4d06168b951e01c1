"""
Define auth challenge: decide what comes next from the list of what has been answered.

The whole rule, for the gateway's app client and a known user:

* nothing answered yet: ask for one custom challenge;
* exactly one custom challenge, answered rightly: issue tokens;
* anything else at all: fail.

"Anything else" matters. A caller may open with ``CHALLENGE_NAME=SRP_A``, and Cognito then hands this function a list
that already holds a success, so a rule that looks only at the last result gives tokens to anybody who knows an address.
"""

import os
from collections.abc import Mapping
from enum import Enum
from typing import Any

from deploy.cognito_triggers.event import is_gateway_client, log_line, section, user_is_known


class Step(Enum):
    """What Cognito is told to do next."""

    CHALLENGE = "challenge"
    TOKENS = "tokens"
    FAIL = "fail"


def next_step(answered: object, *, user_known: bool, client_allowed: bool) -> Step:
    """
    Apply the rule of this module.

    Args:
        answered: The event's ``session`` list, oldest first; anything at all.
        user_known: False for the stand-in that Cognito sends for a name nobody has.
        client_allowed: True for the gateway's app client only.
    """
    if not (client_allowed and user_known and isinstance(answered, list)):
        return Step.FAIL
    if not answered:
        return Step.CHALLENGE
    if len(answered) == 1 and _is_custom_success(answered[0]):
        return Step.TOKENS
    return Step.FAIL


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer Cognito: the same event with ``response`` filled in."""
    request = section(event, "request")
    step = next_step(
        request.get("session"), user_known=user_is_known(request), client_allowed=is_gateway_client(event, os.environ)
    )
    print(log_line(event, trigger="define", outcome=step.value))
    event["response"] = _response(step)
    return event


def _is_custom_success(entry: object) -> bool:
    if not isinstance(entry, Mapping):
        return False
    return entry.get("challengeName") == "CUSTOM_CHALLENGE" and entry.get("challengeResult") is True


def _response(step: Step) -> dict[str, Any]:
    answer: dict[str, Any] = {"issueTokens": step is Step.TOKENS, "failAuthentication": step is Step.FAIL}
    if step is Step.CHALLENGE:
        answer["challengeName"] = "CUSTOM_CHALLENGE"
    return answer
