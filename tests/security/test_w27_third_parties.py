"""W27: scripts and profiles of third parties in the page."""

import re

from tests.integration.gateway.person import Person
from tests.security.test_w23_scattered_secrets import bundle
from tests.stack import RunningStack

ELSEWHERE = re.compile(r"""<(?:script|link|img|iframe)[^>]+(?:src|href)=["'](?:https?:)?//""", re.IGNORECASE)


async def test_w27_a_page_runs_our_scripts_alone(person: Person, stack: RunningStack) -> None:
    """The policy of every page lets scripts of our own run, none inline, and data go to us and to Authsignal alone."""
    for path in ("/", "/sign-in", "/sign-up", "/account"):
        status, headers, text = await person.page(path)
        rules = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";") if part.strip())
        assert status == 200
        assert rules["script-src"] == "'self'"
        assert rules["default-src"] in {"'none'", "'self'"}
        assert rules["frame-ancestors"] == "'none'"
        origin = stack["authsignal"]["api_url"].replace("127.0.0.1", "localhost").removesuffix("/v1")
        assert set(rules["connect-src"].split()) <= {"'self'", origin, origin.replace("http", "ws", 1)}
        assert ELSEWHERE.search(text) is None


def test_w27_profiling_is_off() -> None:
    """The page never asks the Web SDK for its device profiling, which would bring a third party's script."""
    assert not [text for text in bundle() if re.search(r"enable[A-Za-z]*[Pp]rofiling\s*:\s*(?:!0|true)", text)]
