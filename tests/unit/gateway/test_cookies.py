"""The two cookies."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway import cookies

SECRET = "A" * 42 + "_"


def test_secrets_are_256_random_bits() -> None:
    """A secret is 43 characters of base64url, and none comes twice."""
    secrets = {cookies.new_secret() for _ in range(1000)}

    assert len(secrets) == 1000
    assert all(cookies.SECRET.fullmatch(secret) for secret in secrets)


def test_the_store_knows_a_hash() -> None:
    """What is stored of a cookie is its SHA-256."""
    assert cookies.digest(SECRET) == hashlib.sha256(SECRET.encode()).hexdigest()


def test_a_cookie_is_set_and_cleared_with_the_same_attributes() -> None:
    """A browser replaces a cookie only under the same name and path; both ways carry every attribute."""
    given, taken = cookies.set_header(cookies.SESSION, SECRET, seconds=60), cookies.clear_header(cookies.SESSION)

    assert given == f"__Host-sid={SECRET}; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Strict"
    assert taken == "__Host-sid=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict"


@pytest.mark.parametrize(
    "header",
    [
        f"__Host-sid={SECRET}",
        f"a=b; __Host-sid={SECRET}",
        f"a=b;__Host-sid={SECRET};c=d",
        f"x__Host-sid={'B' * 43}; __Host-sid={SECRET}",
        f"a=__Host-sid; __Host-sid={SECRET}",
        f"__Host-sid=rubbish; __Host-sid={SECRET}",
    ],
)
def test_a_cookie_is_found(header: str) -> None:
    """The cookie of exactly this name is read, whatever stands around it."""
    assert cookies.read(header, cookies.SESSION) == SECRET


@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "__Host-sid", "__Host-sid=", f"__Host-sid={SECRET}x", f"__Host-sid={SECRET[:-1]}", f"sid={SECRET}"),
        *(f'__Host-sid="{SECRET}"', f"__host-sid={SECRET}", f"__Host-sid={SECRET[:-1]}/", f"a=__Host-sid={SECRET}"),
    ],
)
def test_other_cookies_are_none(header: str | None) -> None:
    """Another name, another case of it, or a value that is not of our make is no cookie."""
    assert cookies.read(header, cookies.SESSION) is None


@given(st.text(max_size=100))
def test_no_header_breaks_the_reader(header: str) -> None:
    """Whatever a client sends as cookies is read without a fault."""
    found = cookies.read(header, cookies.SESSION)

    assert found is None or cookies.SECRET.fullmatch(found)
