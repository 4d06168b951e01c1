"""What the deployed stack looks like: settings that a silent change must not take away."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.aws.people import People
from tests.stack import RunningStack


def described(account: RunningStack, which: str) -> dict[str, Any]:
    """Describe one app client."""
    aws = account["aws"]
    answer = account.aws("cognito-idp").describe_user_pool_client(UserPoolId=aws["user_pool_id"], ClientId=aws[which])
    client: dict[str, Any] = answer["UserPoolClient"]
    return client


@pytest.mark.parametrize("which", ["gateway_client_id", "direct_client_id"])
def test_both_clients_are_set_as_designed(aws_account: RunningStack, which: str) -> None:
    """Custom auth alone, existence hidden, tokens short, revocable and rotated."""
    client = described(aws_account, which)

    assert client["ExplicitAuthFlows"] == ["ALLOW_CUSTOM_AUTH"]
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["EnableTokenRevocation"] is True
    assert client["RefreshTokenRotation"]["Feature"] == "ENABLED"
    assert (client["AccessTokenValidity"], client["TokenValidityUnits"]["AccessToken"]) == (10, "minutes")
    assert ("ClientSecret" in client) is (which == "gateway_client_id")


def test_poison_goes_to_the_dead_letter_queue_after_five_receives(aws_account: RunningStack) -> None:
    """The audit queue hands a message over five times, then sets it aside."""
    aws, sqs = aws_account["aws"], aws_account.aws("sqs")
    attributes = sqs.get_queue_attributes(QueueUrl=aws["audit_queue_url"], AttributeNames=["All"])["Attributes"]
    redrive = json.loads(attributes["RedrivePolicy"])

    assert int(redrive["maxReceiveCount"]) == 5
    assert redrive["deadLetterTargetArn"].endswith(aws["audit_dlq_url"].rsplit("/", 1)[1])
    assert attributes["SqsManagedSseEnabled"] == "true"
    assert attributes["MessageRetentionPeriod"] == "1209600"


def test_the_archive_is_locked(aws_account: RunningStack) -> None:
    """What is archived cannot be deleted for good, by nobody, before its time."""
    s3, bucket = aws_account.aws("s3"), aws_account["aws"]["archive_bucket"]
    lock = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    version = s3.put_object(Bucket=bucket, Key="locked", Body=b"sealed")["VersionId"]

    assert lock["Rule"]["DefaultRetention"]["Mode"] == "COMPLIANCE"
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key="locked", VersionId=version)
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}


def test_the_archive_is_a_table_for_athena(aws_account: RunningStack) -> None:
    """The deployed table lies where the archive job writes."""
    table = aws_account.aws("glue").get_table(DatabaseName="countersign_audit", Name="audit_entries")["Table"]

    bucket = aws_account["aws"]["archive_bucket"]
    assert table["Parameters"]["storage.location.template"] == f"s3://{bucket}/entries/day=${{day}}/"
    assert [key["Name"] for key in table["PartitionKeys"]] == ["day"]


def test_every_trigger_call_leaves_a_log_line(gateway: People, aws_account: RunningStack) -> None:
    """The functions write to the log groups that the template made for them."""
    email, sub = gateway.make()
    gateway.sign_in(email, sub)
    logs = aws_account.aws("logs")

    for trigger in ("pre-sign-up", "define", "create", "verify"):
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/countersign-local-{trigger}")["events"]
        lines = [json.loads(event["message"]) for event in events if event["message"].startswith("{")]
        assert lines, trigger
        assert all(line["event"].startswith("trigger.") for line in lines)
        assert email not in json.dumps(lines)
