"""Which pages may write, and writes that are sent twice."""

import asyncio
import secrets

import pytest

from tests.integration.gateway.person import SESSION, Person


async def test_the_same_write_twice_happens_once(person: Person) -> None:
    """With one Idempotency-Key a sign-up is begun once: same answer, same cookie, one message."""
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    first = await person.call("POST", "/v1/sign-ups", {"email": person.email}, headers=headers)
    person.cookies.clear()  # The first answer was lost on its way.

    second = await person.call("POST", "/v1/sign-ups", {"email": person.email}, headers=headers)

    assert second.body == first.body
    assert second.headers["Set-Cookie"] == first.headers["Set-Cookie"]
    assert second.headers["Audit-Receipt"] == first.headers["Audit-Receipt"]
    assert second.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert len(await person.codes()) == 1


async def test_a_lost_session_can_be_asked_for_again(person: Person) -> None:
    """When the answer with the session got lost, the same request brings the same session."""
    attempt = await person.begin("sign-ups")
    headers, code = {"Idempotency-Key": secrets.token_hex(8)}, await person.code()
    first = await person.verify(attempt["id"], code, **headers)
    cookie = person.cookies.pop(SESSION)

    second = await person.verify(attempt["id"], code, **headers)

    assert (second.status, second.body) == (200, first.body)
    assert person.cookies[SESSION] == cookie


async def test_a_wrong_code_sent_twice_is_charged_once(person: Person) -> None:
    """A repeated wrong guess under one key costs one try."""
    attempt = await person.begin("sign-ups")
    headers, wrong = {"Idempotency-Key": secrets.token_hex(8)}, await person.wrong_code()

    answers = [await person.verify(attempt["id"], wrong, **headers) for _ in range(3)]

    assert [answer.body["attempts_left"] for answer in answers] == [4, 4, 4]
    assert (await person.call("GET", f"/v1/attempts/{attempt['id']}")).body["attempts_left"] == 4


async def test_a_key_stands_for_one_request(person: Person) -> None:
    """The same key with another body, or at another path, is refused."""
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    body = {"email": person.email}
    await person.stranger().call("POST", "/v1/sign-ups", body, headers=headers)

    other_body = await person.stranger().call("POST", "/v1/sign-ups", {**body, "display_name": "Ada"}, headers=headers)
    other_path = await person.stranger().call("POST", "/v1/sign-ins", {"identifier": person.email}, headers=headers)

    for answer in (other_body, other_path):
        assert (answer.status, answer.code) == (422, "idempotency_mismatch")


async def test_a_key_belongs_to_who_sent_it(person: Person) -> None:
    """Another browser's key of the same name is another key: it never brings somebody else's answer."""
    headers = {"Idempotency-Key": "1"}
    attempt = await person.begin("sign-ups")
    await person.call("POST", f"/v1/attempts/{attempt['id']}/verifications", {"code": await person.code()}, headers=headers)
    other = person.stranger()
    await other.begin("sign-ins")

    answer = await other.call(
        "POST", f"/v1/attempts/{attempt['id']}/verifications", {"code": (await person.codes())[1]}, headers=headers
    )

    assert (answer.status, answer.code) == (404, "not_found")
    assert SESSION not in other.cookies


async def test_a_twin_under_way_is_told_so(person: Person) -> None:
    """Of the same write many times at once one runs; the others wait or see its answer, and one message goes out."""
    headers = {"Idempotency-Key": secrets.token_hex(8)}

    answers = await asyncio.gather(
        *(person.stranger().call("POST", "/v1/sign-ups", {"email": person.email}, headers=headers) for _ in range(6))
    )

    begun = [answer for answer in answers if answer.status == 202]
    assert {answer.status for answer in answers} <= {202, 409}
    assert len({answer.body["id"] for answer in begun}) == 1
    assert len(await person.codes()) == 1


@pytest.mark.parametrize("key", ["", "x" * 129])
async def test_a_key_has_a_length(person: Person, key: str) -> None:
    """A key is 1 to 128 characters."""
    answer = await person.call("POST", "/v1/sign-ups", {"email": person.email}, headers={"Idempotency-Key": key})

    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "Idempotency-Key")
