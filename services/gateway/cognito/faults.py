"""
Cognito's errors, by what we do about them.

HTTP status is 400 for nearly all of them, so the code decides. Texts are not a contract and never reach a client.
"""

from typing import Final

from shared import problems

THROTTLED: Final = frozenset({"TooManyRequestsException", "ThrottlingException", "RequestLimitExceeded"})
OVER_BUDGET: Final = "OverOwnBudget"  # Not Cognito's: we did not ask it, see `quota`.
LIMITED: Final = frozenset({"LimitExceededException", "TooManyFailedAttemptsException"})
REFUSED: Final = frozenset(
    {
        "NotAuthorizedException",
        "UserNotFoundException",
        "UserNotConfirmedException",
        "PasswordResetRequiredException",
        "UsernameExistsException",
    }
)


class CognitoRefused(Exception):
    """Cognito answered with an error code; `code` says which."""

    def __init__(self, operation: str, code: str) -> None:
        super().__init__(f"{operation}: {code}")
        self.operation = operation
        self.code = code

    def problem(self) -> problems.Problem:
        """Return what the client is told."""
        if self.code in THROTTLED or self.code == OVER_BUDGET:
            return problems.ProviderBusy(str(self), headers=problems.retry_after(2))
        if self.code in LIMITED:
            return problems.TooManyAttempts(str(self), headers=problems.retry_after(60))
        if self.code in REFUSED:
            return problems.AttemptFailed(str(self))
        return problems.ProviderError(str(self))


class CognitoUnreachable(Exception):
    """No answer in time. A call with an effect may have had it."""

    def problem(self) -> problems.Problem:
        """Return what the client is told."""
        return problems.ProviderBusy(str(self), headers=problems.retry_after(2))
