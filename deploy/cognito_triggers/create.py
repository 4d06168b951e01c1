"""
Create auth challenge: an empty one.

The person has already been challenged by the time the gateway comes to Cognito, so there is nothing to tell the client
and nothing to remember for Verify. A retried call answers the same.
"""

from typing import Any

from deploy.cognito_triggers.event import log_line


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer Cognito: the same event with an empty challenge."""
    print(log_line(event, trigger="create", outcome="challenge"))
    event["response"] = {
        "publicChallengeParameters": {},
        "privateChallengeParameters": {},
        "challengeMetadata": "ASSERTION",
    }
    return event
