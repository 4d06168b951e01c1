"""The port: what a service may ask of its state store."""

from typing import Protocol


class StateUnavailable(Exception):
    """The store does not answer: refuse the request, never go on without it."""


class StateStore(Protocol):
    """
    A key-value store with lives in seconds. Every method may raise `StateUnavailable`.

    `add` and `swap` are atomic over all copies of all services: they are what makes a key burn once and an attempt
    change hands once.
    """

    async def get(self, key: str) -> bytes | None:
        """Return the value, or None when there is none or it has died."""

    async def put(self, key: str, value: bytes, *, ttl_seconds: int) -> None:
        """Store a value, whatever was there."""

    async def add(self, key: str, value: bytes, *, ttl_seconds: int) -> bool:
        """Store a value only where there is none; say whether it was stored."""

    async def swap(self, key: str, expected: bytes, value: bytes, *, ttl_seconds: int) -> bool:
        """Store a value only where `expected` stands now; say whether it was stored."""

    async def delete(self, key: str) -> bool:
        """Remove a value; say whether there was one."""

    async def count(self, key: str, *, ttl_seconds: int) -> int:
        """Add one to a counter that dies `ttl_seconds` after its first increment; return the new count."""

    async def add_member(self, key: str, member: str, *, ttl_seconds: int) -> None:
        """Put a member that lives `ttl_seconds` into a set; the set lives as long as its youngest member."""

    async def members(self, key: str) -> list[str]:
        """Return the living members of a set, in no order that means anything."""

    async def remove_member(self, key: str, member: str) -> None:
        """Take a member out of a set."""

    async def ping(self) -> None:
        """Return when the store answers."""

    async def close(self) -> None:
        """Let go of connections."""
