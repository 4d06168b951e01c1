"""Composition root of the simulator."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp

from deploy.local.authsignal.client_api import client_router
from deploy.local.authsignal.control import control_router
from deploy.local.authsignal.edge import Journal, control_guard, cors_middleware, journal_middleware
from deploy.local.authsignal.errors import ApiError, answer_api_error, answer_http_error, answer_unexpected
from deploy.local.authsignal.faults import FaultTable, fault_middleware
from deploy.local.authsignal.pages import PAGE_HANDLERS
from deploy.local.authsignal.qr_socket import qr_socket
from deploy.local.authsignal.server_api import server_router
from deploy.local.authsignal.server_sessions import well_known_router
from deploy.local.authsignal.settings import SimulatorSettings
from deploy.local.authsignal.tenant import Tenant

T = TypeVar("T")


def create_app(settings: SimulatorSettings) -> ASGIApp:
    """
    Build the simulator for one tenant.

    Raises:
        StoreUnusable: The state file cannot be used.
    """
    tenant, faults, journal = Tenant.open(settings), FaultTable(), Journal()

    @asynccontextmanager
    async def run_tenant(_: Litestar) -> AsyncIterator[None]:
        webhooks = asyncio.create_task(tenant.webhooks.run())
        yield
        webhooks.cancel()
        await asyncio.gather(webhooks, return_exceptions=True)
        tenant.store.close()

    app: ASGIApp = Litestar(
        route_handlers=[
            *PAGE_HANDLERS,
            qr_socket,
            server_router(),
            client_router(),
            well_known_router(),
            control_router(),
        ],
        dependencies={"tenant": _given(tenant), "faults": _given(faults), "journal": _given(journal)},
        # Inside the framework, so that a simulated crash meets the same handlers as a real one.
        middleware=[lambda app: fault_middleware(app, faults)],
        exception_handlers={
            ApiError: answer_api_error,
            HTTPException: answer_http_error,
            Exception: answer_unexpected,
        },
        lifespan=[run_tenant],
        state=State({"tenant": tenant}),
        openapi_config=None,
    )
    app = cors_middleware(app, settings.allow_origins)
    app = control_guard(app, settings.ui_url)
    return journal_middleware(app, journal, tenant.clock.now)


def _given(value: T) -> Provide:
    def provide() -> T:
        return value

    provider: Callable[[], T] = provide
    return Provide(provider, use_cache=True, sync_to_thread=False)
