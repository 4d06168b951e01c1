"""
The control port: how tests and people look inside and turn the knobs. Never part of the service's own API.

Clock, faults, outcomes, rules and tunables are forgotten on restart; accounts are not. Phones, rules and webhooks have
modules of their own.
"""

from typing import Annotated, Any

import msgspec
from litestar import Request, Router, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from msgspec import Meta

from deploy.local.authsignal.actions import check_action_code
from deploy.local.authsignal.bodies import read_body
from deploy.local.authsignal.control_phones import PHONE_HANDLERS
from deploy.local.authsignal.control_rules import RULE_HANDLERS, WEBHOOK_HANDLERS
from deploy.local.authsignal.edge import Call, Journal
from deploy.local.authsignal.errors import InvalidRequest, NotFound
from deploy.local.authsignal.faults import Fault, FaultRequest, FaultTable
from deploy.local.authsignal.mail import SentMessage
from deploy.local.authsignal.model import Action, Authenticator, Outcome, User
from deploy.local.authsignal.settings import Tunables
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.wire import SuccessView

AnyRequest = Request[Any, Any, Any]


class ClockView(msgspec.Struct, frozen=True):
    """The simulator's time in Unix seconds, and how far it is from the machine's."""

    now: float
    offset_seconds: float


class AdvanceRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far to move the clock: at most a year either way."""

    seconds: Annotated[float, Meta(ge=-31_536_000, le=31_536_000)]


class OutcomeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the rules shall decide."""

    outcome: Outcome


class OutcomesView(msgspec.Struct, frozen=True):
    """The outcome of actions that are not named, and the exceptions."""

    default: Outcome
    actions: dict[str, Outcome]


class ResetRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether to forget every account as well."""

    accounts: bool = False


class UserDetail(msgspec.Struct, frozen=True):
    """One user with their authenticators and actions, as stored."""

    user: User
    authenticators: list[Authenticator]
    actions: list[Action]


class Account(msgspec.Struct, frozen=True):
    """One user with their authenticators, as stored."""

    user: User
    authenticators: list[Authenticator]


@get("/health")
async def health(tenant: NamedDependency[Tenant]) -> dict[str, str]:
    """Up, and whose tenant this is."""
    return {"status": "ok", "tenant_id": tenant.settings.tenant_id}


@get("/accounts")
async def list_accounts(tenant: NamedDependency[Tenant]) -> list[Account]:
    """The first two hundred users by id, each with their factors."""
    users = tenant.store.users(limit=200)
    return [Account(user, tenant.store.authenticators(user.user_id)) for user in users]


@get("/clock")
async def read_clock(tenant: NamedDependency[Tenant]) -> ClockView:
    """What time it is here."""
    return ClockView(tenant.clock.now(), tenant.clock.offset_seconds)


@post("/clock/advance", status_code=200)
async def advance_clock(request: AnyRequest, tenant: NamedDependency[Tenant]) -> ClockView:
    """Let time pass."""
    tenant.clock.advance((await read_body(request, AdvanceRequest)).seconds)
    return ClockView(tenant.clock.now(), tenant.clock.offset_seconds)


@post("/clock/reset", status_code=200)
async def reset_clock(tenant: NamedDependency[Tenant]) -> ClockView:
    """Back to the machine's time."""
    tenant.clock.reset()
    return ClockView(tenant.clock.now(), tenant.clock.offset_seconds)


@get("/faults")
async def list_faults(faults: NamedDependency[FaultTable]) -> list[Fault]:
    """Faults that were set, and what is left of them."""
    return faults.view()


@post("/faults", status_code=201)
async def add_fault(request: AnyRequest, faults: NamedDependency[FaultTable]) -> Fault:
    """Set a fault."""
    return faults.add(await read_body(request, FaultRequest))


@delete("/faults", status_code=200)
async def clear_faults(faults: NamedDependency[FaultTable]) -> SuccessView:
    """Take every fault back."""
    faults.clear()
    return SuccessView(success=True)


@get("/outbox")
async def read_outbox(tenant: NamedDependency[Tenant], to: FromQuery[str | None] = None) -> list[SentMessage]:
    """Messages sent, newest first, with their codes."""
    return tenant.outbox.messages(to=to)


@delete("/outbox", status_code=200)
async def clear_outbox(tenant: NamedDependency[Tenant]) -> SuccessView:
    """Forget the messages."""
    tenant.outbox.clear()
    return SuccessView(success=True)


@get("/calls")
async def read_calls(
    journal: NamedDependency[Journal],
    method: FromQuery[str | None] = None,
    path_prefix: FromQuery[str] = "",
) -> list[Call]:
    """Calls of the APIs, oldest first."""
    return journal.calls(method=method, path_prefix=path_prefix)


@get("/outcomes")
async def read_outcomes(tenant: NamedDependency[Tenant]) -> OutcomesView:
    """What the rules decide."""
    return OutcomesView(tenant.tunables.default_outcome, tenant.outcomes.view())


@put("/outcomes/{action:str}")
async def set_outcome(request: AnyRequest, tenant: NamedDependency[Tenant], action: FromPath[str]) -> OutcomesView:
    """Decide about one action code from now on."""
    tenant.outcomes.set(check_action_code(action), (await read_body(request, OutcomeRequest)).outcome)
    return OutcomesView(tenant.tunables.default_outcome, tenant.outcomes.view())


@delete("/outcomes/{action:str}", status_code=200)
async def unset_outcome(tenant: NamedDependency[Tenant], action: FromPath[str]) -> OutcomesView:
    """Leave one action code to the default again."""
    tenant.outcomes.unset(action)
    return OutcomesView(tenant.tunables.default_outcome, tenant.outcomes.view())


@get("/settings")
async def read_tunables(tenant: NamedDependency[Tenant]) -> Tunables:
    """Limits, lives and choices in force."""
    return tenant.tunables


@patch("/settings")
async def change_tunables(request: AnyRequest, tenant: NamedDependency[Tenant]) -> Tunables:
    """Change some of them."""
    try:
        tenant.tune(await read_body(request, dict[str, object]))
    except msgspec.ValidationError as error:
        raise InvalidRequest(str(error)) from error
    return tenant.tunables


@get("/users")
async def list_users(tenant: NamedDependency[Tenant]) -> list[User]:
    """The first thousand users, by id."""
    return tenant.store.users(limit=1_000)


@get("/users/{user_id:str}")
async def read_user(tenant: NamedDependency[Tenant], user_id: FromPath[str]) -> UserDetail:
    """One user in full."""
    user = tenant.store.user(user_id)
    if user is None:
        raise NotFound("No call has mentioned this user.")
    return UserDetail(user, tenant.store.authenticators(user_id), tenant.store.actions(user_id))


@get("/actions")
async def list_actions(tenant: NamedDependency[Tenant]) -> list[Action]:
    """Every action, oldest first."""
    return tenant.store.actions()


@post("/reset", status_code=200)
async def reset(
    request: AnyRequest, tenant: NamedDependency[Tenant], faults: NamedDependency[FaultTable], journal: NamedDependency[Journal]
) -> SuccessView:
    """Back to how the simulator started: clock, faults, outcomes, rules, tunables, webhooks, limits, journal, outbox."""
    body = await read_body(request, ResetRequest)
    tenant.clock.reset()
    tenant.outcomes.clear()
    tenant.limits.clear()
    tenant.outbox.clear()
    tenant.rules.clear()
    tenant.use(tenant.settings.tunables)
    tenant.webhooks.urls = tenant.settings.webhooks
    tenant.webhooks.clear()
    faults.clear()
    journal.clear()
    if body.accounts:
        tenant.store.clear()
    return SuccessView(success=True)


@post("/limits/reset", status_code=200)
async def reset_limits(tenant: NamedDependency[Tenant]) -> SuccessView:
    """Forgive every send and every try."""
    tenant.limits.clear()
    return SuccessView(success=True)


def control_router() -> Router:
    """All of it, under `/control`."""
    return Router(
        path="/control",
        route_handlers=[
            health,
            read_clock,
            advance_clock,
            reset_clock,
            list_faults,
            add_fault,
            clear_faults,
            read_outbox,
            clear_outbox,
            read_calls,
            read_outcomes,
            set_outcome,
            unset_outcome,
            read_tunables,
            change_tunables,
            list_accounts,
            list_users,
            read_user,
            list_actions,
            reset,
            reset_limits,
            *PHONE_HANDLERS,
            *RULE_HANDLERS,
            *WEBHOOK_HANDLERS,
        ],
    )
