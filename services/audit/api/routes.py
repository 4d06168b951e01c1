"""The paths of alerts, detections, reconciliation and quarantine, and their templates as an event names them."""

import re
from typing import Final

ALERTS_PATH: Final = "/v1/alerts"
ALERT_ROUTE: Final = "/v1/alerts/{alert_id}"
CLOSE_ROUTE: Final = "/v1/alerts/{alert_id}/close"
DETECTIONS_PATH: Final = "/v1/detections"
REPLAY_PATH: Final = "/v1/detections/replay"
RECONCILIATION_PATH: Final = "/v1/reconciliation"
IMPORT_PATH: Final = "/v1/reconciliation/imports"
QUARANTINE_PATH: Final = "/v1/quarantine"
LINE_ROUTE: Final = "/v1/quarantine/{quarantine_id}"
REPAIR_ROUTE: Final = "/v1/quarantine/{quarantine_id}/repair"

_PLAIN: Final = frozenset({ALERTS_PATH, DETECTIONS_PATH, REPLAY_PATH, RECONCILIATION_PATH, IMPORT_PATH, QUARANTINE_PATH})
_BELOW: Final = [
    (re.compile("/v1/alerts/[^/]+"), ALERT_ROUTE),
    (re.compile("/v1/alerts/[^/]+/close"), CLOSE_ROUTE),
    (re.compile("/v1/quarantine/[^/]+"), LINE_ROUTE),
    (re.compile("/v1/quarantine/[^/]+/repair"), REPAIR_ROUTE),
]


def operations_route(path: str) -> str | None:
    """Return the template of one of these paths; None for any other."""
    if path in _PLAIN:
        return path
    return next((route for pattern, route in _BELOW if pattern.fullmatch(path)), None)
