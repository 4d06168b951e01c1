"""Our check of signatures beside that of Authsignal's own Node SDK, over the same headers."""

import json
import time

from deploy.local.authsignal.webhooks.signature import signature_header
from services.challenge.webhooks import check
from shared.challenge_api import WebhookVerdict
from tests.contract.node import NodeError, NodeSdk
from tests.contract.simulator import Simulator

BODY = json.dumps({"version": 1, "id": "e1", "type": "email.created", "data": {"to": "ö@example.test"}}, ensure_ascii=False)


def accepted_by_node(node: NodeSdk, header: str) -> bool:
    """Let the SDK judge."""
    try:
        node.construct_event(BODY, header)
    except NodeError:
        return False
    return True


def test_we_accept_what_the_node_sdk_accepts_and_less(node: NodeSdk, simulator: Simulator) -> None:
    """
    Over signatures of now, of before and after the tolerance, with one key and two, with and without padding, forged and cut:
    ours and the SDK's verdicts are the same, but for a time from the future, which the SDK lets in and we do not.
    """
    now, key, other = int(time.time()), simulator.secret_key, "x" * 64
    good = signature_header(BODY.encode(), keys=[key], at=now)
    headers = {
        "now": good,
        "padded": good + "=",
        "four minutes old": signature_header(BODY.encode(), keys=[key], at=now - 240),
        "six minutes old": signature_header(BODY.encode(), keys=[key], at=now - 360),
        "six minutes ahead": signature_header(BODY.encode(), keys=[key], at=now + 360),
        "two keys": signature_header(BODY.encode(), keys=[other, key], at=now),
        "another key": signature_header(BODY.encode(), keys=[other], at=now),
        "another body": signature_header(BODY.encode() + b" ", keys=[key], at=now),
        "another time": good.replace(f"t={now}", f"t={now - 1}"),
        "cut": good[:-1],
        "no signature": good.partition(",")[0],
        "none": "",
        "a space": good.replace(",", ", "),
    }
    ours = {
        name: check(header, BODY.encode(), keys=[key], now=now) is WebhookVerdict.GENUINE for name, header in headers.items()
    }
    theirs = {name: accepted_by_node(node, header) for name, header in headers.items()}

    assert {name for name in headers if ours[name] is not theirs[name]} == {"six minutes ahead"}
    assert {name for name, is_genuine in ours.items() if is_genuine} == {"now", "padded", "four minutes old", "two keys"}
