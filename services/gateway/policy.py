"""
The gateway's rules, as functions of values.

1. A code sent to an address may be asked for `sends_max` times and answered `codes_max` times per attempt.
2. An attempt belongs to the browser (or client) that began it: its binding secret is in a cookie, its hash in the record.
3. An attempt ends once: completed, failed, expired or blocked. One under review waits, and expires later than it would have.
4. What was sent by one channel holds up the next by the same channel, and by no other.
5. A known and an unknown address get answers of one shape, and spend the same budget.
"""

import re
from typing import Final

from services.gateway.attempts.model import Attempt, AttemptStatus
from shared.challenge_api import AWAITED_METHODS, TYPED_METHODS
from shared.events import normal_address

# One @, something before it, a dotted name after it, no spaces and no control characters; the mail server has the last
# word. The length is RFC 5321 section 4.5.3.1.3's path limit less the brackets.
ADDRESS: Final = re.compile(r"[^\s@\x00-\x1f<>\"',;:\\()\[\]]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
ADDRESS_CHARACTERS_MAX: Final = 254
SENT_METHODS: Final = (TYPED_METHODS - {"AUTHENTICATOR_APP"}) | AWAITED_METHODS
FRESH_SECONDS: Final = 300
WAITING: Final = frozenset({AttemptStatus.CHALLENGE_REQUIRED, AttemptStatus.REVIEW})
# By where it arrives: two methods of one channel reach the same mailbox or telephone.
CHANNELS: Final = {
    "EMAIL_OTP": "email",
    "EMAIL_MAGIC_LINK": "email",
    "SMS": "sms",
    "WHATSAPP": "whatsapp",
    "PUSH": "push",
}


def is_address(text: str) -> bool:
    """Say whether text can be an e-mail address that we would send to."""
    address = normal_address(text)
    return len(address) <= ADDRESS_CHARACTERS_MAX and ADDRESS.fullmatch(address) is not None


def is_sent(method: str | None) -> bool:
    """Say whether a method sends something to a person: those that do not need no send, no cool-down and no budget."""
    return method in SENT_METHODS


def masked_address(address: str) -> str:
    """Return an address as it is shown to somebody who has not proven it: first character and domain."""
    local, _, domain = address.partition("@")
    return f"{local[:1]}***@{domain}"


def status_at(attempt: Attempt, now: float) -> AttemptStatus:
    """Return an attempt's status at a moment (Unix seconds): one that still waits past its end has expired."""
    if attempt.status in WAITING and now >= attempt.expires_at:
        return AttemptStatus.EXPIRED
    return attempt.status


def resend_at(attempt: Attempt, method: str) -> float:
    """Return when a method may send, in Unix seconds; a channel that nothing was sent by may at once."""
    return cooling(attempt).get(CHANNELS.get(method, method), 0.0)


def cooling(attempt: Attempt) -> dict[str, float]:
    """Return when each channel that was used may be used again, in Unix seconds."""
    if attempt.method is None or not is_sent(attempt.method):
        return attempt.cooling
    return {**attempt.cooling, CHANNELS.get(attempt.method, attempt.method): attempt.resend_at}


def whole_seconds(wait: float) -> int:
    """Return a wait in whole seconds rounded up; 0 when it is over."""
    return max(0, -int(-wait // 1))
