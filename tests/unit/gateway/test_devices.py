"""What people are shown of a browser's User-Agent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.devices import device_name

AGENTS = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Windows",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0": "Edge on Windows",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36": "Chrome on Linux",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15": "Safari on Mac",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 CriOS/140.0 Safari/604.1": "Chrome on iPhone",
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 SamsungBrowser/28.0 Chrome/130.0 Safari/537.36": (
        "Samsung Internet on Android"
    ),
    "curl/8.5.0": "curl",
    "": "Unknown device",
    "()": "Unknown device",
}


@pytest.mark.parametrize("agent", AGENTS)
def test_browsers_go_by_the_names_that_people_know(agent: str) -> None:
    """A browser is called by its own name, not by those that it descends from, and with its system."""
    assert device_name(agent) == AGENTS[agent]


def test_no_agent_is_unknown() -> None:
    """Who does not say gets no name."""
    assert device_name(None) == "Unknown device"


@given(st.text(max_size=300))
def test_a_name_is_short_and_plain(agent: str) -> None:
    """Whatever a client calls itself, what is shown is a few letters, digits and signs, and never markup."""
    name = device_name(agent)

    assert 1 <= len(name) <= 40
    assert not set(name) & set("<>&\"'\n\x00")
