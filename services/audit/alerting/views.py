"""An alert as the API shows it and as it is delivered."""

from datetime import datetime

import msgspec

from services.audit.storage.alerts import Stored

OPEN = "open"


class AlertView(msgspec.Struct, frozen=True):
    """
    One alert. `subject`, `ips` and `key` are null or empty once the person they name was erased.

    Leaves and times are of the first and the last event behind it; `event_ids` names the newest of them. `is_replayed` says
    that it was found by going over the past.
    """

    id: str
    rule: str
    rule_version: int
    severity: str
    title: str
    key: str | None
    subject: str | None
    ips: list[str]
    first_leaf: int
    last_leaf: int
    first_seen: datetime
    last_seen: datetime
    event_ids: list[str]
    event_count: int
    data: msgspec.Raw
    is_replayed: bool
    created_at: datetime
    state: str
    closed_by: str | None
    closed_at: datetime | None
    note: str | None

    @classmethod
    def of(cls, one: Stored) -> "AlertView":
        """Return the view of an alert."""
        is_closed = one.state not in (None, OPEN)
        return cls(
            one.id,
            one.rule,
            one.rule_version,
            one.severity,
            one.title,
            one.key,
            one.subject,
            one.ips,
            one.first_leaf,
            one.last_leaf,
            one.first_seen,
            one.last_seen,
            one.event_ids,
            one.event_count,
            msgspec.Raw(one.data.encode()),
            one.is_replayed,
            one.created_at,
            one.state or OPEN,
            f"{one.by_kind}:{one.by_id}" if is_closed else None,
            one.state_at if is_closed else None,
            one.note,
        )
