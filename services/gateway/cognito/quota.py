"""
A budget below Cognito's own quotas, shared by all copies: whoever is over it is answered by us, before Cognito throttles.

Cognito counts requests per second by category, per account and region over all pools. RespondToAuthChallenge has an allowance
of its own, three times its category's, and every one of ours follows an InitiateAuth, so only that one is counted.
"""

import asyncio
import time
from enum import Enum
from typing import Annotated, Final

from msgspec import Meta, Struct

from services.gateway.cognito.faults import OVER_BUDGET, CognitoRefused
from shared.state import StateStore, Window

SPAN_SECONDS: Final = 1
# A burst is spread over this long before it is refused: whoever waits here has proven something already.
WAIT_SECONDS_MAX: Final = 1.0
RATE_MAX: Final = 100_000
Rate = Annotated[int, Meta(ge=1, le=RATE_MAX)]


class Category(Enum):
    """Cognito's categories of operations, as far as we use them."""

    USER_AUTHENTICATION = "user_authentication"
    USER_CREATION = "user_creation"
    USER_READ = "user_read"
    USER_UPDATE = "user_update"
    USER_TOKEN = "user_token"


CATEGORIES: Final = {
    "InitiateAuth": Category.USER_AUTHENTICATION,
    "SignUp": Category.USER_CREATION,
    "AdminGetUser": Category.USER_READ,
    "GetUser": Category.USER_READ,
    "UpdateUserAttributes": Category.USER_UPDATE,
    "AdminUpdateUserAttributes": Category.USER_UPDATE,
    "GetTokensFromRefreshToken": Category.USER_TOKEN,
    "RevokeToken": Category.USER_TOKEN,
}


class CognitoRates(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    Requests per second that we allow ourselves; each a sixth below Cognito's default quota for an account and region.

    Where other pools or other programs use the same account, give them their share by lowering these.
    """

    user_authentication: Rate = 100
    user_creation: Rate = 40
    user_read: Rate = 100
    user_update: Rate = 20
    user_token: Rate = 100


class CognitoQuota:
    """The budget."""

    def __init__(self, state: StateStore, rates: CognitoRates) -> None:
        self._state = state
        self._rates = rates

    def window(self, category: Category, *, asks_only: bool = False) -> Window:
        """Return the window of a category, for a request that takes or asks for a place together with others."""
        rate: int = getattr(self._rates, category.value)
        return Window(f"limit:quota:{category.value}", rate, SPAN_SECONDS, asks_only)

    async def take(self, operation: str) -> None:
        """
        Return when there is room for a call.

        Raises:
            CognitoRefused: There was none for `WAIT_SECONDS_MAX`.
        """
        category = CATEGORIES.get(operation)
        if category is None:
            return
        windows = [self.window(category)]
        ends_at = time.monotonic() + WAIT_SECONDS_MAX
        while (taking := await self._state.take(windows)).refused_by is not None:
            wait = taking.wait_seconds[0]
            if time.monotonic() + wait > ends_at:
                raise CognitoRefused(operation, OVER_BUDGET)
            await asyncio.sleep(wait)
