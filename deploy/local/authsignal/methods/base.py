"""What a verification method is to the simulator."""

from collections.abc import Sequence
from typing import Protocol

from litestar.handlers import HTTPRouteHandler

from deploy.local.authsignal.model import VerificationMethod
from deploy.local.authsignal.otp import CodeChannel


class Method(Protocol):
    """One verification method: its name, its part of the Client API, and whether the Server API can challenge by it."""

    method: VerificationMethod

    def client_routes(self) -> Sequence[HTTPRouteHandler]:
        """Handlers of its endpoints; their paths are relative to `/v1/client`."""
        ...

    def server_channel(self) -> CodeChannel | None:
        """How the Server API's challenge sends its codes, or None if it cannot challenge by this method."""
        ...
