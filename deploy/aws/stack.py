"""Deploy the CloudFormation template: upload the triggers, create or update the stack, read its outputs."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from deploy.aws.package import Package, package_triggers

TEMPLATE = Path(__file__).with_name("template.yaml")
DEPLOY_TIMEOUT_SECONDS = 900


class DeployFailed(Exception):
    """AWS refused the deployment. The text is one line for the person who deploys."""


@dataclass(frozen=True)
class Deployment:
    """
    What to deploy.

    ``assertion_keys`` are the live keys, the signing one first. ``parameters`` are further template parameters.
    ``code_bucket`` is made when it is missing.
    """

    stack_name: str
    code_bucket: str
    assertion_keys: tuple[str, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)


def deploy(session: boto3.Session, deployment: Deployment, *, endpoint_url: str | None = None) -> dict[str, str]:
    """
    Bring the stack to what the template says, and return its outputs by name.

    Args:
        session: Credentials and region.
        deployment: What to deploy.
        endpoint_url: Another AWS endpoint, such as a local emulator.

    Raises:
        DeployFailed: AWS refused, or the stack did not settle within 15 minutes.
    """
    if not 1 <= len(deployment.assertion_keys) <= 2:
        raise DeployFailed("Give one assertion key, or two while keys are rotated.")
    with _one_line_errors():
        package = package_triggers()
        _upload(session, deployment.code_bucket, package, endpoint_url)
        cloudformation = session.client("cloudformation", endpoint_url=endpoint_url)
        _create_or_update(cloudformation, deployment.stack_name, _parameters(deployment, package))
        outputs = _outputs(cloudformation, deployment.stack_name)
        check_archive_lock(session.client("s3", endpoint_url=endpoint_url), outputs["ArchiveBucketName"])
        return outputs


def default_code_bucket(session: boto3.Session, *, endpoint_url: str | None = None) -> str:
    """Name the bucket for packages when the caller names none: one for each account and region."""
    with _one_line_errors():
        account = session.client("sts", endpoint_url=endpoint_url).get_caller_identity()["Account"]
    return f"countersign-code-{account}-{session.region_name}"


def _parameters(deployment: Deployment, package: Package) -> list[dict[str, str]]:
    previous = deployment.assertion_keys[1] if len(deployment.assertion_keys) > 1 else ""
    values = {
        "CodeBucket": deployment.code_bucket,
        "CodeKey": package.key,
        "AssertionKey": deployment.assertion_keys[0],
        "PreviousAssertionKey": previous,
        **deployment.parameters,
    }
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def _upload(session: boto3.Session, bucket: str, package: Package, endpoint_url: str | None) -> None:
    s3 = session.client("s3", endpoint_url=endpoint_url)
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as exc:
        if exc.response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
            raise
        _make_private_bucket(s3, bucket, session.region_name)
    s3.put_object(Bucket=bucket, Key=package.key, Body=package.body)


def _make_private_bucket(s3: Any, bucket: str, region: str) -> None:
    # us-east-1 is the one region that CreateBucket does not accept as a location.
    location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, **location)
    everything = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(everything, True))


def check_archive_lock(s3: Any, bucket: str) -> None:
    """
    Look whether a bucket really locks what is put there: an update may have left an older one in place.

    Raises:
        DeployFailed: It does not.
    """
    try:
        lock = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    except ClientError as exc:
        raise DeployFailed(f"The archive bucket {bucket} does not lock what is put there: {exc}") from exc
    if lock.get("ObjectLockEnabled") != "Enabled":
        raise DeployFailed(f"The archive bucket {bucket} does not lock what is put there. Do not archive to it.")


def _create_or_update(cloudformation: Any, stack_name: str, parameters: list[dict[str, str]]) -> None:
    request = {
        "StackName": stack_name,
        "TemplateBody": TEMPLATE.read_text(encoding="utf-8"),
        "Parameters": parameters,
        "Capabilities": ["CAPABILITY_IAM"],
    }
    if not _exists(cloudformation, stack_name):
        cloudformation.create_stack(**request, OnFailure="DELETE")
        _wait(cloudformation, "stack_create_complete", stack_name)
        return
    try:
        cloudformation.update_stack(**request)
    except ClientError as exc:
        if "No updates are to be performed" in exc.response["Error"].get("Message", ""):
            return
        raise
    _wait(cloudformation, "stack_update_complete", stack_name)


def _exists(cloudformation: Any, stack_name: str) -> bool:
    try:
        stacks = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as exc:
        if exc.response["Error"]["Code"] == "ValidationError":
            return False
        raise
    return any(stack["StackStatus"] != "DELETE_COMPLETE" for stack in stacks)


def _wait(cloudformation: Any, waiter: str, stack_name: str) -> None:
    # An emulator is done within a second and AWS takes minutes; a poll every two seconds is kind to both.
    delay_seconds = 2
    config = {"Delay": delay_seconds, "MaxAttempts": DEPLOY_TIMEOUT_SECONDS // delay_seconds}
    try:
        cloudformation.get_waiter(waiter).wait(StackName=stack_name, WaiterConfig=config)
    except WaiterError as exc:
        raise DeployFailed(_why(cloudformation, stack_name) or str(exc)) from exc


def _why(cloudformation: Any, stack_name: str) -> str:
    """Name the first resource that failed: the later ones only fell with it."""
    with contextlib.suppress(BotoCoreError, ClientError):
        events = cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]
        failed = [event for event in events if event.get("ResourceStatus", "").endswith("FAILED")]
        if failed:
            first = min(failed, key=lambda event: event["Timestamp"])
            return f"{first['LogicalResourceId']} failed: {first.get('ResourceStatusReason', 'no reason given')}"
    return ""


def _outputs(cloudformation: Any, stack_name: str) -> dict[str, str]:
    stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


@contextlib.contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as exc:
        raise DeployFailed(" ".join(str(exc).split())) from exc
