"""The Client API: what browsers and phones call with a client token. Each method brings its own endpoints."""

from litestar import Router

from deploy.local.authsignal.methods import METHODS


def client_router() -> Router:
    """The endpoints of every method, under `/v1/client`; each of them checks its caller by itself."""
    return Router(path="/v1/client", route_handlers=[item for method in METHODS for item in method.client_routes()])
