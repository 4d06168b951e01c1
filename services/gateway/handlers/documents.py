"""What every route says of the problems that it may answer with."""

import re
from collections.abc import Mapping
from typing import Annotated, Final

from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from services.gateway.views import ProblemView
from services.gateway.wiring import AnyRequest
from shared.problems import MEDIA_TYPE

UUID_PATTERN: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
AttemptId = Annotated[str, Parameter(pattern=UUID_PATTERN, description="The attempt.")]
StepUpId = Annotated[str, Parameter(pattern=UUID_PATTERN, description="The step-up.")]
EnrolmentId = Annotated[str, Parameter(pattern=UUID_PATTERN, description="The enrolment.")]
SessionId = Annotated[str, Parameter(pattern=UUID_PATTERN, description="The session.")]
AuthenticatorId = Annotated[str, Parameter(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The authenticator.")]

WAIT_SECONDS_MAX: Final = 25
PREFER_WAIT: Final = re.compile(r"(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])")

WORDS: Final = {
    400: "The request does not fit (`invalid_request`).",
    401: "No proof, or not the right one (`invalid_code`, `attempt_failed`, `session_required`, `session_expired`).",
    403: "Not from this page, stopped by rules, or no text may go there (`origin_rejected`, `action_blocked`, `text_refused`).",
    404: "Nothing here, or somebody else's (`not_found`).",
    409: "Already done, not confirmed yet, or a twin is under way (`conflict`).",
    410: "Too late (`attempt_expired`).",
    413: "The body is too large (`invalid_request`).",
    415: "The body is not JSON (`invalid_request`).",
    422: "The Idempotency-Key was used for another request (`idempotency_mismatch`).",
    429: "Too many; see Retry-After, and RateLimit for what is left (`too_many_attempts`).",
    502: "A provider failed (`provider_error`).",
    503: "A provider or the audit queue does not answer (`provider_busy`, `audit_unavailable`).",
}
READ: Final = (400, 401, 503)
WRITE: Final = (400, 401, 403, 409, 413, 415, 422, 429, 502, 503)
ATTEMPT: Final = (400, 401, 403, 404, 409, 410, 413, 415, 422, 429, 502, 503)


def problems(*statuses: int, words: Mapping[int, str] = WORDS) -> dict[int, ResponseSpec]:
    """Return the responses of a route that may answer with problems of these statuses, each described in `words`."""
    return {
        status: ResponseSpec(
            ProblemView,
            generate_examples=False,
            description=words[status],
            media_type=MEDIA_TYPE,
        )
        for status in statuses
    }


def wait_seconds(request: AnyRequest) -> int:
    """Return how long a client would wait for a change: ``Prefer: wait=n``, at most 25. Source: RFC 7240 section 4.3."""
    wish = PREFER_WAIT.search(request.headers.get("prefer", ""))
    return min(int(wish[1]), WAIT_SECONDS_MAX) if wish is not None else 0
