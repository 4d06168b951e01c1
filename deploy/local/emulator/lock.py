"""
Object lock from a template, as AWS sets it.

AWS makes the bucket with its lock and its default retention; ministack reads neither from CloudFormation and makes a
bucket whose objects anybody can delete. By its API it does all of it, so the API's own parser is given the template's
values.
"""

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import s3
from ministack.services.cloudformation import provisioners

from deploy.local.emulator.wrapping import wrap

Created = tuple[str, dict[str, Any]]


class LockRefused(Exception):
    """The emulator did not accept the template's lock, so the stack must fail as it would on AWS."""


def apply() -> None:
    """Put the correction in place."""
    original: Callable[..., Created] = provisioners._s3_create
    wrap(provisioners, "_s3_create", _create)
    # The table of resource types holds the function itself, not its name.
    for entry in provisioners._RESOURCE_HANDLERS.values():
        if entry.get("create") is original:
            entry["create"] = provisioners._s3_create


def _create(original: Callable[..., Created], logical_id: str, props: dict[str, Any], stack_name: str) -> Created:
    name, attributes = original(logical_id, props, stack_name)
    if str(props.get("ObjectLockEnabled", "")).lower() == "true":
        s3._bucket_object_lock[name] = {"enabled": True, "default_retention": None}
        _set_default_retention(name, props.get("ObjectLockConfiguration") or {})
    return name, attributes


def _set_default_retention(bucket: str, configuration: dict[str, Any]) -> None:
    retention = (configuration.get("Rule") or {}).get("DefaultRetention")
    if not retention:
        return
    fields = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in retention.items())
    document = (
        '<ObjectLockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        "<ObjectLockEnabled>Enabled</ObjectLockEnabled>"
        f"<Rule><DefaultRetention>{fields}</DefaultRetention></Rule></ObjectLockConfiguration>"
    )
    status, _, body = s3._put_object_lock_configuration(bucket, document.encode())
    if status >= 300:
        raise LockRefused(f"Object lock of {bucket}: {body!r}")
