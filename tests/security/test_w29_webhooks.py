"""W29: webhooks that are replayed, or checked with a comparison that leaks."""

import hashlib
import hmac
import json
import time

import pytest

from deploy.local.layout import Layout
from tests.integration.gateway.person import Person
from tests.stack import RunningStack

BODY = json.dumps({"version": 1, "id": "0", "type": "authenticator.created", "data": {}}).encode()


@pytest.mark.parametrize("is_signed", [True, False])
async def test_w29_no_webhook_is_taken_in(person: Person, stack: RunningStack, is_signed: bool) -> None:
    """There is no path that takes one: even a message under the true key changes and records nothing."""
    key = (Layout(stack.state_dir).secrets / "authsignal_secret").read_text(encoding="utf-8").strip()
    moment = int(time.time())
    digest = hmac.new(key.encode() if is_signed else b"x", f"{moment}.".encode() + BODY, hashlib.sha256).hexdigest()
    headers = {"X-Signature-V2": f"t={moment},v2={digest}"}

    for path in ("/v1/webhooks/authsignal", "/v1/webhooks", "/webhooks/authsignal"):
        answer = await person.call("POST", path, raw=BODY, headers=headers)
        assert answer.status in {404, 405}
        assert "Audit-Receipt" not in answer.headers
