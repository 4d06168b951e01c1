"""W08: tokens where a script of the page can read them."""

from tests.integration.gateway.person import ATTEMPT, SESSION, Person


async def test_cookies_are_for_this_host_alone(person: Person) -> None:
    """Both cookies are opaque and come with every attribute that keeps them to this host, this site and out of scripts."""
    begun = await person.call("POST", "/v1/sign-ups", {"email": person.email})
    verified = await person.verify(begun.body["id"], await person.code())

    for answer, name in ((begun, ATTEMPT), (verified, SESSION)):
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith(f"{name}=")
        assert {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"} < {part.strip() for part in cookie.split(";")}
        assert "Domain" not in cookie
