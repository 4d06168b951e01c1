"""The control port's rules, and its webhooks."""

from typing import Any

import msgspec
from litestar import Request, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from deploy.local.authsignal.bodies import read_body
from deploy.local.authsignal.conditions import BadCondition
from deploy.local.authsignal.errors import InvalidRequest, NotFound
from deploy.local.authsignal.rules import Rule, RuleRequest
from deploy.local.authsignal.settings import WebhookUrls
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.webhooks.dispatcher import Delivery
from deploy.local.authsignal.wire import SuccessView

AnyRequest = Request[Any, Any, Any]
Tenancy = NamedDependency[Tenant]


class WebhooksView(msgspec.Struct, frozen=True):
    """Where events go, and how many wait."""

    urls: WebhookUrls
    waiting: int


@get("/rules")
async def list_rules(tenant: Tenancy) -> list[Rule]:
    """The rules, in the order in which they decide."""
    return tenant.rules.view()


@post("/rules", status_code=201)
async def add_rule(request: AnyRequest, tenant: Tenancy) -> Rule:
    """Set a rule."""
    return _put(tenant, await read_body(request, RuleRequest), None)


@put("/rules/{rule_id:str}")
async def replace_rule(request: AnyRequest, tenant: Tenancy, rule_id: FromPath[str]) -> Rule:
    """Set a rule under an id of one's own, or replace it."""
    return _put(tenant, await read_body(request, RuleRequest), rule_id)


@delete("/rules/{rule_id:str}", status_code=200)
async def remove_rule(tenant: Tenancy, rule_id: FromPath[str]) -> SuccessView:
    """Take a rule back."""
    if not tenant.rules.remove(rule_id):
        raise NotFound("No such rule.")
    return SuccessView(success=True)


@delete("/rules", status_code=200)
async def clear_rules(tenant: Tenancy) -> SuccessView:
    """Take every rule back."""
    tenant.rules.clear()
    return SuccessView(success=True)


def _put(tenant: Tenant, request: RuleRequest, rule_id: str | None) -> Rule:
    try:
        return tenant.rules.put(request, rule_id)
    except BadCondition as error:
        raise InvalidRequest(f"conditions: {error}") from error


@get("/webhooks")
async def read_webhooks(tenant: Tenancy) -> WebhooksView:
    """Where events go."""
    return WebhooksView(tenant.webhooks.urls, tenant.webhooks.waiting())


@put("/webhooks")
async def set_webhooks(request: AnyRequest, tenant: Tenancy) -> WebhooksView:
    """Say where events go; a kind that is left out is not sent any more."""
    tenant.webhooks.urls = await read_body(request, WebhookUrls)
    return WebhooksView(tenant.webhooks.urls, tenant.webhooks.waiting())


@get("/webhooks/deliveries")
async def read_deliveries(tenant: Tenancy) -> list[Delivery]:
    """Tries to deliver, oldest first."""
    return tenant.webhooks.deliveries()


RULE_HANDLERS = (list_rules, add_rule, replace_rule, remove_rule, clear_rules)
WEBHOOK_HANDLERS = (read_webhooks, set_webhooks, read_deliveries)
