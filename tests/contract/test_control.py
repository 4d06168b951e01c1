"""The control port: what tests of other parts lean on."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.contract.mailbox import Mailbox
from tests.contract.simulator import Simulator

_SECONDS = 10


def _post(simulator: Simulator, path: str, body: object, **headers: str) -> requests.Response:
    url = f"http://127.0.0.1:{simulator.port}/control{path}"
    return requests.post(url, json=body, headers=headers, timeout=_SECONDS)


def test_pages_of_other_origins_cannot_turn_the_knobs(simulator: Simulator) -> None:
    """
    A call that a browser made for a page of another origin is refused, and changes nothing.
    """
    answer = _post(simulator, "/clock/advance", {"seconds": 60}, Origin="http://localhost:1")
    assert answer.status_code == 403
    assert answer.json()["error"] == "forbidden"
    assert simulator.control("GET", "/clock")["offset_seconds"] == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/clock/advance", {"seconds": "soon"}),
        ("/clock/advance", {}),
        ("/faults", {"kind": "flood"}),
        ("/faults", {"kind": "delay", "delay_ms": 3_600_000}),
        ("/faults", {"kind": "refuse", "times": 0}),
        ("/faults", {"kind": "refuse", "path_prefix": "/control"}),
        ("/faults", {"kind": "refuse", "unknown": 1}),
    ],
)
def test_bad_knob_is_refused(simulator: Simulator, path: str, body: dict[str, Any]) -> None:
    """
    A value out of bounds, an unknown member, or a fault aimed at the control port itself is an invalid request.
    """
    assert _post(simulator, path, body).status_code == 400


@pytest.mark.parametrize("tunables", [{"unknown": 1}, {"token_duration_seconds": 0}, {"methods": ["PALM"]}])
def test_bad_tunable_changes_nothing(simulator: Simulator, tunables: dict[str, Any]) -> None:
    """
    One bad tunable refuses the whole change.
    """
    before = simulator.control("GET", "/settings")
    url = f"http://127.0.0.1:{simulator.port}/control/settings"
    answer = requests.patch(url, json={"email_sends_max": 1, **tunables}, timeout=_SECONDS)
    assert answer.status_code == 400
    assert simulator.control("GET", "/settings") == before


def test_reset_turns_every_knob_back(simulator: Simulator, user_id: str) -> None:
    """
    After a reset clock, faults, outcomes, tunables, calls and outbox are as at start, and accounts are kept.
    """
    simulator.server_call("PATCH", f"/users/{user_id}", {"displayName": "Mere"})
    start = simulator.control("GET", "/settings")
    simulator.advance(60)
    simulator.tune(email_sends_max=1, default_outcome="BLOCK")
    simulator.decide("signIn", "REVIEW")
    simulator.fault(kind="refuse", times=9)
    simulator.reset()
    assert simulator.control("GET", "/clock")["offset_seconds"] == 0
    assert simulator.control("GET", "/settings") == start
    assert simulator.control("GET", "/outcomes") == {"default": "CHALLENGE", "actions": {}}
    assert simulator.control("GET", "/faults") == []
    assert simulator.control("GET", "/calls") == []
    assert simulator.control("GET", f"/users/{user_id}")["user"]["display_name"] == "Mere"


def test_outcome_can_be_left_to_the_default_again(simulator: Simulator) -> None:
    """
    Removing an exception leaves the action to the default outcome.
    """
    simulator.decide("signIn", "BLOCK")
    assert simulator.control("GET", "/outcomes")["actions"] == {"signIn": "BLOCK"}
    assert simulator.control("DELETE", "/outcomes/signIn")["actions"] == {}


def test_delay_is_kept_and_bounded_by_its_count(simulator: Simulator, user_id: str) -> None:
    """
    A delayed call takes as long as asked and succeeds; the call after the last delayed one is quick.
    """
    simulator.fault(kind="delay", delay_ms=3_000, path_prefix="/v1/users")
    started = time.monotonic()
    assert simulator.server_call("GET", f"/users/{user_id}").status_code == 200
    slow = time.monotonic() - started
    assert simulator.server_call("GET", f"/users/{user_id}").status_code == 200
    assert slow >= 3
    assert time.monotonic() - started - slow < 3


def test_refusal_executes_nothing(simulator: Simulator, user_id: str) -> None:
    """
    A refused track is a 503 with the three keys, and leaves no action.
    """
    simulator.fault(kind="refuse")
    answer = simulator.server_call("POST", f"/users/{user_id}/actions/signIn", {})
    assert answer.status_code == 503
    assert answer.json()["error"] == answer.json()["errorCode"]
    assert simulator.server_call("GET", f"/users/{user_id}/actions").json() == []


def test_calls_are_noted_without_secrets(simulator: Simulator, user_id: str) -> None:
    """
    The journal tells method, path, status and kind of credential of a call, and nothing that a caller sent in it.
    """
    tracked = simulator.server_call("POST", f"/users/{user_id}/actions/signIn", {}).json()
    simulator.call("POST", "/client/challenge/email-otp", headers={"Authorization": f"Bearer {tracked['token']}"})
    track, challenge = simulator.calls("POST", "/v1")
    assert (track["status"], track["scheme"], track["content_type"]) == (200, "basic", "application/json")
    assert (challenge["path"], challenge["status"], challenge["scheme"]) == ("/v1/client/challenge/email-otp", 400, "bearer")
    assert tracked["token"] not in str(challenge)


def test_both_keys_are_accepted_during_a_rotation(tmp_path: Path, mailbox: Mailbox, user_id: str) -> None:
    """
    With two secret keys in the file either one opens the Server API, and a wrong one does not.
    """
    simulator = Simulator(tmp_path, smtp_port=mailbox.port, secret_keys=2)
    simulator.start()
    try:
        statuses = [
            simulator.server_call("GET", f"/users/{user_id}", key=key).status_code for key in (*simulator.secret_keys, "x" * 64)
        ]
    finally:
        simulator.stop()
    assert statuses == [200, 200, 401]


def test_front_page_links_to_views_that_exist(simulator: Simulator) -> None:
    """
    The page at the root names API and tenant, and each of its links answers.
    """
    root = f"http://127.0.0.1:{simulator.port}"
    page = requests.get(root, timeout=_SECONDS)
    assert page.headers["Content-Type"].startswith("text/html")
    assert simulator.browser_url in page.text
    assert simulator.tenant_id in page.text
    links = re.findall(r'href="(/control/[^"]+)"', page.text)
    assert links
    assert {requests.get(root + link, timeout=_SECONDS).status_code for link in links} == {200}
