"""What a client needs to know before sign-in, the keys that grants are signed with, and health."""

from typing import Any, Final

from litestar import get

from services.gateway.views import ActionsView, AuthsignalView, BrandView, ConfigView, FeaturesView
from services.gateway.wiring import AnyRequest, gateway_of
from shared.challenge_api import ACTION_SIGN_IN


@get("/v1/config", tags=["config"], operation_id="getConfig", summary="What a client needs to know before sign-in")
async def get_config(request: AnyRequest) -> ConfigView:
    """Return brand, methods, and what the Web SDK is built with."""
    settings = gateway_of(request).settings
    brand = settings.brand
    return ConfigView(
        brand=BrandView(name=brand.name, logo_url=brand.logo_url, accent=brand.accent),
        methods=settings.methods,
        authsignal=AuthsignalView(tenant_id=settings.authsignal_tenant_id, base_url=settings.authsignal_client_url),
        actions=ActionsView(sign_in=ACTION_SIGN_IN),
        features=FeaturesView(sdk_sign_in=settings.sdk_sign_in_enabled, demo_checkout=settings.demo_checkout_enabled),
        dev_inbox_url=settings.dev_inbox_url,
    )


@get("/.well-known/jwks.json", tags=["config"], operation_id="getJwks", summary="The keys that grants are signed with")
async def get_jwks(request: AnyRequest) -> dict[str, Any]:
    """Return the public keys, as a JWK set."""
    return gateway_of(request).signer.jwks()


@get("/healthz", include_in_schema=False)
async def healthz() -> dict[str, str]:
    """Say that the process is up."""
    return {"status": "ok"}


@get("/readyz", include_in_schema=False)
async def readyz(request: AnyRequest) -> dict[str, str]:
    """Say that the state store answers; without it nothing can be decided."""
    await gateway_of(request).state.ping()
    return {"status": "ready"}


CONFIG_HANDLERS: Final = (get_config, get_jwks, healthz, readyz)
