"""HTTP over uvicorn, with one thing more: the application can close the connection without an answer."""

from collections.abc import Callable
from typing import Any, cast

from litestar.types import HTTPScope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_EXTENSION = "simulator.abort"


class AbortableProtocol(HttpToolsProtocol):
    """Hands the transport's abort to the application, which ASGI by itself has no word for."""

    def on_message_begin(self) -> None:
        """Start a request whose scope carries the means to cut it off."""
        super().on_message_begin()
        cast(dict[str, Any], self.scope)["extensions"] = {_EXTENSION: {"call": self.transport.abort}}


def abort(scope: HTTPScope) -> None:
    """Cut the connection of a request served by `AbortableProtocol`."""
    extensions = cast(dict[str, Any], scope["extensions"])
    call: Callable[[], None] = extensions[_EXTENSION]["call"]
    call()
