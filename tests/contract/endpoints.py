"""The endpoints of the Client API, found by walking the routes of the application."""

from litestar import Litestar
from litestar.di import Provide

from deploy.local.authsignal.client_api import client_router


def client_endpoints() -> list[tuple[str, str]]:
    """Method and path, below `/v1/client`, of every endpoint that exists."""
    prefix = "/v1/client"
    unused = Provide(lambda: None, sync_to_thread=False)
    app = Litestar([client_router()], dependencies={"tenant": unused}, openapi_config=None)
    found = [
        (method, route.path.removeprefix(prefix))
        for route in app.routes
        for method in sorted(getattr(route, "methods", ()))
        if method != "OPTIONS" and route.path.startswith(prefix)
    ]
    assert found
    return found
