"""Removals of authenticators, one at a time for each person, over all copies and both ways in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from shared.problems import Conflict
from shared.state import StateStore

# Longer than the provider calls of one removal can take.
REMOVAL_SECONDS_MAX: Final = 15


@asynccontextmanager
async def only_removal(state: StateStore, sub: str) -> AsyncIterator[None]:
    """
    Hold back other removals of this person's: two at once would each see the other's authenticator, and leave none.

    Raises:
        Conflict: Another one is under way.
    """
    lock = f"removal:{sub}"
    if not await state.add(lock, b"1", ttl_seconds=REMOVAL_SECONDS_MAX):
        raise Conflict("removal under way")
    try:
        yield
    finally:
        await state.delete(lock)
