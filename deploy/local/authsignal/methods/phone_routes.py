"""What a phone calls for each method that it is enrolled for: enrol, look oneself up, remove oneself, decide."""

from collections.abc import Sequence
from typing import Annotated, Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from deploy.local.authsignal import enrolment, phones
from deploy.local.authsignal.auth import client_claims, require_tenant
from deploy.local.authsignal.bodies import read_body
from deploy.local.authsignal.errors import InvalidRequest
from deploy.local.authsignal.model import Authenticator, VerificationMethod
from deploy.local.authsignal.phone_keys import is_signed, public_key_of_query, removal_messages
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.views import optional_timestamp, timestamp
from deploy.local.authsignal.wire_phones import (
    DecisionRequest,
    DecisionView,
    EnrolPhoneRequest,
    PhoneView,
    RemovedView,
    SignedRequest,
)

AnyRequest = Request[Any, Any, Any]
PublicKey = Annotated[str, QueryParameter(name="publicKey")]


def phone_view(item: Authenticator) -> PhoneView:
    """A phone's own view of its enrolment."""
    return PhoneView(
        user_authenticator_id=item.user_authenticator_id,
        user_id=item.user_id,
        verified_at=timestamp(item.verified_at or item.created_at),
        last_verified_at=optional_timestamp(item.last_verified_at),
        expires_at=optional_timestamp(item.phone.expires_at) if item.phone else None,
    )


def enrolment_routes(method: VerificationMethod, *, segment: str) -> Sequence[HTTPRouteHandler]:
    """The calls about a phone's own enrolment; `segment` is the method's name in paths."""
    path = f"/user-authenticators/{segment}"

    @post(path, status_code=200, name=f"enrol-{segment}")
    async def enrol_phone(request: AnyRequest, tenant: NamedDependency[Tenant]) -> PhoneView:
        claims = client_claims(request, tenant)
        body = await read_body(request, EnrolPhoneRequest)
        enrolment.require_may_enrol(tenant, claims.user_id, claims.scopes)
        return phone_view(phones.enrol(tenant, method, claims.user_id, body))

    @get(path, name=f"find-{segment}")
    async def find_phone(request: AnyRequest, tenant: NamedDependency[Tenant], public_key: PublicKey = "") -> PhoneView:
        require_tenant(request, tenant)
        return phone_view(phones.find(tenant, method, public_key_of_query(public_key)))

    @post(f"{path}/remove", status_code=200, name=f"remove-{segment}")
    async def remove_phone(request: AnyRequest, tenant: NamedDependency[Tenant]) -> RemovedView:
        require_tenant(request, tenant)
        body = await read_body(request, SignedRequest)
        item = phones.find(tenant, method, body.public_key)
        messages = removal_messages(tenant.clock.now())
        if not any(is_signed(body.public_key, message, body.signature) for message in messages):
            raise InvalidRequest("The signature is wrong.")
        enrolment.delete_authenticator(tenant, item.user_id, item.user_authenticator_id)
        return RemovedView(removed_authenticator_id=item.user_authenticator_id)

    return [enrol_phone, find_phone, remove_phone]


def decision_route(method: VerificationMethod, *, segment: str) -> HTTPRouteHandler:
    """The call by which a phone approves or declines."""

    @post(f"/user-authenticators/{segment}/challenge", status_code=200, name=f"decide-{segment}")
    async def decide(request: AnyRequest, tenant: NamedDependency[Tenant]) -> DecisionView:
        require_tenant(request, tenant)
        body = await read_body(request, DecisionRequest)
        return DecisionView(is_verified=await phones.decide(tenant, method, body, approved=body.approved))

    return decide
