"""Devices that users came from: seen, proven on, remembered, invalidated."""

from typing import Any

from deploy.local.authsignal.errors import InvalidRequest, NotFound
from deploy.local.authsignal.model import Device, VerificationMethod
from deploy.local.authsignal.tenant import Tenant


def note_seen(tenant: Tenant, user_id: str, device_id: str | None) -> None:
    """Remember that a user came from a device; one that was invalidated counts as new again."""
    if not device_id:
        return
    known = _find(tenant, user_id, device_id)
    if known is None or known.invalidated_at is not None:
        _save(tenant, Device(user_id=user_id, device_id=device_id, created_at=tenant.clock.now()))


def note_proof(tenant: Tenant, user_id: str, device_id: str | None, method: VerificationMethod) -> None:
    """Remember that the user proved themselves on a device."""
    if not device_id:
        return
    note_seen(tenant, user_id, device_id)
    device = get_device(tenant, user_id, device_id)
    device.authenticated_at, device.last_verification_method = tenant.clock.now(), method
    _save(tenant, device)


def facts(tenant: Tenant, user_id: str, device_id: str | None, user_agent: str | None) -> dict[str, Any]:
    """What a rule can know about a device before this visit is noted."""
    known = _find(tenant, user_id, device_id) if device_id else None
    is_known = known is not None and known.invalidated_at is None
    until = known.remembered_until if known and is_known else None
    return {
        "id": device_id,
        "isNew": not is_known,
        "isRemembered": until is not None and tenant.clock.now() < until,
        "userAgent": user_agent,
    }


def list_devices(tenant: Tenant, user_id: str) -> list[Device]:
    """A user's devices, oldest first."""
    return tenant.store.devices.all(user_id=user_id)


def get_device(tenant: Tenant, user_id: str, device_id: str) -> Device:
    """
    One device.

    Raises:
        NotFound: The user never came from it.
    """
    device = _find(tenant, user_id, device_id)
    if device is None:
        raise NotFound("No such device.")
    return device


def remember(tenant: Tenant, user_id: str, device_id: str, until: float | None) -> Device:
    """
    Trust a device until a Unix time, or no longer.

    Raises:
        NotFound: The user never came from it.
        InvalidRequest: The time is not in the future.
    """
    device = get_device(tenant, user_id, device_id)
    if until is not None and until <= tenant.clock.now():
        raise InvalidRequest("rememberedUntil must be in the future.")
    device.remembered_until = until
    _save(tenant, device)
    return device


def invalidate(tenant: Tenant, user_id: str, device_id: str) -> Device:
    """
    Stop trusting a device.

    Raises:
        NotFound: The user never came from it.
    """
    device = get_device(tenant, user_id, device_id)
    device.invalidated_at, device.remembered_until = tenant.clock.now(), None
    _save(tenant, device)
    return device


def _find(tenant: Tenant, user_id: str, device_id: str) -> Device | None:
    return tenant.store.devices.get(_record_id(user_id, device_id))


def _save(tenant: Tenant, device: Device) -> None:
    tenant.store.devices.save(_record_id(device.user_id, device.device_id), device, user_id=device.user_id)


def _record_id(user_id: str, device_id: str) -> str:
    return f"{user_id}\n{device_id}"
