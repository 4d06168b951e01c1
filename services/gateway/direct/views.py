"""What direct clients send and see: the names are those of the app that they were written for, so they are in camelCase."""

from typing import Annotated, Final

from litestar.openapi.spec import OpenAPIType, Schema
from litestar.params import Parameter
from msgspec import Meta, Struct

from services.gateway.views import SdkToken

AuthenticatorId = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="An authenticator's `userAuthenticatorId`.")
]
_DECIMAL: Final = r"^[0-9]{1,12}(\.[0-9]{1,4})?$"
# An integer is a number too, so the framework's own "one of string, integer, number" would admit no integer.
_AMOUNTS: Final = [
    Schema(type=OpenAPIType.STRING, pattern=_DECIMAL, description="A decimal number, such as 10.50."),
    Schema(type=OpenAPIType.NUMBER, exclusive_minimum=0, exclusive_maximum=10**12),
]
Amount = Annotated[
    Annotated[str, Meta(pattern=_DECIMAL)] | Annotated[int, Meta(gt=0, lt=10**12)] | Annotated[float, Meta(gt=0, lt=1e12)],
    Parameter(schema_extra={"one_of": None, "any_of": _AMOUNTS}),
]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$", description="ISO 4217 code, such as EUR.")]
Payee = Annotated[str, Meta(min_length=1, max_length=140, pattern=r"^[^\x00-\x1f\x7f]*$", description="Who is paid.")]


class Payment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payment to approve. An amount that is a text is never rounded on its way."""

    amount: Amount
    currency: Currency
    payee: Payee


class PaymentProof(Payment, frozen=True):
    """A payment, and the token that the Web SDK earned when the person approved it."""

    token: SdkToken


class SdkTokenView(Struct, frozen=True, kw_only=True, rename="camel"):
    """The token that Authsignal's Web SDK goes on with."""

    authsignal_token: str


class DoneView(Struct, frozen=True, kw_only=True):
    """It was done."""

    success: bool = True
