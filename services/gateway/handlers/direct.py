"""The handlers of ``/v1/direct``: each decodes, calls one thing, encodes."""

from typing import Final

from litestar import delete, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody

from services.gateway.direct.payments import canonical_amount
from services.gateway.direct.service import Context, DirectAccounts
from services.gateway.direct.views import DoneView, Payment, PaymentProof, SdkTokenView
from services.gateway.handlers.documents import WORDS, AuthenticatorId, problems
from services.gateway.wiring import AnyRequest, gateway_of
from shared.direct_api import AuthenticatorView
from shared.http.problems import context_of
from shared.problems import InvalidRequest, NotFound

_WORDS: Final = {
    **WORDS,
    401: "No access token that is good here (`unauthorized`), or no approval of this payment (`attempt_failed`).",
    403: "A factor must be proven first (`step_up_required`), rules (`action_blocked`), or the page (`origin_rejected`).",
    404: "Nothing here, or somebody else's (`not_found`); also while direct clients are off.",
    409: "The last way to sign in (`last_authenticator`), or a twin is under way (`conflict`).",
}
READ: Final = (401, 404, 429, 502, 503)
WRITE: Final = (400, 401, 403, 404, 409, 413, 415, 422, 429, 502, 503)


def _problems(*statuses: int) -> dict[int, ResponseSpec]:
    return problems(*statuses, words=_WORDS)


def _direct(request: AnyRequest) -> DirectAccounts:
    direct = gateway_of(request).direct
    if direct is None:
        raise NotFound("direct clients are off")
    return direct


def _bearer(request: AnyRequest) -> str | None:
    return request.headers.get("authorization")


def _context(payment: Payment) -> Context:
    amount = canonical_amount(payment.amount)
    if amount is None:
        message = "Use a positive amount with at most four decimals."
        raise InvalidRequest(extensions={"errors": [{"field": "amount", "message": message}]})
    return {"amount": amount, "currency": payment.currency, "payee": payment.payee}


@get(
    "/v1/direct/authenticators",
    tags=["direct"],
    operation_id="listDirectAuthenticators",
    summary="My factors, in Authsignal's own shape",
    responses=_problems(*READ),
)
async def list_authenticators(request: AnyRequest) -> list[AuthenticatorView]:
    """Return the factors of whoever's access token this is."""
    direct = _direct(request)
    context_of(request)
    return list((await direct.authenticators(_bearer(request))).authenticators)


@post(
    "/v1/direct/authenticators",
    status_code=200,
    tags=["direct"],
    operation_id="addDirectAuthenticator",
    summary="Begin to add a factor",
    responses=_problems(*WRITE),
)
async def add_authenticator(request: AnyRequest) -> SdkTokenView:
    """Return a token with which the Web SDK adds a factor; the sign-in must be at most five minutes old."""
    direct = _direct(request)
    token = await direct.begin_enrolment(context_of(request), _bearer(request))
    return SdkTokenView(authsignal_token=token)


@delete(
    "/v1/direct/authenticators/{authenticator_id:str}",
    status_code=200,
    tags=["direct"],
    operation_id="removeDirectAuthenticator",
    summary="Remove a factor",
    responses=_problems(*WRITE),
)
async def remove_authenticator(authenticator_id: AuthenticatorId, request: AnyRequest) -> DoneView:
    """Remove a factor; never the last one that works. The sign-in must be at most five minutes old."""
    direct = _direct(request)
    await direct.remove(context_of(request), _bearer(request), authenticator_id)
    return DoneView()


@post(
    "/v1/direct/payments/authorize",
    status_code=200,
    tags=["direct"],
    operation_id="authorizeDirectPayment",
    summary="Ask for the approval of a payment",
    responses=_problems(*WRITE),
)
async def authorize_payment(data: JSONBody[Payment], request: AnyRequest) -> SdkTokenView:
    """Return a token with which the Web SDK lets the person approve this very payment."""
    direct = _direct(request)
    token = await direct.authorize_payment(context_of(request), _bearer(request), _context(data))
    return SdkTokenView(authsignal_token=token)


@post(
    "/v1/direct/payments/confirm",
    status_code=200,
    tags=["direct"],
    operation_id="confirmDirectPayment",
    summary="Have an approval checked, once",
    responses=_problems(*WRITE),
)
async def confirm_payment(data: JSONBody[PaymentProof], request: AnyRequest) -> DoneView:
    """Check that the person approved this very payment; an approval is good once."""
    direct = _direct(request)
    await direct.confirm_payment(context_of(request), _bearer(request), data.token, _context(data))
    return DoneView()


DIRECT_HANDLERS: Final = (list_authenticators, add_authenticator, remove_authenticator, authorize_payment, confirm_payment)
