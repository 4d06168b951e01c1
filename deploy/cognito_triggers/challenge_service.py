"""
Ask the challenge service, within the time that Cognito leaves a trigger.

Only for the direct client: the gateway's own sign-ins need no network here. Cognito waits five seconds and then calls again, up
to three times, so an answer is given before that in any case: what took too long has failed.
"""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from queue import Empty, SimpleQueue
from typing import Any, Final

SECONDS_MAX: Final = 4.0
ANSWER_BYTES_MAX: Final = 64 * 1024


class ChallengeServiceFailed(Exception):
    """
    There was no answer that could be used.

    ``reason`` is one stable word for the log. It never holds anything that was sent or received.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The token is for one address alone, so nothing is followed."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


# No proxy from the environment either: the service is reached inside the network, or not at all.
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())


def ask(
    path: str,
    body: Mapping[str, Any],
    *,
    environment: Mapping[str, str],
    request_id: str = "",
    seconds_max: float = SECONDS_MAX,
) -> dict[str, Any]:
    """
    POST one JSON object and return the one that comes back.

    Args:
        path: Path at the service.
        body: What to send.
        environment: ``CHALLENGE_URL`` and ``CHALLENGE_TOKEN``, as deployed.
        request_id: This invocation's id, which the service's own log then carries too.
        seconds_max: The deadline of everything: name, connection, answer.

    Raises:
        ChallengeServiceFailed: Not deployed for this, no answer in time, or no good one.
    """
    url, token = environment.get("CHALLENGE_URL", ""), environment.get("CHALLENGE_TOKEN", "")
    if not (url.startswith(("https://", "http://")) and token):
        raise ChallengeServiceFailed("not_configured")
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    if request_id:
        headers["X-Request-Id"] = request_id
    # The scheme was checked above.
    request = urllib.request.Request(url.rstrip("/") + path, json.dumps(body).encode(), headers)  # noqa: S310
    return _within(seconds_max, request)


def _within(seconds_max: float, request: urllib.request.Request) -> dict[str, Any]:
    # urllib's timeout starts anew with every read, so a service that drips would hold us for as long as it likes. A thread
    # is left behind instead, to end with its own timeout.
    answers: SimpleQueue[dict[str, Any] | ChallengeServiceFailed] = SimpleQueue()
    threading.Thread(target=lambda: answers.put(_answer(request, seconds_max)), daemon=True).start()
    try:
        answer = answers.get(timeout=seconds_max)
    except Empty:
        raise ChallengeServiceFailed("too_slow") from None
    if isinstance(answer, ChallengeServiceFailed):
        raise answer
    return answer


def _answer(request: urllib.request.Request, seconds_max: float) -> dict[str, Any] | ChallengeServiceFailed:
    try:
        with _OPENER.open(request, timeout=seconds_max) as answer:
            content = answer.read(ANSWER_BYTES_MAX + 1)
    except urllib.error.HTTPError as error:
        error.close()
        return ChallengeServiceFailed(f"status_{error.code}")
    except TimeoutError:
        return ChallengeServiceFailed("too_slow")
    except Exception:  # Whatever else urllib raises (it has many kinds), there was no answer.
        return ChallengeServiceFailed("unreachable")
    try:
        value = json.loads(content) if len(content) <= ANSWER_BYTES_MAX else None
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else ChallengeServiceFailed("unreadable")
