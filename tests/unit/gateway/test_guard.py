"""Which pages may write: the table of Origin and Sec-Fetch-Site."""

import pytest

from services.gateway.guard import OriginGuard
from shared.events import Client
from shared.http.context import RequestContext
from shared.problems import OriginRejected, UnsupportedMedia

OURS, ALLOWED, FOREIGN = "https://auth.example.test", "http://localhost:4173", "https://evil.example"
JSON = {"content-type": "application/json"}


async def check(method: str, headers: dict[str, str]) -> None:
    """Put a request through the guard."""
    context = RequestContext("r", "t", "s", is_sampled=False, client=Client())
    encoded = {name.encode(): value.encode() for name, value in headers.items()}
    await OriginGuard(frozenset({OURS, ALLOWED}))({"method": method, "path": "/v1/x"}, encoded, context)


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("origin", [None, OURS, ALLOWED])
@pytest.mark.parametrize("site", [None, "same-origin", "none"])
async def test_our_pages_and_plain_clients_write(method: str, origin: str | None, site: str | None) -> None:
    """A listed origin writes, and so does a client that is no browser page."""
    headers = {**JSON, **({"origin": origin} if origin else {}), **({"sec-fetch-site": site} if site else {})}

    await check(method, headers)


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": FOREIGN},
        {"origin": "null"},
        {"origin": ""},
        {"origin": OURS + ".evil.example"},
        {"origin": OURS.replace("https", "http")},
        {"origin": OURS + "/"},
        {"origin": OURS.upper()},
        {"origin": FOREIGN, "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": ""},
        {"sec-fetch-site": "Same-Origin"},
    ],
)
async def test_other_pages_do_not(method: str, headers: dict[str, str]) -> None:
    """An origin that is not listed letter by letter, or a fetch from another site, writes nothing."""
    with pytest.raises(OriginRejected):
        await check(method, {**JSON, **headers})


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_reading_is_not_looked_at(method: str) -> None:
    """Reads change nothing, and what they answer a foreign page cannot see."""
    await check(method, {"origin": FOREIGN, "sec-fetch-site": "cross-site"})


@pytest.mark.parametrize("content_type", ["text/plain", "", "multipart/form-data", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
async def test_only_json_is_a_body(method: str, content_type: str) -> None:
    """What a form can send without asking is no body."""
    with pytest.raises(UnsupportedMedia):
        await check(method, {"content-type": content_type})


async def test_a_charset_is_fine() -> None:
    """JSON with a charset is JSON."""
    await check("POST", {"content-type": "application/json; charset=utf-8"})
