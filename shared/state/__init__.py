"""
Short-lived state behind one small port: attempts, sessions, burned keys, limits, idempotency.

Two adapters: `memory` for one copy of a service, `valkey` for many. Values are bytes; every key has a life.
"""

from shared.state.port import StateStore, StateUnavailable, Taking, Window
from shared.state.urls import open_state

__all__ = ["StateStore", "StateUnavailable", "Taking", "Window", "open_state"]
