"""The handlers of the API: each decodes, calls one thing, encodes. Which problems a route may answer with stands beside it."""

from typing import Any, Final

from services.gateway.handlers.account import ACCOUNT_HANDLERS
from services.gateway.handlers.attempts import ATTEMPT_HANDLERS
from services.gateway.handlers.config import CONFIG_HANDLERS
from services.gateway.handlers.direct import DIRECT_HANDLERS
from services.gateway.handlers.sessions import SESSION_HANDLERS
from services.gateway.handlers.step_ups import STEP_UP_HANDLERS
from services.gateway.handlers.webhooks import WEBHOOK_HANDLERS

HANDLERS: Final[tuple[Any, ...]] = (
    *CONFIG_HANDLERS,
    *ATTEMPT_HANDLERS,
    *SESSION_HANDLERS,
    *ACCOUNT_HANDLERS,
    *STEP_UP_HANDLERS,
    *DIRECT_HANDLERS,
    *WEBHOOK_HANDLERS,
)
