"""One deadline around all that Authsignal is asked within a trigger's call."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.problems import ProviderBusy, retry_after


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """
    End what is inside after so many seconds.

    Raises:
        ProviderBusy: It took longer.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise ProviderBusy("deadline", headers=retry_after(2)) from error
