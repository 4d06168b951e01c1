"""
Define auth challenge: decide what comes next from the list of what has been answered.

The whole rule:

* nothing answered yet: ask for a custom challenge;
* the last answer is a custom challenge answered rightly, and every one before it is a custom challenge answered wrongly, no
  more of them than the app client may get wrong and go on: issue tokens;
* nothing but such wrong answers, no more than that: ask again;
* anything else at all: fail.

The gateway's client may get none wrong: the gateway comes here with a proof in hand. The direct client may get two wrong and
fails at the third. No user who is not known ever gets tokens; the gateway never asks for one, and with the direct client such a
one is asked like everybody, so that asking does not tell who is known.

"Anything else" matters. A caller may open with ``CHALLENGE_NAME=SRP_A``, and Cognito then hands this function a list
that already holds a success, so a rule that looks only at the last result gives tokens to anybody who knows an address.
"""

import os
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from deploy.cognito_triggers.event import AppClient, app_client, log_line, section, user_is_known

# How many wrong answers a sign-in survives.
WRONG_MAX: Final = {AppClient.GATEWAY: 0, AppClient.DIRECT: 2}


class Step(Enum):
    """What Cognito is told to do next."""

    CHALLENGE = "challenge"
    TOKENS = "tokens"
    FAIL = "fail"


def next_step(answered: object, *, user_known: bool, client: AppClient) -> Step:
    """
    Apply the rule of this module.

    Args:
        answered: The event's ``session`` list, oldest first; anything at all.
        user_known: False for the stand-in that Cognito sends for a name nobody has.
        client: The app client that the sign-in goes through.
    """
    if client not in WRONG_MAX or not isinstance(answered, list):
        return Step.FAIL
    if client is AppClient.GATEWAY and not user_known:
        return Step.FAIL
    results = [_custom_result(entry) for entry in answered]
    is_won, before = results[-1:] == [True], results[:-1]
    wrong = before if is_won else results
    if any(result is not False for result in wrong) or len(wrong) > WRONG_MAX[client]:
        return Step.FAIL
    if not is_won:
        return Step.CHALLENGE
    return Step.TOKENS if user_known else Step.FAIL


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer Cognito: the same event with ``response`` filled in."""
    request = section(event, "request")
    client = app_client(event, os.environ)
    step = next_step(request.get("session"), user_known=user_is_known(request), client=client)
    print(log_line(event, trigger="define", outcome=step.value))
    event["response"] = _response(step)
    return event


def _custom_result(entry: object) -> bool | None:
    """Return how a custom challenge was answered; None for every other kind of entry, and for a result that is no boolean."""
    if not isinstance(entry, Mapping) or entry.get("challengeName") != "CUSTOM_CHALLENGE":
        return None
    result = entry.get("challengeResult")
    return result if isinstance(result, bool) else None


def _response(step: Step) -> dict[str, Any]:
    answer: dict[str, Any] = {"issueTokens": step is Step.TOKENS, "failAuthentication": step is Step.FAIL}
    if step is Step.CHALLENGE:
        answer["challengeName"] = "CUSTOM_CHALLENGE"
    return answer
