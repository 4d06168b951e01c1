"""The real Node SDK, driven from Python: one Node process that calls the method it is asked to call."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.contract.simulator import Simulator

FOLDER = Path(__file__).parent / "js"


class NodeError(Exception):
    """What the SDK threw."""

    def __init__(self, thrown: dict[str, Any]) -> None:
        super().__init__(thrown["message"])
        self.is_authsignal_error: bool = thrown["isAuthsignalError"]
        self.status_code: int | None = thrown["statusCode"]
        self.error_code: str | None = thrown["errorCode"]
        self.error_description: str | None = thrown["errorDescription"]


class Undefined:
    """JavaScript's undefined, which is not null."""


UNDEFINED = Undefined()


def require_packages() -> None:
    """Fail with a clear line if the SDKs are not installed."""
    if not (FOLDER / "node_modules" / "@authsignal").is_dir():
        raise AssertionError("the JavaScript SDKs are missing: run `make install` (npm ci in tests/contract/js)")


class NodeSdk:
    """Calls `@authsignal/node` against one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        require_packages()
        node = shutil.which("node")
        assert node is not None, "node is missing: install Node 20 or newer"
        self._settings = {"apiSecretKey": simulator.secret_key, "apiUrl": simulator.api_url}
        self._process = subprocess.Popen(
            [node, "driver.mjs"], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def call(self, method: str, request: dict[str, Any] | list[Any], *, secret_key: str | None = None) -> Any:
        """
        Call a method of the SDK and wait for it.

        Returns:
            What the promise resolved to, or `UNDEFINED`.

        Raises:
            NodeError: The promise was rejected.
        """
        settings = self._settings | ({"apiSecretKey": secret_key} if secret_key else {})
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"settings": settings, "method": method, "request": request}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "thrown" in answer:
            raise NodeError(answer["thrown"])
        return UNDEFINED if "isUndefined" in answer else answer["value"]

    def construct_event(
        self, payload: str, signature: str, *, tolerance_minutes: int = 5, secret_key: str | None = None
    ) -> Any:
        """
        Check a webhook's signature as the SDK does, and give the event in it.

        Raises:
            NodeError: The SDK refused it.
        """
        return self.call("webhook.constructEvent", [payload, signature, tolerance_minutes], secret_key=secret_key)

    def close(self) -> None:
        """End the Node process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()
