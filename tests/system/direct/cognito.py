"""The AWS SDK for JavaScript in Node, driven from Python: one process that runs the commands it is asked to run."""

import json
import os
import subprocess
from typing import Any

from tests.stack import RunningStack
from tests.system.direct.packages import FOLDER, node, require_packages


class Refused(Exception):
    """The SDK threw; `name` is the error's."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name, self.message = name, message


class NodeCognito:
    """`@aws-sdk/client-cognito-identity-provider` as an app uses it: no credentials, one public app client."""

    def __init__(self, stack: RunningStack) -> None:
        require_packages()
        aws = stack["aws"]
        self.client_id: str = aws["direct_client_id"]
        self._process = subprocess.Popen(
            [node(), "cognito.mjs", aws["region"], aws["endpoint_url"]],
            cwd=FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Whatever account this machine has, the app has none.
            env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        )

    def send(self, command: str, **given: Any) -> dict[str, Any]:
        """
        Send a command with the app client's id.

        Raises:
            Refused: The SDK threw.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"command": command, "input": {"ClientId": self.client_id, **given}}) + "\n")
        self._process.stdin.flush()
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "error" in said:
            raise Refused(**said["error"])
        answer: dict[str, Any] = said["answer"]
        return answer

    def sign_up(self, email: str) -> str:
        """Make an account and return its sub."""
        made = self.send(
            "SignUp",
            Username=email,
            Password="0.4fzyo82mvyrX-0.9xqwm1c",
            UserAttributes=[{"Name": "email", "Value": email}],
        )
        assert made["UserConfirmed"] is True
        return str(made["UserSub"])

    def start(self, username: str, **parameters: str) -> dict[str, Any]:
        """Begin a sign-in."""
        return self.send("InitiateAuth", AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": username, **parameters})

    def answer(self, started: dict[str, Any], answer: str) -> dict[str, Any]:
        """Answer the challenge that a sign-in is at."""
        responses = {"USERNAME": started["ChallengeParameters"]["USERNAME"], "ANSWER": answer}
        return self.send(
            "RespondToAuthChallenge",
            ChallengeName="CUSTOM_CHALLENGE",
            Session=started["Session"],
            ChallengeResponses=responses,
        )

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()
