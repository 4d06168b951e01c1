"""W17: a call that is repeated does its work twice; a slow one is repeated by Cognito."""

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.gateway.direct_app import DirectApp
from tests.integration.gateway.person import Person
from tests.integration.gateway.simulator import Authsignal
from tests.stack import RunningStack

TRIGGER_SECONDS_MAX = 5.0  # then Cognito gives up on a trigger and calls it again


async def actions(authsignal: Authsignal, sub: str) -> list[dict[str, Any]]:
    """Return the actions of a person."""
    found: list[dict[str, Any]] = (await authsignal.control("GET", f"/users/{sub}"))["actions"]
    return found


async def test_w17_a_lost_answer_makes_no_second_action(person: Person, authsignal: Authsignal) -> None:
    """When the answer to track is lost the call is made again under the same key: Authsignal knows one action of it."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    before = len(await actions(authsignal, sub))
    await authsignal.fault(kind="drop_answer", path_prefix=f"/v1/users/{sub}", method="POST", times=1)

    await person.stranger().begin("sign-ins")

    assert len(await authsignal.calls(f"/v1/users/{sub}/actions/signIn")) == 2
    assert len(await actions(authsignal, sub)) == before + 1


async def test_w17_the_trigger_answers_before_cognito_asks_again(
    person: Person, authsignal: Authsignal, stack: RunningStack
) -> None:
    """With Authsignal too slow the direct client's sign-in fails in time, and was tracked once at most."""
    sub = (await person.sign_up()).body["subject"]["sub"]
    before = len(await actions(authsignal, sub))
    await authsignal.fault(kind="delay", delay_ms=8_000, path_prefix=f"/v1/users/{sub}", method="POST", times=20)
    began = time.monotonic()

    with pytest.raises(ClientError):
        DirectApp(stack, authsignal, person).begin()

    assert time.monotonic() - began < TRIGGER_SECONDS_MAX
    await authsignal.reset()
    assert len(await actions(authsignal, sub)) <= before + 1
