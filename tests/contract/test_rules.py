"""The simulator's pure rules: states, scopes, limits, tokens, Basic headers, addresses, wording, faults."""

import base64
import re
from urllib.parse import quote

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.authsignal.addresses import check_email, check_phone
from deploy.local.authsignal.auth import basic_user
from deploy.local.authsignal.errors import ExpiredToken, InvalidRequest, InvalidToken
from deploy.local.authsignal.faults import FaultKind, FaultRequest, FaultTable
from deploy.local.authsignal.limits import SlidingWindow
from deploy.local.authsignal.mail import compose_code_mail
from deploy.local.authsignal.model import ActionState, Outcome
from deploy.local.authsignal.scopes import ADD, ALL, READ, may_enrol, parse_scope
from deploy.local.authsignal.states import after_proof, initial_state
from deploy.local.authsignal.tokens import TokenClaims, TokenMint
from deploy.local.authsignal.views import mask_email, timestamp

_TENANT = "5f9ab1a0-3f3e-4c0e-9d7e-0f6f3d6b1a2b"
_KEYS = ("a" * 64, "b" * 64)
_CLAIMS = TokenClaims(user_id="u", action_code="signIn", idempotency_key="k", scopes=(READ,))


def _mint(*keys: str, tenant_id: str = _TENANT) -> TokenMint:
    return TokenMint(keys=keys or _KEYS, tenant_id=tenant_id, issuer="http://localhost:8100/v1")


@pytest.mark.parametrize(
    ("outcome", "is_enrolled", "state"),
    [
        (Outcome.ALLOW, True, ActionState.ALLOW),
        (Outcome.ALLOW, False, ActionState.ALLOW),
        (Outcome.CHALLENGE, True, ActionState.CHALLENGE_REQUIRED),
        (Outcome.CHALLENGE, False, ActionState.ALLOW),
        (Outcome.REVIEW, True, ActionState.REVIEW_REQUIRED),
        (Outcome.REVIEW, False, ActionState.REVIEW_REQUIRED),
        (Outcome.BLOCK, True, ActionState.BLOCK),
        (Outcome.BLOCK, False, ActionState.BLOCK),
    ],
)
def test_every_outcome_has_its_first_state(outcome: Outcome, state: ActionState, *, is_enrolled: bool) -> None:
    """
    A fresh action's state follows from outcome and enrolment alone.
    """
    assert initial_state(outcome, is_enrolled=is_enrolled) is state


@pytest.mark.parametrize("state", list(ActionState))
def test_proof_lifts_open_states_only(state: ActionState) -> None:
    """
    A proof completes what is allowed or waiting for a challenge, and leaves every other state as it is.
    """
    is_open = state in (ActionState.ALLOW, ActionState.CHALLENGE_REQUIRED)
    assert after_proof(state) is (ActionState.CHALLENGE_SUCCEEDED if is_open else state)


@given(st.lists(st.sampled_from([*ALL, "admin", "", "read:authenticators add:authenticators"])))
def test_scopes_are_known_words_in_one_order(words: list[str]) -> None:
    """
    Whatever is asked for, a scope holds known words only, in one order, reading always among them.
    """
    scopes = parse_scope(" ".join(words))
    assert READ in scopes
    assert list(scopes) == [scope for scope in ALL if scope in scopes]
    assert may_enrol(scopes, has_authenticator=True) is (ADD in scopes)
    assert may_enrol(scopes, has_authenticator=False) is True


@given(st.lists(st.floats(min_value=0, max_value=50), max_size=60), st.integers(1, 5))
def test_window_never_lets_more_through(gaps: list[float], calls_max: int) -> None:
    """
    In any window of the given length at most so many calls are let through, and a refused one does not count.
    """
    window, now, taken = SlidingWindow(), 1_000.0, list[float]()
    for gap in gaps:
        now += gap
        recent = [at for at in taken if at > now - 60]
        allowed = window.take(("key",), now=now, calls_max=calls_max, window_seconds=60)
        assert allowed is (len(recent) < calls_max)
        if allowed:
            taken.append(now)


def test_windows_of_different_keys_are_apart() -> None:
    """
    One user's calls do not use up another's.
    """
    window = SlidingWindow()
    assert window.take(("a",), now=0, calls_max=1, window_seconds=60)
    assert not window.take(("a",), now=1, calls_max=1, window_seconds=60)
    assert window.take(("b",), now=1, calls_max=1, window_seconds=60)


def test_token_has_the_documented_claims() -> None:
    """
    A token carries scope and life at the top, and tenant, user, action and key under `other`; nothing of the address.
    """
    token = _mint().mint(_CLAIMS, now=1_700_000_000.9, duration_seconds=600)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["iat"], claims["exp"]) == (1_700_000_000, 1_700_000_600)
    assert (claims["sub"], claims["scope"]) == ("u", "read:authenticators")
    assert set(claims["other"]) == {"tenantId", "publishableKey", "userId", "actionCode", "idempotencyKey"}
    assert claims["other"]["tenantId"] == _TENANT


def test_token_lives_exactly_as_long_as_it_says() -> None:
    """
    A token reads back until the second before its expiry, and is expired from then on, by the caller's clock.
    """
    token = _mint().mint(_CLAIMS, now=1_000, duration_seconds=600)
    assert _mint().read(token, now=1_599.9) == _CLAIMS
    with pytest.raises(ExpiredToken):
        _mint().read(token, now=1_600)


def test_either_key_verifies_and_the_first_signs() -> None:
    """
    During a rotation tokens of both keys are good; once a key is retired its tokens are not.
    """
    old, new = "o" * 64, "n" * 64
    token = _mint(old).mint(_CLAIMS, now=0, duration_seconds=600)
    assert _mint(new, old).read(token, now=1) == _CLAIMS
    assert _mint(new).read(_mint(new, old).mint(_CLAIMS, now=0, duration_seconds=600), now=1) == _CLAIMS
    with pytest.raises(InvalidToken):
        _mint(new).read(token, now=1)


def _forged() -> dict[str, str]:
    payload = {"exp": 9_999_999_999, "scope": READ, "other": {"tenantId": _TENANT, "userId": "u", "actionCode": "a"}}
    good = _mint().mint(_CLAIMS, now=0, duration_seconds=600)
    header, body, signature = good.split(".")
    return {
        "garbage": "garbage",
        "empty": "",
        "no signature": f"{header}.{body}.",
        "no algorithm": jwt.encode(payload, "", algorithm="none"),
        "other algorithm": jwt.encode(payload, _KEYS[0], algorithm="HS512"),
        "other body": f"{header}.{base64.urlsafe_b64encode(b'{}').decode().rstrip('=')}.{signature}",
        "claim missing": jwt.encode(payload, _KEYS[0], algorithm="HS256"),
        "other tenant": _mint(tenant_id="another").mint(_CLAIMS, now=0, duration_seconds=600),
    }


@pytest.mark.parametrize("token", _forged().values(), ids=_forged().keys())
def test_forged_token_is_invalid(token: str) -> None:
    """
    A token that is malformed, unsigned, signed otherwise, incomplete or of another tenant is invalid.
    """
    with pytest.raises(InvalidToken):
        _mint().read(token, now=1)


@given(st.text(min_size=1).filter(lambda text: ":" not in text))
def test_basic_header_is_read_in_every_form(name: str) -> None:
    """
    With the colon or without, in either base64 alphabet, padded or not: the name that SDKs send is read back.
    """
    browser = quote(name)  # the browser SDK encodes what it sends as a URI component, and adds no colon
    assert basic_user("Basic " + base64.b64encode(browser.encode()).decode()) == browser
    assert basic_user("Basic " + base64.b64encode(f"{name}:".encode()).decode()) == name
    assert basic_user("basic " + base64.urlsafe_b64encode(f"{name}:".encode()).decode().rstrip("=")) == name


@pytest.mark.parametrize("header", ["", "Basic", "Basic ====", "Bearer abc", "Basic \u00e9", "Basic gA=="])
def test_bad_basic_header_names_nobody(header: str) -> None:
    """
    What is not Basic, not base64 or not UTF-8 gives no name, and no exception.
    """
    assert not basic_user(header)


@pytest.mark.parametrize("email", ["a@b", "first.last+tag@sub.example.test", "ngā@example.test", "o'hara@example.test"])
def test_plausible_address_is_kept_as_written(email: str) -> None:
    """
    An address comes back exactly as it was given.
    """
    assert check_email(email) == email


@pytest.mark.parametrize(
    "email", [None, "", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\nc", "a@b\r\nBcc: x@y", "<a@b>", "a@b.", "a" * 250 + "@b.cd"]
)
def test_implausible_address_is_refused(email: str | None) -> None:
    """
    What is missing, too long, has several at-signs, white space, brackets or line breaks is no address.
    """
    with pytest.raises(InvalidRequest):
        check_email(email)


@pytest.mark.parametrize("number", [None, "", "0211234567", "+0123456789", "+12", "+1234567890123456", "+64 21 123 456"])
def test_number_not_in_international_form_is_refused(number: str | None) -> None:
    """
    A phone number must be in E.164 form.
    """
    with pytest.raises(InvalidRequest):
        check_phone(number)


@given(st.from_regex(r"[0-9]{6}", fullmatch=True), st.integers(1, 1_440), st.floats(0, 4e9))
def test_mail_holds_one_code_and_no_other_digits_like_it(code: str, minutes: int, sent_at: float) -> None:
    """
    In subject, text and page source the code is the only run of six digits.
    """
    mail = compose_code_mail(to="user@example.test", code=code, valid_minutes=minutes, sent_at=sent_at)
    sources = [str(mail["Subject"])]
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        sources.append(part.get_content())
    for source in sources:
        assert re.findall(r"(?<![0-9])[0-9]{6}(?![0-9])", source) == [code]


def test_masked_address_keeps_first_letter_and_domain() -> None:
    """
    A masked address shows its first letter and its domain.
    """
    assert mask_email("user@example.test") == "u***@example.test"


def test_timestamps_have_milliseconds_and_a_z() -> None:
    """
    Times go out in ISO 8601, in UTC, with three decimals.
    """
    assert timestamp(1_715_576_342.640) == "2024-05-13T04:59:02.640Z"


def test_fault_hits_matching_calls_so_many_times() -> None:
    """
    A fault hits calls of its method under its path, as often as asked, and the first one set goes first.
    """
    faults = FaultTable()
    faults.add(FaultRequest(kind=FaultKind.REFUSE, method="POST", path_prefix="/v1/validate", times=2))
    faults.add(FaultRequest(kind=FaultKind.DROP, times=1))
    assert faults.take("POST", "/control/clock") is None
    kinds = [fault.kind if (fault := faults.take("POST", "/v1/validate")) else None for _ in range(4)]
    assert kinds == [FaultKind.REFUSE, FaultKind.REFUSE, FaultKind.DROP, None]
    assert [(fault.hits, fault.remaining) for fault in faults.view()] == [(2, 0), (1, 0)]
