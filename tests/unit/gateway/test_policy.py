"""The gateway's rules: addresses, masks, and where an attempt stands."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.gateway import policy
from services.gateway.attempts.model import Attempt, AttemptKind, AttemptStatus

FINAL = [status for status in AttemptStatus if status not in policy.WAITING]


def attempt(**changes: Any) -> Attempt:
    """Return an attempt that waits for a code until second 1000."""
    fields: dict[str, Any] = {
        "id": "id",
        "kind": AttemptKind.SIGN_IN,
        "action": "signIn",
        "status": AttemptStatus.CHALLENGE_REQUIRED,
        "binding": "",
        "email": "a@example.test",
        "email_hash": "hash",
        "idempotency_key": "key",
        "created_at": 400.0,
        "expires_at": 1000.0,
        "resend_at": 430.0,
        "codes_left": 5,
        "sends_left": 2,
    }
    return Attempt(**{**fields, **changes})


WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20)
LOCAL = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.!#$%&*+/=?^_`{|}~-", min_size=1, max_size=64)


@given(LOCAL, st.lists(WORD, min_size=1, max_size=4), st.sampled_from(["com", "test", "museum"]))
def test_ordinary_addresses_are_taken(local: str, labels: list[str], top: str) -> None:
    """Any local part of RFC 5321's atoms at a dotted name is an address, with blanks around it too."""
    assert policy.is_address(f" {local}@{'.'.join(labels)}.{top} ")


@given(st.text(max_size=80))
def test_an_address_has_no_surprise_in_it(text: str) -> None:
    """Whatever passes has one @, no blank, control character, quote, comma or bracket, and at most 254 characters."""
    if policy.is_address(text):
        address = text.strip().lower()
        assert address.count("@") == 1
        assert len(address) <= 254
        assert not set(address) & set(" \t\r\n,;<>\"'()[]\\:\x00")


@pytest.mark.parametrize(
    "text",
    [
        *("", "@", "a@", "@example.test", "a@example", "a@-example.test", "a@example-.test", "a@exa_mple.test", "a@b@c.test"),
        *("a b@example.test", "a@example.test\nBcc: b@example.test", "a\x00@example.test", "a@127.0.0.1", "a@[127.0.0.1]"),
        *(f"{'a' * 65}@example.test", "a" * 64 + "@" + "b." * 100 + "test", "<a@example.test>", '"a"@example.test', "a@.test"),
    ],
)
def test_other_texts_are_none(text: str) -> None:
    """What a mail server could misread, or nobody could have, is refused."""
    assert not policy.is_address(text)


@given(LOCAL, WORD)
def test_a_mask_shows_one_character(local: str, domain: str) -> None:
    """A masked address shows the first character and the domain, whatever the length of the rest."""
    assert policy.masked_address(f"{local}@{domain}.test") == f"{local[0]}***@{domain}.test"


@given(st.floats(0, 5000), st.sampled_from(sorted(policy.WAITING, key=str)))
def test_a_waiting_attempt_expires(now: float, status: AttemptStatus) -> None:
    """An attempt that waits, for a proof or for an operator, is expired from its end on, and waiting before."""
    expected = AttemptStatus.EXPIRED if now >= 1000.0 else status
    assert policy.status_at(attempt(status=status), now) is expected


@pytest.mark.parametrize("status", FINAL)
@pytest.mark.parametrize("now", [0.0, 5000.0])
def test_an_attempt_that_ended_stays_as_it_ended(status: AttemptStatus, now: float) -> None:
    """Time changes nothing about a final status."""
    assert policy.status_at(attempt(status=status), now) is status


@given(st.floats(0, 1000, allow_subnormal=False))
def test_the_wait_for_a_resend_is_whole_and_enough(now: float) -> None:
    """Whoever waits the seconds that were said may send, and nobody is told to wait a second longer than needed."""
    wait = policy.whole_seconds(policy.resend_at(attempt(method="EMAIL_OTP"), "EMAIL_OTP") - now)

    assert isinstance(wait, int)
    assert now + wait >= 430.0
    assert wait == 0 or now + wait - 1 < 430.0


def test_each_channel_cools_down_alone() -> None:
    """What was sent by one channel holds up that channel, by whichever method, and no other; switching forgets nothing."""
    by_mail = attempt(method="EMAIL_OTP", resend_at=430.0)
    by_app = replace(by_mail, cooling=policy.cooling(by_mail), method="AUTHENTICATOR_APP")
    by_text = replace(by_app, cooling=policy.cooling(by_app), method="SMS", resend_at=440.0)

    methods = ("EMAIL_OTP", "EMAIL_MAGIC_LINK", "SMS", "WHATSAPP", "PUSH", "QR_CODE")
    waits = [[policy.resend_at(one, method) for method in methods] for one in (by_mail, by_app, by_text)]
    assert waits[0] == waits[1] == [430.0, 430.0, 0, 0, 0, 0]
    assert waits[2] == [430.0, 430.0, 440.0, 0, 0, 0]
