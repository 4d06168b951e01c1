"""From the `state_url` of a settings file to a store."""

from shared.settings import SettingsError
from shared.state.memory import MemoryState
from shared.state.port import StateStore
from shared.state.valkey import ValkeyState


def open_state(url: str) -> StateStore:
    """
    Return the store that a URL names: ``memory://``, ``valkey://host:port/db`` or ``valkeys://`` for TLS.

    Raises:
        SettingsError: The URL names no store that we know.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "memory":
        return MemoryState()
    if scheme in {"valkey", "redis"}:
        return ValkeyState(f"redis://{rest}")
    if scheme in {"valkeys", "rediss"}:
        return ValkeyState(f"rediss://{rest}")
    raise SettingsError(f"state_url {url!r}: expected memory://, valkey://host:port/0 or valkeys://host:port/0")
