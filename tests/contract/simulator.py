"""The simulator as a process of its own, started as the local stack starts it, and its control port."""

import re
import secrets
import select
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from tests.contract.ports import free_port

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_CALL_SECONDS = 30.0
_MESSAGE_SECONDS = 30.0


class Simulator:
    """One simulator: how to start and stop it, where it is, and what its control port can do."""

    def __init__(self, folder: Path, *, smtp_port: int, allow_origins: Sequence[str] = (), secret_keys: int = 1) -> None:
        self.port = free_port()
        self.tenant_id = str(uuid.uuid4())
        self.secret_keys = [secrets.token_hex(32) for _ in range(secret_keys)]
        self.key_file = folder / "authsignal-secret"
        self.key_file.write_text("\n".join(self.secret_keys))
        self.state_file = folder / "authsignal.sqlite"
        self._smtp_port = smtp_port
        self._allow_origins = allow_origins
        self._process: subprocess.Popen[str] | None = None
        self._http = requests.Session()
        self._http.trust_env = False

    @property
    def secret_key(self) -> str:
        """The key that signs."""
        return self.secret_keys[0]

    @property
    def api_url(self) -> str:
        """As servers call it."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def browser_url(self) -> str:
        """As browsers call it."""
        return f"http://localhost:{self.port}/v1"

    def command(self, *extra: str) -> list[str]:
        """The command line that starts it."""
        origins = [argument for origin in self._allow_origins for argument in ("--allow-origin", origin)]
        # fmt: off
        return [
            sys.executable, "-m", "deploy.local.authsignal",
            "--port", str(self.port),
            "--tenant-id", self.tenant_id,
            "--secret-key-file", str(self.key_file),
            "--smtp", f"127.0.0.1:{self._smtp_port}",
            "--state-file", str(self.state_file),
            *origins, *extra,
        ]
        # fmt: on

    def start(self, *extra: str) -> None:
        """Start it and wait until it says that it listens."""
        process = subprocess.Popen(self.command(*extra), stdout=subprocess.PIPE, text=True)
        self._process = process
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], _START_SECONDS)
        line = process.stdout.readline() if ready else "(nothing)"
        if "listening on" not in line:
            self.stop()
            raise AssertionError(f"the simulator did not start; it said: {line}")

    def stop(self) -> int:
        """Ask it to stop, wait for that, and give back its exit code."""
        process, self._process = self._process, None
        assert process is not None, "it is not running"
        process.terminate()
        try:
            return process.wait(_STOP_SECONDS)
        finally:
            process.kill()
            assert process.stdout is not None
            process.stdout.close()
            self._http.close()

    def kill(self) -> None:
        """End it without warning, as a crash of the machine would."""
        process, self._process = self._process, None
        assert process is not None, "it is not running"
        process.kill()
        process.wait(_STOP_SECONDS)
        assert process.stdout is not None
        process.stdout.close()
        self._http.close()

    def control(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Call the control port and give back the decoded answer; an error answer fails the test."""
        answer = self._http.request(method, f"http://127.0.0.1:{self.port}/control{path}", json=body, timeout=_CALL_SECONDS)
        assert answer.ok, f"{method} /control{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def reset(self) -> None:
        """Forget clock, faults, outcomes, limits and messages; keep accounts."""
        self.control("POST", "/reset", {})

    def advance(self, seconds: float) -> None:
        """Let time pass for it."""
        self.control("POST", "/clock/advance", {"seconds": seconds})

    def tune(self, **tunables: object) -> None:
        """Change tunables."""
        self.control("PATCH", "/settings", tunables)

    def decide(self, action: str, outcome: str) -> None:
        """Set what the rules decide about an action."""
        self.control("PUT", f"/outcomes/{action}", {"outcome": outcome})

    def fault(self, **fault: object) -> None:
        """Set a fault."""
        self.control("POST", "/faults", fault)

    def calls(self, method: str, path: str) -> list[dict[str, Any]]:
        """Calls of its APIs so far, oldest first."""
        found: list[dict[str, Any]] = self.control("GET", f"/calls?method={method}&path_prefix={path}")
        return found

    def code(self, to: str) -> str:
        """The newest code sent to an address, from the outbox; awaited, because a page may still be asking for it."""
        code: str = self._newest(to)["code"]
        assert re.fullmatch(r"[0-9]{6}", code)
        return code

    def link(self, to: str) -> str:
        """The newest magic link sent to an address, from the outbox; awaited likewise."""
        url: str = self._newest(to)["url"]
        assert url.startswith(f"http://localhost:{self.port}/")
        return url

    def _newest(self, to: str) -> dict[str, Any]:
        deadline = time.monotonic() + _MESSAGE_SECONDS
        while True:
            messages: list[dict[str, Any]] = self.control("GET", f"/outbox?to={quote(to)}")
            if messages:
                return messages[0]
            assert time.monotonic() < deadline, f"nothing was sent to {to}"
            time.sleep(0.05)

    def open_link(self, to: str) -> requests.Response:
        """Open the newest magic link sent to an address, as a browser would."""
        return self._http.get(self.link(to), timeout=_CALL_SECONDS)

    def send_webhooks(self, **urls: object) -> None:
        """Say where events go."""
        self.control("PUT", "/webhooks", urls)

    def server_call(
        self, method: str, path: str, body: Mapping[str, object] | None = None, *, key: str = ""
    ) -> requests.Response:
        """Call the Server API without an SDK, for what SDKs cannot show."""
        auth = (key or self.secret_key, "")
        return self._http.request(method, self.api_url + path, json=body, auth=auth, timeout=_CALL_SECONDS)

    def call(
        self, method: str, path: str, *, raw: str | None = None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """Call either API without an SDK and without a key, for what is wrong with a call."""
        return self._http.request(method, self.api_url + path, data=raw, headers=headers, timeout=_CALL_SECONDS)

    def page(self, path: str) -> requests.Response:
        """Fetch one of its pages, without running anything in it."""
        return self._http.get(f"http://localhost:{self.port}{path}", timeout=_CALL_SECONDS)

    def page_as(self, host: str, path: str) -> requests.Response:
        """The same under another host name, as a browser sends it for a name that resolves to this machine."""
        url = f"http://127.0.0.1:{self.port}{path}"
        return self._http.get(url, headers={"Host": host}, timeout=_CALL_SECONDS)

    def forget_cookies(self) -> None:
        """Call from a fresh browser from now on, so to speak."""
        self._http.cookies.clear()

    def wrong_code(self, to: str) -> str:
        """A code that is not the one sent last."""
        return f"{(int(self.code(to)) + 1) % 1_000_000:06d}"
