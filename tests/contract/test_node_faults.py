"""Checks of what the real Node SDK does when the service fails."""

import uuid

import pytest

from tests.contract.node import NodeError, NodeSdk
from tests.contract.simulator import Simulator


def test_node_26_server_errors_are_retried_on_reads_only(node: NodeSdk, simulator: Simulator, user_id: str) -> None:
    """
    A 500 on a GET is asked for three times in all, a 500 on a POST once.
    """
    simulator.fault(kind="crash", times=10)
    with pytest.raises(NodeError) as caught:
        node.call("getUser", {"userId": user_id})
    assert (caught.value.status_code, caught.value.error_code) == (500, "unexpected_error")
    with pytest.raises(NodeError):
        node.call("track", {"userId": user_id, "action": "signIn"})
    assert [call["status"] for call in simulator.calls("GET", f"/v1/users/{user_id}")] == [500, 500, 500]
    assert [call["status"] for call in simulator.calls("POST", f"/v1/users/{user_id}")] == [500]


@pytest.mark.parametrize("kind", ["drop", "drop_answer"])
def test_node_27_dropped_track_is_repeated_under_its_key(node: NodeSdk, simulator: Simulator, user_id: str, kind: str) -> None:
    """
    A track whose connection drops, before or after it was carried out, is asked for three times and is one action.
    """
    key = str(uuid.uuid4())
    simulator.fault(kind=kind, method="POST", times=2)
    answer = node.call("track", {"userId": user_id, "action": "signIn", "attributes": {"idempotencyKey": key}})
    assert answer["idempotencyKey"] == key
    assert [call["status"] for call in simulator.calls("POST", f"/v1/users/{user_id}")] == [None, None, 200]
    assert [item["idempotencyKey"] for item in node.call("queryUserActions", {"userId": user_id})] == [key]


def test_every_dropped_connection_ends_in_an_error(node: NodeSdk, simulator: Simulator, user_id: str) -> None:
    """
    When every try is dropped the SDK rejects with its own code, after three tries.
    """
    simulator.fault(kind="drop", times=3)
    with pytest.raises(NodeError) as caught:
        node.call("track", {"userId": user_id, "action": "signIn"})
    assert (caught.value.status_code, caught.value.error_code) == (500, "unexpected_error")
    assert len(simulator.calls("POST", f"/v1/users/{user_id}")) == 3
