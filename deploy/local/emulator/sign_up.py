"""
SignUp, as AWS hands it to the Pre sign-up trigger.

* AWS passes the caller's ``ClientMetadata`` as ``clientMetadata`` and its ``ValidationData`` as ``validationData``;
  ministack passes neither, and a trigger that asks for proof in them could never let anybody in.
* AWS wraps the text of an exception: ``PreSignUp failed with error <text>.``; ministack shows the raw record, stack
  trace included.
"""

import ast
import json
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ministack.services import cognito

from deploy.local.emulator.wrapping import Answer, Handler, body_of, refusal, wrap

# ministack builds the event several calls below SignUp, and passes it less than it needs. Each request runs in a
# context of its own.
_request: ContextVar[dict[str, Any] | None] = ContextVar("sign_up_request", default=None)


def apply() -> None:
    """Put the corrections in place."""
    wrap(cognito, "_sign_up", _sign_up)
    wrap(cognito, "_build_presignup_event", _build_event)


def trigger_failure(trigger: str, record: Any) -> Answer:
    """Answer as AWS does when a trigger raises: with the exception's own text, wrapped."""
    return refusal("UserLambdaValidationException", f"{trigger} failed with error {_text_of(record)}.")


def _text_of(record: Any) -> str:
    if isinstance(record, (str, bytes)):
        try:
            record = json.loads(record)
        except ValueError:
            return str(record).rstrip(".")
    if isinstance(record, dict):
        record = record.get("errorMessage", record)
    return str(record).rstrip(".")


def _sign_up(original: Handler, data: dict[str, Any]) -> Answer:
    token = _request.set(data)
    try:
        answer = original(data)
    finally:
        _request.reset(token)
    if answer[0] == 400:
        body = body_of(answer)
        if body.get("__type") == "UserLambdaValidationException":
            return trigger_failure("PreSignUp", record_in(str(body.get("message", ""))))
    return answer


def record_in(message: str) -> Any:
    """Return the record of a trigger's error that ministack's message holds as text."""
    # ministack turns the error record into text with str(), which leaves a Python literal when it was a dict.
    try:
        return ast.literal_eval(message)
    except (ValueError, SyntaxError):
        return message


def _build_event(original: Callable[..., dict[str, Any]], *args: Any, **kwargs: Any) -> dict[str, Any]:
    event = original(*args, **kwargs)
    data = _request.get()
    if data is not None:
        event["request"]["clientMetadata"] = dict(data.get("ClientMetadata") or {})
        event["request"]["validationData"] = cognito._attr_list_to_dict(data.get("ValidationData") or [])
    return event
