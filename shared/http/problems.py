"""From exceptions to problem documents: one table at the edge; what it does not know is a plain 500."""

import traceback
from typing import Any, Final

import structlog
from litestar import Request, Response
from litestar.exceptions import (
    ClientException,
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from msgspec.json import Encoder

from shared import problems
from shared.audit_trail import AuditUnavailable
from shared.http.context import RequestContext
from shared.state import StateUnavailable

log = structlog.get_logger("http")
_ENCODE = Encoder().encode
AnyRequest = Request[Any, Any, Any]


def context_of(request: AnyRequest) -> RequestContext:
    """Return the context that the middleware made for this request, with the template of the route that matched."""
    context: RequestContext = request.scope["state"]["context"]
    context.route = request.scope.get("path_template", "")
    return context


def problem_answer(request: AnyRequest, problem: problems.Problem) -> Response[bytes]:
    """Return the problem document as a response."""
    return Response(
        content=_ENCODE(problem.document(context_of(request).request_id)),
        status_code=problem.status,
        media_type=problems.MEDIA_TYPE,
        headers=problem.headers,
    )


def on_problem(request: AnyRequest, problem: problems.Problem) -> Any:
    """Answer with a problem that our own code raised."""
    if problem.status >= 500:
        log.warning(
            "http.problem_answered", code=problem.code, reason=problem.reason, request_id=context_of(request).request_id
        )
    return problem_answer(request, problem)


def on_audit_unavailable(request: AnyRequest, _: AuditUnavailable) -> Any:
    """Answer that nothing was done, since it could not be recorded."""
    return problem_answer(request, problems.AuditUnavailableProblem(headers=problems.retry_after(2)))


def on_state_unavailable(request: AnyRequest, error: StateUnavailable) -> Any:
    """Answer that the state store is away: without it no attempt, session or limit can be trusted."""
    return on_problem(request, problems.ProviderBusy(f"state: {error}", headers=problems.retry_after(2)))


def on_http_exception(request: AnyRequest, error: HTTPException) -> Any:
    """Answer what the framework refused: routing, decoding and validation."""
    return problem_answer(request, _of_http_exception(error))


def on_fault(request: AnyRequest, error: Exception) -> Any:
    """Answer a fault of ours without details, and log them."""
    log.error(
        "http.fault",
        request_id=context_of(request).request_id,
        error=type(error).__name__,
        trace="".join(traceback.format_exception(error, limit=-12)),
    )
    return problem_answer(request, problems.Problem())


def _of_http_exception(error: HTTPException) -> problems.Problem:
    if isinstance(error, ValidationException):
        return problems.InvalidRequest(extensions={"errors": _field_errors(error)})
    if isinstance(error, NotFoundException):
        return problems.NotFound()
    if isinstance(error, MethodNotAllowedException):
        return problems.MethodNotAllowed(headers=dict(error.headers or {}))
    if error.status_code == 413:
        return problems.RequestTooLarge()
    if error.status_code == 415:
        return problems.UnsupportedMedia()
    if isinstance(error, ClientException) or 400 <= error.status_code < 500:
        # Bytes that are not JSON at all; the parser's words name the place.
        return problems.InvalidRequest(extensions={"errors": [{"field": "", "message": error.detail}]})
    return problems.Problem(reason=error.detail)


def _field_errors(error: ValidationException) -> list[dict[str, str]]:
    extra = error.extra
    if not isinstance(extra, list):
        return [{"field": "", "message": error.detail}]
    return [{"field": str(item.get("key", "")), "message": str(item.get("message", ""))} for item in extra]


class JsonRequest(AnyRequest):
    """A request whose body, when it cannot be read, is the caller's mistake and no fault of ours."""

    async def json(self) -> Any:
        """
        Return the decoded body.

        Raises:
            InvalidRequest: The decoder gave up in a way that the framework takes for a fault: the body is not UTF-8, or is
                nested deeper than the decoder follows.
        """
        try:
            return await super().json()
        except (UnicodeDecodeError, RecursionError) as error:
            errors = [{"field": "", "message": "The body is not JSON that we can read."}]
            raise problems.InvalidRequest(type(error).__name__, extensions={"errors": errors}) from error


EXCEPTION_HANDLERS: Final[dict[type[Exception] | int, Any]] = {
    problems.Problem: on_problem,
    AuditUnavailable: on_audit_unavailable,
    StateUnavailable: on_state_unavailable,
    HTTPException: on_http_exception,
    Exception: on_fault,
}
