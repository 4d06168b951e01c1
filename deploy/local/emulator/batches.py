"""
Rights for batches, as AWS checks them.

On AWS the right to SendMessage, DeleteMessage or ChangeMessageVisibility covers the batch of it, and no right of the batch's
own name exists; ministack asks for one, which no policy can grant. Source: Service Authorization Reference, Amazon SQS.
"""

from collections.abc import Callable

from ministack.core import iam_actions

from deploy.local.emulator.wrapping import wrap

_BATCHES = ("sqs:SendMessageBatch", "sqs:DeleteMessageBatch", "sqs:ChangeMessageVisibilityBatch")


def apply() -> None:
    """Put the correction in place."""
    wrap(iam_actions, "extract_iam_action", _extract)


def _extract(original: Callable[..., str | None], *args: object, **kwargs: object) -> str | None:
    action = original(*args, **kwargs)
    return action.removesuffix("Batch") if action in _BATCHES else action
