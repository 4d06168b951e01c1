"""In-app: an app signs by itself, with a key that the phone guards."""

from collections.abc import Sequence
from typing import Any

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from deploy.local.authsignal import phones
from deploy.local.authsignal.auth import require_tenant
from deploy.local.authsignal.bodies import read_body
from deploy.local.authsignal.methods.phone_routes import enrolment_routes
from deploy.local.authsignal.model import VerificationMethod
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.wire_phones import InAppView, SignedChallengeRequest

_METHOD = VerificationMethod.IN_APP


class InApp:
    """The phone is both sides."""

    method = _METHOD

    def client_routes(self) -> Sequence[HTTPRouteHandler]:
        """Enrolment, and the signature."""
        return [*enrolment_routes(_METHOD, segment="in-app"), verify]

    def server_channel(self) -> None:
        """None: only the app can sign."""


@post("/verify/in-app", status_code=200)
async def verify(request: Request[Any, Any, Any], tenant: NamedDependency[Tenant]) -> InAppView:
    """Check the signature over a challenge that was begun in the tenant's name."""
    require_tenant(request, tenant)
    body = await read_body(request, SignedChallengeRequest)
    await phones.decide(tenant, _METHOD, body, approved=True)
    pending = tenant.store.challenge(body.challenge_id)
    assert pending is not None, "it was just decided"
    phone = phones.find(tenant, _METHOD, body.public_key)
    return InAppView(
        token=phones.token_of(tenant, pending) or "",
        user_id=phone.user_id,
        user_authenticator_id=phone.user_authenticator_id,
        username=tenant.user_or_new(phone.user_id).username,
    )
