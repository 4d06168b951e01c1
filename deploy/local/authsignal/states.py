"""
How the state of an action moves. Pure.

1. A tracked action starts from the rules' outcome: ALLOW, BLOCK and REVIEW map to their states; CHALLENGE asks for a
   challenge only if the user has a factor to answer it with, and is ALLOW otherwise (the user may then enrol).
2. A proof turns an open action (challenge required, or allowed) into a succeeded one.
3. A proof never lifts a decision: blocked, reviewed and failed actions stay as they are. Only an explicit update of
   the action (a reviewer, or the Server API) moves those.
"""

from deploy.local.authsignal.model import ActionState, Outcome

_OPEN = frozenset({ActionState.ALLOW, ActionState.CHALLENGE_REQUIRED})


def initial_state(outcome: Outcome, *, is_enrolled: bool) -> ActionState:
    """State of a freshly tracked action (rule 1)."""
    match outcome:
        case Outcome.BLOCK:
            return ActionState.BLOCK
        case Outcome.REVIEW:
            return ActionState.REVIEW_REQUIRED
        case Outcome.CHALLENGE if is_enrolled:
            return ActionState.CHALLENGE_REQUIRED
        case _:
            return ActionState.ALLOW


def after_proof(state: ActionState) -> ActionState:
    """State once the user has proven themselves (rules 2 and 3)."""
    return ActionState.CHALLENGE_SUCCEEDED if state in _OPEN else state
