"""
Problems: what an error says to a client (RFC 9457), one class per thing that a caller treats differently.

A problem has a stable `code`, a status and public words that are fixed on the class. `reason` and `fields` are internal:
they reach the log line and the audit event, never the client. `extensions` are public members, such as `attempts_left`.
"""

from typing import Any, ClassVar, Final

MEDIA_TYPE: Final = "application/problem+json"


class Problem(Exception):
    """The root of all problems, and the last resort: 500 without details."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"
    detail: ClassVar[str] = "Something went wrong on our side. Try again in a moment."

    def __init__(
        self,
        reason: str | None = None,
        *,
        detail: str | None = None,
        headers: dict[str, str] | None = None,
        extensions: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(reason or self.code)
        self.reason = reason
        self.public_detail = detail or self.detail
        self.headers = headers or {}
        self.extensions = extensions or {}

    def document(self, request_id: str) -> dict[str, Any]:
        """Return the members of the problem document. Source: RFC 9457 section 3."""
        return {
            "type": f"urn:countersign:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.public_detail,
            "code": self.code,
            "request_id": request_id,
            **self.extensions,
        }


class InvalidRequest(Problem):
    """The request does not fit the schema; `errors` names each field and what it wants."""

    code = "invalid_request"
    status = 400
    title = "The request is not valid"
    detail = "Check the fields that are named and send the request again."


class RequestTooLarge(InvalidRequest):
    """The body is larger than any request needs."""

    status = 413
    title = "The request is too large"
    detail = "The request body is too large."


class UnsupportedMedia(InvalidRequest):
    """A body that is not JSON."""

    status = 415
    title = "The request is not JSON"
    detail = "Send the body as application/json."


class MethodNotAllowed(InvalidRequest):
    """The path exists, the method does not."""

    status = 405
    title = "This method is not available"
    detail = "This method is not available here."


class InvalidCode(Problem):
    """A wrong or late code; the person may try again or ask for a new one."""

    code = "invalid_code"
    status = 401
    title = "That code did not work"
    detail = "That code did not work. Check it, or send a new one."


class AttemptFailed(Problem):
    """Everything that must look alike: unknown user, wrong token, mismatch, too many wrong codes."""

    code = "attempt_failed"
    status = 401
    title = "That did not work"
    detail = "We could not sign you in. Start again to get a new code."


class AttemptExpired(Problem):
    """The attempt, the code or the provider's token ran out."""

    code = "attempt_expired"
    status = 410
    title = "This took too long"
    detail = "This sign-in has expired. Start again to get a new code."


class SessionRequired(Problem):
    """No session came with the request."""

    code = "session_required"
    status = 401
    title = "Sign in first"
    detail = "Sign in to continue."


class SessionExpired(Problem):
    """The session ended: idle, too old, or revoked."""

    code = "session_expired"
    status = 401
    title = "Your session has ended"
    detail = "Your session has ended. Sign in again to continue."


class StepUpRequired(Problem):
    """The session is good, but this needs a factor proven within the last minutes."""

    code = "step_up_required"
    status = 403
    title = "Confirm it is you"
    detail = "Confirm it is you to continue."


class ActionBlocked(Problem):
    """Rules blocked the action, or it waits for a review that refused it."""

    code = "action_blocked"
    status = 403
    title = "This is not possible right now"
    detail = "This sign-in was stopped for your safety. Contact support if this was you."


class TextRefused(Problem):
    """No text is sent to this number: its country is not served, or too many were sent its way."""

    code = "text_refused"
    status = 403
    title = "We cannot send a text"
    detail = "We cannot send a text to your number right now. Use another way."


class OriginRejected(Problem):
    """A browser sent this from a page that may not."""

    code = "origin_rejected"
    status = 403
    title = "Request refused"
    detail = "This request came from a page that may not send it."


class Forbidden(Problem):
    """The caller is known and may not do this."""

    code = "forbidden"
    status = 403
    title = "Not allowed"
    detail = "You do not have access to this."


class Unauthorized(Problem):
    """No credential, or one that is not valid."""

    code = "unauthorized"
    status = 401
    title = "Not signed in"
    detail = "Send a valid credential."


class NotFound(Problem):
    """Nothing here; also the answer for other people's objects."""

    code = "not_found"
    status = 404
    title = "Not found"
    detail = "There is nothing here."


class Conflict(Problem):
    """The request does not fit the state of things, for example a twin that is still under way."""

    code = "conflict"
    status = 409
    title = "Already under way"
    detail = "This is already under way. Wait a moment and look again."


class AlreadyDone(Conflict):
    """What is asked for was done before; asking again changes nothing."""

    title = "Already done"
    detail = "This was done already."


class NotConfirmedYet(Conflict):
    """What has to come first has not come yet."""

    title = "Not confirmed yet"
    detail = "This is not confirmed yet. Confirm it first, then come back."


class LastAuthenticator(Problem):
    """Removing this would lock the person out."""

    code = "last_authenticator"
    status = 409
    title = "This is your last way in"
    detail = "This is your last way to sign in. Add another before you remove it."


class IdempotencyMismatch(Problem):
    """An Idempotency-Key came back with another body."""

    code = "idempotency_mismatch"
    status = 422
    title = "Idempotency-Key reused"
    detail = "This Idempotency-Key was used for another request. Use a new one."


class TooManyAttempts(Problem):
    """One of our limits, or a provider's limit on this person."""

    code = "too_many_attempts"
    status = 429
    title = "Too many attempts"
    detail = "Too many attempts. Wait a moment before you try again."


class ProviderError(Problem):
    """A provider answered with a fault or with something that we cannot read."""

    code = "provider_error"
    status = 502
    title = "A service we rely on failed"
    detail = "A service we rely on failed. Try again in a moment."


class ProviderBusy(Problem):
    """A provider is down, slow or throttling; asking again later may work."""

    code = "provider_busy"
    status = 503
    title = "A service we rely on is busy"
    detail = "A service we rely on is not answering. Try again in a moment."


class AuditUnavailableProblem(Problem):
    """The audit queue refused, so nothing may happen."""

    code = "audit_unavailable"
    status = 503
    title = "Paused for a moment"
    detail = "We cannot record this right now, so we did not do it. Try again in a moment."


def retry_after(seconds: int) -> dict[str, str]:
    """Return the Retry-After header for a wait of whole seconds. Source: RFC 9110 section 10.2.3."""
    return {"Retry-After": str(seconds)}
