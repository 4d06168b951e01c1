"""The control port's phones: give a user one, see what waits for it, and play it."""

from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from msgspec import Meta

from deploy.local.authsignal import enrolment, virtual_phones
from deploy.local.authsignal.bodies import read_body
from deploy.local.authsignal.model import Challenge, VerificationMethod, VirtualPhone, phone_lookup
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.wire import SuccessView

AnyRequest = Request[Any, Any, Any]
Tenancy = NamedDependency[Tenant]


class PhoneRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A phone to enrol."""

    user_id: Annotated[str, Meta(min_length=1)]
    name: Annotated[str, Meta(min_length=1, max_length=100)] = "Virtual phone"
    methods: tuple[VerificationMethod, ...] = virtual_phones.METHODS


class PhoneClaimRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A QR code that the phone scans; named as the phone itself names it."""

    challenge_id: str


class PhoneDecisionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What the phone decides; named as the phone itself names it."""

    challenge_id: str
    approved: bool


class PhoneDetail(msgspec.Struct, frozen=True):
    """A phone, without its private key."""

    phone_id: str
    user_id: str
    name: str
    public_key: str
    methods: list[VerificationMethod]
    created_at: float


class PhoneDecided(msgspec.Struct, frozen=True):
    """What came of a decision."""

    is_verified: bool


class WaitingChallenge(msgspec.Struct, frozen=True):
    """A push or QR challenge of the last minutes, and the phones that may decide it; none, once it is decided."""

    challenge_id: str
    method: VerificationMethod
    action_code: str
    user_id: str | None
    state: str
    created_at: float
    expires_at: float
    ip_address: str | None
    user_agent: str | None
    custom: dict[str, Any] | None
    phones: list[PhoneDetail]


@post("/phones", status_code=201)
async def enrol_phone(request: AnyRequest, tenant: Tenancy) -> PhoneDetail:
    """Give a user a phone."""
    body = await read_body(request, PhoneRequest)
    phone = virtual_phones.enrol(tenant, body.user_id, name=body.name, methods=body.methods)
    return _detail(tenant, phone)


@get("/phones")
async def list_phones(tenant: Tenancy, user_id: FromQuery[str | None] = None) -> list[PhoneDetail]:
    """The phones, or one user's."""
    return [_detail(tenant, phone) for phone in tenant.store.phones.all(user_id=user_id)]


@delete("/phones/{phone_id:str}", status_code=200)
async def delete_phone(tenant: Tenancy, phone_id: FromPath[str]) -> SuccessView:
    """Throw a phone away, and what it was enrolled for."""
    phone = virtual_phones.get(tenant, phone_id)
    for method in virtual_phones.methods_of(tenant, phone):
        item = tenant.store.authenticator_by_lookup(phone_lookup(method, phone.public_key))
        if item is not None:
            enrolment.delete_authenticator(tenant, item.user_id, item.user_authenticator_id)
    tenant.store.phones.delete(phone_id)
    return SuccessView(success=True)


@post("/phones/{phone_id:str}/claims", status_code=200)
async def claim(request: AnyRequest, tenant: Tenancy, phone_id: FromPath[str]) -> SuccessView:
    """Scan a QR code, and decide nothing yet."""
    body = await read_body(request, PhoneClaimRequest)
    virtual_phones.claim(tenant, virtual_phones.get(tenant, phone_id), body.challenge_id)
    return SuccessView(success=True)


@post("/phones/{phone_id:str}/decisions", status_code=200)
async def decide(request: AnyRequest, tenant: Tenancy, phone_id: FromPath[str]) -> PhoneDecided:
    """Approve or decline a push or QR challenge."""
    body = await read_body(request, PhoneDecisionRequest)
    phone = virtual_phones.get(tenant, phone_id)
    return PhoneDecided(await virtual_phones.decide(tenant, phone, body.challenge_id, approved=body.approved))


@get("/challenges")
async def list_challenges(tenant: Tenancy) -> list[WaitingChallenge]:
    """Push and QR challenges that wait, and those decided in the last minutes; newest first."""
    now = tenant.clock.now()
    recent = tenant.store.challenges(virtual_phones.METHODS, created_after=now - tenant.tunables.token_duration_seconds)
    every_phone = tenant.store.phones.all()
    return [_waiting(tenant, pending, every_phone) for pending in recent]


def _waiting(tenant: Tenant, pending: Challenge, every_phone: list[VirtualPhone]) -> WaitingChallenge:
    return WaitingChallenge(
        challenge_id=pending.challenge_id,
        method=pending.verification_method,
        action_code=pending.action_code,
        user_id=pending.user_id or pending.claimed_by,
        state=_state(tenant, pending),
        created_at=pending.created_at,
        expires_at=pending.expires_at,
        ip_address=pending.ip_address,
        user_agent=pending.user_agent,
        custom=pending.custom,
        phones=[_detail(tenant, phone) for phone in every_phone if virtual_phones.may_decide(tenant, phone, pending)],
    )


def _state(tenant: Tenant, pending: Challenge) -> str:
    if pending.decision is not None:
        return pending.decision.value
    if tenant.clock.now() >= pending.expires_at:
        return "expired"
    return "claimed" if pending.claimed_at is not None else "waiting"


def _detail(tenant: Tenant, phone: VirtualPhone) -> PhoneDetail:
    return PhoneDetail(
        phone_id=phone.phone_id,
        user_id=phone.user_id,
        name=phone.name,
        public_key=phone.public_key,
        methods=virtual_phones.methods_of(tenant, phone),
        created_at=phone.created_at,
    )


PHONE_HANDLERS = (enrol_phone, list_phones, delete_phone, claim, decide, list_challenges)
