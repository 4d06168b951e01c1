"""The Server API's devices, the tenant's methods, and the import of passkeys."""

import uuid
from typing import Any

from litestar import Request, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from deploy.local.authsignal import devices, imports
from deploy.local.authsignal.actions import unix_seconds
from deploy.local.authsignal.bodies import read_body
from deploy.local.authsignal.model import Device, VerificationMethod
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.views import optional_timestamp, timestamp
from deploy.local.authsignal.wire_sessions import (
    ConfiguredView,
    DeviceView,
    ImportRequest,
    ImportView,
    RememberRequest,
)

AnyRequest = Request[Any, Any, Any]
Tenancy = NamedDependency[Tenant]


def _view(device: Device) -> DeviceView:
    return DeviceView(
        user_id=device.user_id,
        device_id=device.device_id,
        created_at=timestamp(device.created_at),
        authenticated_at=optional_timestamp(device.authenticated_at),
        invalidated_at=optional_timestamp(device.invalidated_at),
        remembered_until=optional_timestamp(device.remembered_until),
        last_verification_method=device.last_verification_method,
    )


@get("/users/{user_id:str}/devices")
async def list_devices(tenant: Tenancy, user_id: FromPath[str]) -> list[DeviceView]:
    """A user's devices."""
    return [_view(device) for device in devices.list_devices(tenant, user_id)]


@patch("/users/{user_id:str}/devices/{device_id:str}")
async def update_device(request: AnyRequest, tenant: Tenancy, user_id: FromPath[str], device_id: FromPath[str]) -> DeviceView:
    """Remember a device for a while, or no longer."""
    until = (await read_body(request, RememberRequest)).remembered_until
    seconds = unix_seconds(until, "rememberedUntil") if until is not None else None
    return _view(devices.remember(tenant, user_id, device_id, seconds))


@post("/users/{user_id:str}/devices/{device_id:str}/invalidate", status_code=200)
async def invalidate_device(tenant: Tenancy, user_id: FromPath[str], device_id: FromPath[str]) -> DeviceView:
    """Treat a device as new from now on."""
    return _view(devices.invalidate(tenant, user_id, device_id))


@get("/authenticators")
async def list_configured(tenant: Tenancy) -> list[ConfiguredView]:
    """The tenant's methods."""
    return [
        ConfiguredView(
            authenticator_id=str(uuid.uuid5(uuid.UUID(tenant.settings.tenant_id), method)),
            verification_method=method,
            is_active=method in tenant.tunables.methods,
            is_editable_by_user=True,
            is_hidden_to_user=False,
        )
        for method in VerificationMethod
    ]


@post("/users/authenticators", status_code=200)
async def import_passkeys(request: AnyRequest, tenant: Tenancy) -> ImportView:
    """Take over passkeys that were registered elsewhere."""
    return imports.import_passkeys(tenant, await read_body(request, ImportRequest))


DEVICE_HANDLERS = (list_devices, update_device, invalidate_device, list_configured, import_passkeys)
