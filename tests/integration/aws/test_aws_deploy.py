"""The deploy command: create, update, rotate keys, and say in one line what went wrong."""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deploy.aws.stack import DeployFailed, check_archive_lock
from deploy.local.layout import REPOSITORY
from tests.integration.aws.people import People
from tests.stack import RunningStack


class Deployer:
    """Runs the command as a person does, against the emulator."""

    def __init__(self, account: RunningStack, folder: Path) -> None:
        self._account, self._key_file = account, folder / "assertion_keys"

    def run(self, *arguments: str, endpoint_url: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        aws = self._account["aws"]
        credentials = {"AWS_ACCESS_KEY_ID": aws["access_key_id"], "AWS_SECRET_ACCESS_KEY": aws["secret_access_key"]}
        fixed = ["--stack-name", "rotating", "--assertion-key-file", str(self._key_file), "--region", aws["region"]]
        endpoint = ["--endpoint-url", endpoint_url or aws["endpoint_url"]]
        return subprocess.run(
            [sys.executable, "-m", "deploy.aws", "deploy", *fixed, *endpoint, *arguments],
            cwd=REPOSITORY,
            env={**os.environ, **credentials, "AWS_MAX_ATTEMPTS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    def deploy(self, *keys: str) -> dict[str, Any]:
        """Deploy with these assertion keys, the signing one first; return the outputs."""
        self._key_file.write_text("\n".join(keys) + "\n", encoding="ascii")
        done = self.run("--parameter", "RequireTls=false", "--json")
        assert done.returncode == 0, done.stderr
        outputs: dict[str, Any] = json.loads(done.stdout)
        return outputs


def test_an_archive_that_does_not_lock_fails_the_deployment(aws_account: RunningStack) -> None:
    """After every deployment the bucket is asked whether it locks; one that does not, or is gone, is a failure."""
    s3 = aws_account.aws("s3")
    bare = f"bare-{secrets.token_hex(6)}"
    s3.create_bucket(Bucket=bare)

    check_archive_lock(s3, aws_account["aws"]["archive_bucket"])
    for bucket in (bare, f"{bare}-gone"):
        with pytest.raises(DeployFailed, match=f"{bucket} does not lock what is put there"):
            check_archive_lock(s3, bucket)


@pytest.fixture
def deployer(aws_account: RunningStack, tmp_path: Path) -> Deployer:
    """The command, with an empty folder for its key file."""
    return Deployer(aws_account, tmp_path)


def client_secret(account: RunningStack, outputs: dict[str, Any]) -> str:
    """Read the secret of the gateway's client."""
    described = account.aws("cognito-idp").describe_user_pool_client(
        UserPoolId=outputs["UserPoolId"], ClientId=outputs["GatewayClientId"]
    )
    return str(described["UserPoolClient"]["ClientSecret"])


def test_keys_are_rotated_without_a_gap_and_retired_for_good(deployer: Deployer, aws_account: RunningStack) -> None:
    """Old key, then both, then the new one: nobody is locked out in between, and the retired key opens nothing."""
    old, new = secrets.token_hex(32), secrets.token_hex(32)
    first = deployer.deploy(old)
    people = People(
        aws_account,
        pool_id=first["UserPoolId"],
        client_id=first["GatewayClientId"],
        secret=client_secret(aws_account, first),
        key=old,
    )
    email, sub = people.make()

    during = deployer.deploy(new, old)
    assert people.sign_in(email, sub)
    people.key = new
    assert people.sign_in(email, sub)

    after = deployer.deploy(new)
    assert people.sign_in(email, sub)
    with pytest.raises(ClientError, match="NotAuthorizedException"):
        people.answer(people.start(email), people.assertion(old, sub=sub))
    assert first == during == after


def test_deploying_the_same_again_changes_nothing(deployer: Deployer) -> None:
    """A second deployment of the same thing is no error and gives the same outputs."""
    key = secrets.token_hex(32)

    assert deployer.deploy(key) == deployer.deploy(key)


def test_there_is_no_direct_client_unless_it_is_switched_on(deployer: Deployer, aws_account: RunningStack) -> None:
    """By default the template makes one app client, and the triggers know of no other."""
    outputs = deployer.deploy(secrets.token_hex(32))

    pool = outputs["UserPoolId"]
    listed = aws_account.aws("cognito-idp").list_user_pool_clients(UserPoolId=pool, MaxResults=10)["UserPoolClients"]
    assert "DirectClientId" not in outputs
    assert [client["ClientName"] for client in listed] == ["gateway"]
    for trigger in ("pre-sign-up", "define", "create", "verify"):
        function = aws_account.aws("lambda").get_function_configuration(FunctionName=f"rotating-{trigger}")
        variables = function["Environment"]["Variables"]
        assert variables["DIRECT_CLIENT_ID"] == ""
        assert variables.get("CHALLENGE_TOKEN", "") == ""


@pytest.mark.parametrize(
    ("keys", "arguments", "endpoint_url", "words"),
    [
        (None, [], None, "Cannot read"),
        ("", [], None, "one assertion key, or two"),
        ("a\nb\nc", [], None, "one assertion key, or two"),
        ("a" * 64, ["--parameter", "RequireTls"], None, "wants NAME=VALUE"),
        ("a" * 64, [], "http://127.0.0.1:9", "Could not connect"),
    ],
    ids=["no key file", "no key", "three keys", "bad parameter", "no endpoint"],
)
def test_what_is_wrong_is_one_line(
    deployer: Deployer, tmp_path: Path, keys: str | None, arguments: list[str], endpoint_url: str | None, words: str
) -> None:
    """The command says in one line why nothing was deployed, and returns 1."""
    if keys is not None:
        (tmp_path / "assertion_keys").write_text(keys, encoding="ascii")

    done = deployer.run(*arguments, endpoint_url=endpoint_url)

    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.startswith("Not deployed: ")
    assert words in line
