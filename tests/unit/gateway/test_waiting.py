"""How long a client may have its answer held."""

import pytest
from litestar.testing import RequestFactory

from services.gateway.handlers.documents import wait_seconds

WISHES = {
    "wait=5": 5,
    "wait=0": 0,
    "wait=25": 25,
    "wait=26": 25,
    "wait=9999": 25,
    "respond-async, wait=7": 7,
    "wait=7; foo=bar": 7,
    "handling=lenient,wait=3": 3,
    "wait=-1": 0,
    "wait=99999": 0,
    "wait=1e3": 0,
    "await=7": 0,
    "wait": 0,
    "": 0,
}


@pytest.mark.parametrize("wish", WISHES)
def test_a_wish_is_bounded(wish: str) -> None:
    """`Prefer: wait=n` is heard up to 25 seconds; what is no such wish is none."""
    assert wait_seconds(RequestFactory().get("/", headers={"Prefer": wish})) == WISHES[wish]


def test_no_wish_is_no_wait() -> None:
    """Without the header the answer comes at once."""
    assert wait_seconds(RequestFactory().get("/")) == 0
