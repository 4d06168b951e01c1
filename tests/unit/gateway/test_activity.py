"""What a person sees of the log about their account."""

import re

from services.gateway.activity import SHOWN
from services.gateway.pages import DIST
from shared.events import EventType

WORDS = DIST.parent / "src/pages/account/security/Activity.tsx"


def test_each_event_that_is_shown_has_words() -> None:
    """The page has words of its own for every type that the gateway asks the log for, and each of them is a type."""
    with_words = re.findall(r'^  "([a-z_.]+)": \(', WORDS.read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(with_words) == sorted(SHOWN)
    assert {event_type.value for event_type in EventType} >= set(SHOWN)
