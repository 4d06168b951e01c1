"""What Authsignal tells us."""

from typing import Annotated, Final

from litestar import post
from litestar.params import HeaderParameter

from services.gateway.handlers.documents import problems
from services.gateway.wiring import AnyRequest, gateway_of
from shared.http.problems import context_of

# A batch of 500 log records of two kilobytes.
BODY_BYTES_MAX: Final = 1024 * 1024
Signature = Annotated[
    str, HeaderParameter(name="X-Signature-V2", description="`t=<Unix seconds>,v2=<signature>`, one signature for each key.")
]


@post(
    "/v1/webhooks/authsignal",
    status_code=204,
    tags=["webhooks"],
    operation_id="receiveWebhook",
    summary="Take in what Authsignal signed",
    request_max_body_size=BODY_BYTES_MAX,
    responses=problems(400, 401, 403, 404, 409, 413, 429, 502, 503),
)
async def receive_webhook(request: AnyRequest, signature: Signature = "") -> None:
    """Record what Authsignal tells, before the answer; an `action.verify` may be refused, and its proof then does not count."""
    await gateway_of(request).webhooks.receive(context_of(request), signature, await request.body())


WEBHOOK_HANDLERS: Final = (receive_webhook,)
