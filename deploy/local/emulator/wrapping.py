"""Small tools for wrapping one function of ministack in another."""

import json
from collections.abc import Callable
from typing import Any

from ministack.services import cognito

# What ministack's handlers return: status, headers, body bytes.
Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[dict[str, Any]], Answer]


def wrap(module: Any, name: str, around: Callable[..., Any]) -> None:
    """
    Replace ``module.name`` by ``around``, which takes the original as its first argument.

    Raises:
        AttributeError: ministack has no such function any more: the correction has to be looked at again.
    """
    original = getattr(module, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return around(original, *args, **kwargs)

    setattr(module, name, wrapped)


def refusal(code: str, message: str) -> Answer:
    """Answer 400 with an AWS error."""
    answer: Answer = cognito.error_response_json(code, message, 400)
    return answer


def success(body: dict[str, Any]) -> Answer:
    """Answer 200 with a JSON body."""
    answer: Answer = cognito.json_response(body)
    return answer


def body_of(answer: Answer) -> dict[str, Any]:
    """Read the JSON body of an answer."""
    body: dict[str, Any] = json.loads(answer[2])
    return body
