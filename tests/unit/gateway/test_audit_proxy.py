"""What the gateway's way to the audit service lets through."""

import pytest

from services.gateway.audit_proxy import PLAIN, needs_fresh_proof, timeout_of


@pytest.mark.parametrize(
    ("method", "path", "is_needed"),
    [
        ("POST", "/v1/exports", True),
        ("POST", "/v1/exports/", True),
        ("POST", "/v1/erasures", True),
        ("POST", "/v1/holds", True),
        ("DELETE", "/v1/holds/17", True),
        ("GET", "/v1/exports", False),
        ("GET", "/v1/exports/1/file", False),
        ("POST", "/v1/searches", False),
        ("DELETE", "/v1/searches/1", False),
        ("POST", "/v1/alerts/1/close", False),
        ("GET", "/", False),
    ],
)
def test_what_needs_a_fresh_proof(method: str, path: str, is_needed: bool) -> None:
    """
    Making a copy, ending a person's data and what holds that back ask for a fresh proof; looking and tidying up do not.
    """
    assert needs_fresh_proof(method, path) is is_needed


@pytest.mark.parametrize(
    "path",
    ["/", "/v1/events", "/log/tile/0/x001/x234/067.p/17", "/v1/events/019aa9e6-6f0d-7d3c-8a51-6a0f2f7e9c11/proof", "/a.b/..c"],
)
def test_plain_paths_pass(path: str) -> None:
    """
    Every path that the audit service has is plain.
    """
    assert PLAIN.fullmatch(path)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/x/../exports", "/./v1/exports", "/v1//exports", "//v1/exports", "/v1/exports?x", "/v1/exports#x", "/v1/exports;x",
        "/v1\\exports", "/v1/exp orts", "/v1/exports\n", "/..", "/v1/%2e%2e/exports", "/v1/exports//",
    ],
)  # fmt: skip
def test_paths_that_could_be_read_in_two_ways_are_refused(path: str) -> None:
    """
    What a client on the way could shorten, cut off or decode once more does not pass, so the rule above sees what is asked.
    """
    assert not PLAIN.fullmatch(path)


@pytest.mark.parametrize(
    ("path", "seconds"),
    [("/v1/exports/019aa9e6-6f0d-7d3c-8a51-6a0f2f7e9c11/file", 3_600), ("/v1/exports", 60), ("/v1/events/tail", 60)],
)
def test_how_long_the_audit_service_may_be_silent(path: str, seconds: int) -> None:
    """
    A file may be an hour in the making before its first byte; everything else speaks within a minute.
    """
    assert timeout_of(path).sock_read == seconds
