"""
Who calls `/v1/direct`: the bearer of an access token that Cognito issued to the direct client.

A token is checked offline. Whoever wants to change something is also asked about at Cognito, so that somebody who has signed
out, or was signed out, changes nothing more, and may not do so too often.
"""

import time
from collections.abc import Callable
from typing import Final

from services.gateway.cognito.client import Cognito
from services.gateway.cognito.faults import REFUSED, CognitoRefused, CognitoUnreachable
from services.gateway.limits import Limits
from shared.cognito_tokens import Claims, KeysUnavailable, TokenInvalid, TokenVerifier
from shared.http.context import RequestContext
from shared.problems import ProviderBusy, StepUpRequired, Unauthorized, retry_after

SCHEME: Final = "Bearer "
TOKEN_CHARACTERS_MAX: Final = 8192
CHALLENGE: Final = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class DirectCallers:
    """
    Lets callers in.

    Args:
        fresh_seconds: How long ago a factor may have been proven for a change of factors.
        limits: Counts the changes that one person asks for.
    """

    def __init__(
        self,
        *,
        verifier: TokenVerifier,
        cognito: Cognito,
        limits: Limits,
        fresh_seconds: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._verifier = verifier
        self._cognito = cognito
        self._limits = limits
        self._fresh_seconds = fresh_seconds
        self._clock = clock

    async def reader(self, authorization: str | None) -> Claims:
        """
        Return whose token came.

        Raises:
            Unauthorized: None came, or not one for this client.
            ProviderBusy: The pool's keys cannot be had.
        """
        return (await self._verified(authorization))[0]

    async def writer(self, context: RequestContext, authorization: str | None) -> Claims:
        """
        Return whose token came, when Cognito still honours it.

        Raises:
            Unauthorized, ProviderBusy: As `reader`, or Cognito has revoked it, or does not answer.
            TooManyAttempts: The person's changes of this window are used up. The first refusal is recorded.
        """
        claims, token = await self._verified(authorization)
        await self._limits.check_direct_write(context, claims.sub)
        try:
            await self._cognito.check_token(token)
        except CognitoRefused as refusal:
            if refusal.code in REFUSED:
                raise Unauthorized(str(refusal), headers=CHALLENGE) from refusal
            raise refusal.problem() from refusal
        except CognitoUnreachable as fault:
            raise fault.problem() from fault
        return claims

    def require_fresh(self, claims: Claims) -> None:
        """
        Return when the person proved a factor just now.

        Raises:
            StepUpRequired: It was too long ago, or the token does not say. Refreshed tokens keep the time of the sign-in.
        """
        if claims.auth_time is None or self._clock() - claims.auth_time > self._fresh_seconds:
            raise StepUpRequired("sign-in too long ago")

    async def _verified(self, authorization: str | None) -> tuple[Claims, str]:
        given = authorization or ""
        token = given[len(SCHEME) :].strip()
        if given[: len(SCHEME)].lower() != SCHEME.lower() or not token or len(token) > TOKEN_CHARACTERS_MAX:
            raise Unauthorized("no bearer token", headers={"WWW-Authenticate": "Bearer"})
        try:
            return await self._verifier.verify(token), token
        except TokenInvalid as error:
            raise Unauthorized(str(error), headers=CHALLENGE) from error
        except KeysUnavailable as error:
            raise ProviderBusy(f"keys: {error}", headers=retry_after(2)) from error
