"""Pure rules of the methods: time-based codes, conditions, phone keys, wording of messages."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.authsignal import conditions, phone_keys, totp
from deploy.local.authsignal.errors import InvalidRequest
from deploy.local.authsignal.mail import compose_link_mail, compose_phone_mail
from deploy.local.authsignal.views import parse_user_agent

_RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # the seed of RFC 6238 appendix B, in base32


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (2_000_000_000, "279037")],
)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    """
    Codes are the last six digits of the vectors of RFC 6238 for SHA-1.
    """
    assert totp.code_at(_RFC_SECRET, seconds // totp.STEP_SECONDS) == code


@given(st.integers(0, 4_000_000_000), st.integers(-3, 3))
def test_code_of_a_neighbouring_step_is_good_once(now: int, distance: int) -> None:
    """
    A code is good in its own step and in those to either side, and never again once that step is used up.
    """
    step = max(0, now // 30 + distance)
    code = totp.code_at(_RFC_SECRET, step)
    found = totp.matching_step(_RFC_SECRET, code, now=now)
    if abs(step - now // 30) <= 1:
        assert found is not None
        assert totp.code_at(_RFC_SECRET, found) == code
        assert totp.matching_step(_RFC_SECRET, code, now=now, after=found) is None


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=20))
def test_app_reads_the_secret_back(account: str, issuer: str) -> None:
    """
    Whatever the account is called, the URI for the app holds the secret that was put in.
    """
    secret = totp.new_secret()
    assert totp.secret_of(totp.uri(secret, account=account, issuer=issuer)) == secret


@pytest.mark.parametrize("uri", ["", "otpauth://hotp/a?secret=ABCDEFGH", "otpauth://totp/a", "https://totp/?secret=ABCDEFGH"])
def test_other_uri_has_no_secret(uri: str) -> None:
    """
    What is no otpauth URI for time-based codes with a secret is refused.
    """
    with pytest.raises(ValueError, match="otpauth"):
        totp.secret_of(uri)


_FACTS: dict[str, Any] = {"user": {"id": "u1", "custom": {"tier": "gold"}}, "ip": {"address": "192.0.2.7"}, "n": 3}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (True, True),
        ({"==": [{"var": "user.id"}, "u1"]}, True),
        ({"==": [{"var": "user.missing.deep"}, None]}, True),
        ({"!=": [{"var": "user.custom.tier"}, "gold"]}, False),
        ({">": [{"var": "n"}, 2]}, True),
        ({">": [{"var": "missing"}, 2]}, False),
        ({"<=": [{"var": "user.id"}, 2]}, False),
        ({"in": [{"var": "user.custom.tier"}, ["gold", "silver"]]}, True),
        ({"in": ["ol", {"var": "user.custom.tier"}]}, True),
        ({"in": [1, {"var": "n"}]}, False),
        ({"inNetwork": [{"var": "ip.address"}, "192.0.2.0/24"]}, True),
        ({"inNetwork": [{"var": "ip.address"}, ["2001:db8::/32", "10.0.0.0/8"]]}, False),
        ({"inNetwork": [{"var": "missing"}, "0.0.0.0/0"]}, False),
        ({"and": [True, {"!": [False]}]}, True),
        ({"or": [False, {"!": True}]}, False),
        ({"and": []}, True),
    ],
)
def test_condition_holds(condition: object, *, expected: bool) -> None:
    """
    Each operator means what its name says, and what is missing matches nothing but null.
    """
    conditions.check(condition)
    assert conditions.holds(condition, _FACTS) is expected


_VARIABLES = st.builds(lambda name: {"var": name}, st.text(max_size=9))
_LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | _VARIABLES
_WORDS = st.sampled_from(["==", "<", "in", "inNetwork", "and", "or", "!", "odd"])
_CONDITIONS = st.recursive(
    _LEAVES, lambda inner: st.dictionaries(_WORDS, st.lists(inner, max_size=3), max_size=2), max_leaves=12
)


@given(_CONDITIONS)
def test_checked_condition_never_fails(condition: object) -> None:
    """
    Whatever passes the check can be evaluated; whatever does not is refused as a bad condition.
    """
    try:
        conditions.check(condition)
    except conditions.BadCondition:
        return
    assert conditions.holds(condition, _FACTS) in (True, False)


def test_condition_nested_too_deep_is_refused() -> None:
    """
    A condition deeper than 20 levels is refused instead of exhausting the stack.
    """
    condition: object = True
    for _ in range(50):
        condition = {"!": [condition]}
    with pytest.raises(conditions.BadCondition, match="20"):
        conditions.check(condition)


@given(st.text())
def test_only_the_holder_of_the_key_signs(message: str) -> None:
    """
    A signature is good for its key and message, and for no other key or message.
    """
    private_key, public_key = _PAIR
    signature = phone_keys.sign(private_key, message)
    assert phone_keys.is_signed(public_key, message, signature)
    assert not phone_keys.is_signed(public_key, message + "x", signature)
    assert not phone_keys.is_signed(_OTHER_PAIR[1], message, signature)


_PAIR, _OTHER_PAIR = phone_keys.new_key_pair(), phone_keys.new_key_pair()


@given(st.text(max_size=200))
def test_rubbish_is_no_signature_and_no_key(rubbish: str) -> None:
    """
    Rubbish in place of a signature is not one, and in place of a key is an invalid request.
    """
    assert not phone_keys.is_signed(_PAIR[1], "message", rubbish)
    with pytest.raises(InvalidRequest):
        phone_keys.check_public_key(rubbish)


def test_phone_prints_its_window_as_a_floating_point_number() -> None:
    """
    What a phone signs to remove itself is the ten-minute window with a decimal, the present one or the one before.
    """
    assert phone_keys.removal_messages(1_699_999_800 + 599) == ["2833333.0", "2833332.0"]


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), st.from_regex(r"[0-9]{6}", fullmatch=True))
def test_text_message_holds_one_code(number: str, code: str) -> None:
    """
    In a text message, as mailed, the code is the only run of six digits: the number is grouped.
    """
    mail = compose_phone_mail(number=number, service="SMS", code=code, valid_minutes=10, sent_at=0)
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        assert re.findall(r"(?<![0-9])[0-9]{6,}(?![0-9])", part.get_content()) == [code]
    assert str(mail["Subject"]).count(code) == 1


def test_link_stands_on_a_line_of_its_own() -> None:
    """
    In the text of a mail with a link, the link is a whole line, so that programs that show mail do not cut it.
    """
    url = "http://localhost:8100/api/verify-magic-link?token=id.secret"
    mail = compose_link_mail(to="a@example.test", url=url, valid_minutes=1, sent_at=0)
    text = mail.get_body(("plain",))
    assert text is not None
    assert url in text.get_content().splitlines()


@pytest.mark.parametrize(
    ("header", "browser", "system"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36", "Chrome", "Linux"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1.15", "Safari", "macOS"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0", "Edge", "Windows"),
        ("curl/8", None, None),
    ],
)
def test_browser_and_system_are_told_from_the_header(header: str, browser: str | None, system: str | None) -> None:
    """
    A browser is not taken for one of the ancestors that its header names.
    """
    parsed = parse_user_agent(header)
    assert (parsed["browser"].get("name"), parsed["os"].get("name")) == (browser, system)
