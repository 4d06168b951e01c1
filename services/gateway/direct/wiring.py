"""The parts of the direct API, wired once."""

import aiohttp

from services.gateway.cognito.client import Cognito
from services.gateway.direct.callers import DirectCallers
from services.gateway.direct.service import DirectAccounts
from services.gateway.limits import Limits
from services.gateway.recorder import Recorder
from services.gateway.settings import GatewaySettings
from shared.cognito_tokens import TokenVerifier
from shared.direct_api import DirectService
from shared.http.client import JsonClient


def build(
    settings: GatewaySettings,
    http: aiohttp.ClientSession,
    *,
    challenge_token: str,
    cognito: Cognito,
    recorder: Recorder,
    limits: Limits,
) -> DirectAccounts | None:
    """Return the parts, or None when direct clients are off."""
    if settings.direct_client_id is None:
        return None
    verifier = TokenVerifier(
        http,
        issuer=settings.issuer,
        client_ids=frozenset({settings.direct_client_id}),
        jwks_url=settings.jwks_url or f"{settings.issuer}/.well-known/jwks.json",
    )
    callers = DirectCallers(
        verifier=verifier,
        cognito=cognito,
        limits=limits,
        fresh_seconds=settings.direct_fresh_seconds,
    )
    service = DirectService(
        JsonClient(
            http,
            base_url=settings.challenge_url,
            token=challenge_token,
            seconds_max=settings.challenge_seconds_max,
        )
    )
    return DirectAccounts(callers=callers, service=service, recorder=recorder)
