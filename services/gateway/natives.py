"""
Native apps: registered by the operator, and given tokens in the body where a browser gets a cookie.

Rules:

1. An id that the settings do not list is refused, and says so. A registration is public: it is a name, and proves nothing
   about whoever sends it. Source: RFC 8252 section 8.4.
2. A browser is never a native app: what comes with `Origin`, with fetch metadata or with one of our cookies gets no token in
   a body, and its Bearer credential counts for nothing.
3. An app keeps no cookies. Its attempt belongs to a token that comes with the attempt's first answer, and its session to the
   access token; each is sent back as ``Authorization: Bearer``.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Final, NamedTuple

from litestar import Request
from msgspec import Meta, Struct

from services.gateway import cookies
from shared.problems import InvalidRequest

AnyRequest = Request[Any, Any, Any]
# What pages cannot help sending, and scripts in them cannot hide. Source: Fetch Metadata section 2, Fetch section 3.1.
BROWSER_HEADERS: Final = ("origin", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest")
SCHEME: Final = "bearer"
CREDENTIAL_CHARACTERS_MAX: Final = 8192


class NativeClient(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One registered app. Without `methods` it is offered, at sign-in, what the deployment offers."""

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{3,64}$")]
    name: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]*$")]
    methods: tuple[str, ...] = ()


class Caller(NamedTuple):
    """Who begins an attempt: a browser, or with a `client` an app. `secret` is what its attempts belong to."""

    secret: str
    client: NativeClient | None = None

    @property
    def client_id(self) -> str | None:
        """The app's id; None for a browser."""
        return self.client.id if self.client is not None else None

    def offered(self, methods: tuple[str, ...]) -> tuple[str, ...]:
        """Return which of the deployment's methods this caller is offered, in their order."""
        if self.client is None or not self.client.methods:
            return methods
        return tuple(method for method in methods if method in self.client.methods)


class NativeClients:
    """The registered apps."""

    def __init__(self, clients: Iterable[NativeClient]) -> None:
        self._clients = {client.id: client for client in clients}

    def __contains__(self, client_id: str) -> bool:
        return client_id in self._clients

    def name_of(self, client_id: str) -> str:
        """Return an app's name for people; its id when it is no longer registered."""
        client = self._clients.get(client_id)
        return client.name if client is not None else client_id

    def caller(self, request: AnyRequest, client_id: str | None) -> Caller:
        """
        Return who begins an attempt with this request.

        Raises:
            InvalidRequest: The app is not registered, or it is a browser that says it is one.
        """
        if client_id is None:
            secret = cookies.read(request.headers.get("cookie"), cookies.ATTEMPT)
            return Caller(secret or cookies.new_secret())
        client = self._clients.get(client_id)
        if client is None:
            raise _refused("This app is not registered here. Ask the operator to add it to native_clients.")
        if is_browser(request):
            raise _refused("A browser page signs in without a client_id: its session is a cookie.")
        return Caller(cookies.new_secret(), client)


def is_browser(request: AnyRequest) -> bool:
    """Say whether a request carries what only browsers send."""
    headers = request.headers
    cookie = headers.get("cookie")
    has_ours = any(cookies.read(cookie, name) is not None for name in (cookies.SESSION, cookies.ATTEMPT))
    return has_ours or any(name in headers for name in BROWSER_HEADERS)


def credential_of(request: AnyRequest) -> str | None:
    """Return an app's Bearer credential, or None when there is none, or a browser sends it. Source: RFC 6750 section 2.1."""
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    credential = credential.strip()
    if scheme.lower() != SCHEME or not 0 < len(credential) <= CREDENTIAL_CHARACTERS_MAX or is_browser(request):
        return None
    return credential


def _refused(message: str) -> InvalidRequest:
    return InvalidRequest(extensions={"errors": [{"field": "client_id", "message": message}]})
