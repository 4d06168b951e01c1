"""The routes beside challenges and proofs: reviews, for the gateway and for operators, and the check of webhooks."""

import time
from typing import Any, Final

from litestar import Request, get, post
from litestar.params import JSONBody
from msgspec import Struct

from services.challenge import webhooks
from services.challenge.reviews import Decision, ReviewList, Reviews, ReviewView
from shared.challenge_api import ReviewAnswer, ReviewRequest, WebhookAnswer, WebhookRequest
from shared.http.problems import context_of
from shared.ids import is_uuid
from shared.problems import NotFound

AnyRequest = Request[Any, Any, Any]
# All that an operator's token opens, and nothing else does.
OPERATOR_PREFIX: Final = "/v1/reviews"
# A batch of 500 log records of two kilobytes, in base64.
WEBHOOK_BYTES_MAX: Final = 1536 * 1024


class Desk(Struct, frozen=True):
    """What these routes need."""

    reviews: Reviews
    webhook_keys: list[str]


def _desk(request: AnyRequest) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


@post("/v1/webhook-checks", status_code=200, request_max_body_size=WEBHOOK_BYTES_MAX)
async def check_webhook(data: JSONBody[WebhookRequest], request: AnyRequest) -> WebhookAnswer:
    """Say whether Authsignal signed a webhook."""
    keys = _desk(request).webhook_keys
    return WebhookAnswer(verdict=webhooks.check(data.signature, data.body, keys=keys, now=time.time()))


@post("/v1/review-requests", status_code=200)
async def open_review(data: JSONBody[ReviewRequest], request: AnyRequest) -> ReviewAnswer:
    """Put an action before the operators."""
    return await _desk(request).reviews.open(data)


@post("/v1/review-polls", status_code=200)
async def poll_review(data: JSONBody[ReviewRequest], request: AnyRequest) -> ReviewAnswer:
    """Say how a review stands."""
    return await _desk(request).reviews.poll(data)


@get(OPERATOR_PREFIX)
async def list_reviews(request: AnyRequest) -> ReviewList:
    """List what waits for a decision."""
    return await _desk(request).reviews.waiting()


@post(OPERATOR_PREFIX + "/{attempt_id:str}/decision", status_code=200)
async def decide_review(attempt_id: str, data: JSONBody[Decision], request: AnyRequest) -> ReviewView:
    """Approve or reject."""
    if not is_uuid(attempt_id):
        raise NotFound("not an attempt id")
    return await _desk(request).reviews.decide(attempt_id, data, context_of(request))


ROUTES: Final = (check_webhook, open_review, poll_review, list_reviews, decide_review)
