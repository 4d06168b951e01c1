"""W13: codes guessed, mailboxes bombed, quotas burned."""

import asyncio
import secrets
import time
from pathlib import Path

import aiohttp

from tests.integration.gateway.fixtures import People
from tests.integration.gateway.ledger import Ledger
from tests.integration.gateway.person import SESSION, Answer, Person
from tests.integration.gateway.process import ServiceProcess, access_key_of, settings_of
from tests.integration.gateway.simulator import Authsignal
from tests.integration.gateway.vault import Vault
from tests.stack import RunningStack


async def test_w13_limits_hold_for_both(people: People, ledger: Ledger) -> None:
    """The eleventh sign-in for an address is refused, known or not, and the first refusal is recorded."""
    member = people()
    await member.sign_up()
    # The code of the sign-up was the first for the known address; the other gets one beforehand too.
    stranger = people()
    await stranger.begin("sign-ups")
    looks = []
    for person in (member.stranger(), stranger):
        answers = [await person.call("POST", "/v1/sign-ins", {"identifier": person.email}) for _ in range(11)]
        looks.append([(answer.status, answer.code, answer.headers.get("Retry-After")) for answer in answers])
        refused = [answer for answer in answers if answer.status == 429]
        event = await ledger.promised(refused[0].receipt)
        assert (event.event_type.value, event.reason) == ("abuse.rate_limited", "starts_per_identifier")
        assert "Audit-Receipt" not in refused[-1].headers

    assert looks[0] == looks[1]
    assert [status for status, _, _ in looks[0]] == [202] * 9 + [429] * 2


async def test_w13_guesses_over_many_attempts_are_limited_for_both(people: People) -> None:
    """Codes typed for one address are counted over its attempts, below the provider's limit, known or not."""
    member = people()
    await member.sign_up()  # One right code.
    looks = []
    for person, guesses in ((member.stranger(), 9), (people(), 10)):
        codes = []
        for _ in range(3):
            attempt = await person.begin("sign-ins")
            codes += [(await person.verify(attempt["id"], "000000")).code for _ in range(4)]
        assert codes[:guesses] == ["invalid_code"] * guesses
        looks.append(codes[10:])

    assert looks[0] == looks[1] == ["too_many_attempts"] * 2


async def test_w13_a_client_address_has_a_limit(stack: RunningStack, http: aiohttp.ClientSession, folder: Path) -> None:
    """
    One client may begin so many attempts in all, for known addresses or not, however many addresses of its network it uses and
    whichever copy it asks; it is told how many are left, and when to come back. Another client is not touched by it.
    """
    settings = {**settings_of(stack, "gateway"), "starts_per_ip_max": 3, "trusted_proxies": ["127.0.0.1"], "veil_seconds": 0}
    copies = [ServiceProcess("gateway", settings, folder, access_key_of(stack, "gateway")) for _ in range(2)]
    for process in copies:
        process.start()
    network = f"2001:db8:{secrets.token_hex(2)}"
    answers: dict[str, list[Answer]] = {}
    try:
        for client in ("1", "2"):
            answers[client] = []
            for number in range(5):
                person = Person(http, copies[number % 2].url, stack["mail"]["inbox_url"])
                headers = {"X-Forwarded-For": f"198.51.100.1, {network}:{client}::{number + 1}"}
                answers[client].append(await person.call("POST", "/v1/sign-ins", {"identifier": person.email}, headers=headers))
    finally:
        for process in copies:
            process.stop()

    for given in answers.values():
        assert [answer.status for answer in given] == [202, 202, 202, 429, 429]
        assert {answer.headers["RateLimit-Policy"] for answer in given} == {'"starts_per_ip";q=3;w=600'}
        assert [answer.headers["RateLimit"].split(";")[1] for answer in given] == ["r=2", "r=1", "r=0", "r=0", "r=0"]
        assert ["Audit-Receipt" in answer.headers for answer in given] == [True, True, True, True, False]
        assert 0 < int(given[-1].headers["Retry-After"]) <= 600


async def test_w13_a_wrong_code_counts_down_and_the_fifth_ends_it(person: Person, ledger: Ledger) -> None:
    """Four wrong codes each say how many tries are left; the fifth ends the attempt, and then the right code is refused."""
    attempt = await person.begin("sign-ups")
    right, wrong = await person.code(), await person.wrong_code()

    answers = [await person.verify(attempt["id"], wrong) for _ in range(5)]
    late = await person.verify(attempt["id"], right)

    assert [answer.code for answer in answers] == ["invalid_code"] * 4 + ["attempt_failed"]
    assert [answer.body.get("attempts_left") for answer in answers] == [4, 3, 2, 1, None]
    assert (late.status, late.code) == (401, "attempt_failed")
    assert (await person.call("GET", f"/v1/attempts/{attempt['id']}")).body["status"] == "failed"
    refusals = [await ledger.promised(answer.receipt) for answer in answers]
    assert [event.event_type.value for event in refusals] == ["sign_up.rejected"] * 5
    await ledger.of_attempt(attempt["id"], expect="attempt.refused")
    assert SESSION not in person.cookies


async def test_w13_sends_are_counted(person: Person, vault: Vault, ledger: Ledger) -> None:
    """
    The third send of an attempt is the last, and the answer no longer offers another. What comes too early or too often is in
    the log once.
    """
    attempt = await person.begin("sign-ups")
    path = f"/v1/attempts/{attempt['id']}/challenges"

    answers = []
    for _ in range(3):
        await vault.change_attempt(attempt["id"], resend_at=0.0)
        answers.append(await person.call("POST", path, {"method": "EMAIL_OTP"}))

    assert [answer.status for answer in answers] == [202, 202, 429]
    assert [answer.body["resend_at"] is None for answer in answers[:2]] == [False, True]
    assert len(await person.codes()) == 3
    await person.call("POST", path, {"method": "EMAIL_OTP"})
    await vault.change_attempt(attempt["id"], resend_at=time.time() + 60)
    early = [await person.call("POST", path, {"method": "EMAIL_OTP"}) for _ in range(3)]
    assert {(answer.status, answer.code) for answer in early} == {(429, "too_many_attempts")}
    await ledger.promised(early[0].receipt)
    events = await ledger.of_attempt(attempt["id"])
    told = [event.reason for event in events if event.event_type.value == "abuse.rate_limited"]
    assert told == ["sends_per_attempt", "cool_down"]


async def test_w13_guesses_at_the_same_moment_share_no_charge(person: Person, vault: Vault, ledger: Ledger) -> None:
    """Of many guesses sent at once each that is looked at is charged; the rest is told to wait, or that it is over."""
    await person.sign_up()
    attempt = await person.begin("sign-ins")
    wrong = await person.wrong_code()

    answers = await asyncio.gather(*(person.verify(attempt["id"], wrong) for _ in range(20)))

    left = (await vault.attempt(attempt["id"])).codes_left
    codes = {answer.code for answer in answers}
    assert codes <= {"invalid_code", "attempt_failed", "conflict"}
    # The fifth ends the attempt, and those that come later are answered like it, without a look.
    looked_at = sum(answer.code == "invalid_code" for answer in answers) + ("attempt_failed" in codes)
    assert 1 <= looked_at <= 5
    assert left == 5 - looked_at
    events = await ledger.of_attempt(attempt["id"], expect="sign_in.failed")
    assert sum(event.event_type.value == "sign_in.failed" for event in events) == looked_at


async def test_w13_looking_at_pages_costs_nothing(person: Person, authsignal: Authsignal) -> None:
    """Opening pages, reading the configuration and polling an attempt send nothing and begin nothing at Authsignal."""
    attempt = await person.begin("sign-ups")
    before = len(await authsignal.calls("/v1"))

    for path in ("/", "/sign-in", "/sign-up", "/v1/config", f"/v1/attempts/{attempt['id']}"):
        await person.page(path)

    assert len(await authsignal.calls("/v1")) == before
    assert len(await person.codes()) == 1


async def test_w13_codes_of_a_step_up_are_limited_too(person: Person) -> None:
    """Whoever holds a session cannot guess on over many step-ups: their codes count with all others of the address."""
    await person.sign_up()
    wrong = await person.wrong_code()
    codes = []
    for _ in range(3):
        step_up = (await person.call("POST", "/v1/step-ups", {"action": "manageAuthenticators"})).body
        path = f"/v1/step-ups/{step_up['id']}/verifications"
        codes += [(await person.call("POST", path, {"code": wrong})).code for _ in range(4)]

    assert codes[:9] == ["invalid_code"] * 9
    assert codes[9:] == ["too_many_attempts"] * 3


async def test_w13_step_ups_bomb_nobody(person: Person) -> None:
    """Whoever holds a session cannot fill its owner's mailbox by asking for one step-up after the other."""
    await person.sign_up()
    asked = [await person.call("POST", "/v1/step-ups", {"action": "manageAuthenticators"}) for _ in range(12)]

    assert [answer.status for answer in asked] == [200] * 9 + [429] * 3
    assert len(await person.codes()) == 10


async def test_w13_no_text_is_pumped(people: People, authsignal: Authsignal, ledger: Ledger) -> None:
    """
    A number abroad gets no text: at the door nothing shows it, inside the person is told to use another way, and the log has
    the country once. Nothing is asked of Authsignal that would send one.
    """
    person = people()
    await authsignal.enrol((await person.sign_up()).body["subject"]["sub"], "SMS", phoneNumber="+4520123456")
    sent = len(await authsignal.calls("/v1/client/challenge/sms"))

    attempt = await person.stranger().begin("sign-ins", method="SMS")
    step_up = (await person.call("POST", "/v1/step-ups", {"action": "manageAuthenticators"})).body
    refused = await person.call("POST", f"/v1/step-ups/{step_up['id']}/challenges", {"method": "SMS"})

    assert (attempt["status"], attempt["delivery"]) == ("challenge_required", {"channel": "sms", "destination": "your phone"})
    assert (refused.status, refused.code) == (403, "text_refused")
    assert len(await authsignal.calls("/v1/client/challenge/sms")) == sent
    events = await ledger.of_attempt(attempt["id"], expect="abuse.rate_limited")
    told = [event for event in events if event.event_type.value == "abuse.rate_limited"]
    assert [(event.reason, event.data) for event in told] == [("text_country", {"country": "DK", "refusals_not_recorded": 0})]
