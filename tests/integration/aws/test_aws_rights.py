"""Least privilege: what each service's credentials may do, and that they may do nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.integration.aws.people import secret
from tests.stack import RunningStack

DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}
NOBODY = "nobody@example.test"  # who may delete is told that there is nobody to delete


class Service:
    """AWS as one service of ours sees it."""

    def __init__(self, account: RunningStack, name: str) -> None:
        self.aws = account["aws"]
        self._session = boto3.Session(
            aws_access_key_id=secret(account, f"aws_{name}_access_key_id"),
            aws_secret_access_key=secret(account, f"aws_{name}_secret_access_key"),
            region_name=self.aws["region"],
        )

    def client(self, service: str) -> Any:
        """Return a client with this service's credentials."""
        return self._session.client(service, endpoint_url=self.aws["endpoint_url"])

    def _locked(self, s3: Any) -> dict[str, str]:
        """Put an object under a lock of its own, as the archive job does, and return where it is."""
        place = {"Bucket": self.aws["archive_bucket"], "Key": "locked-day"}
        until = datetime.now(UTC) + timedelta(days=1)
        made = s3.put_object(**place, Body=b"x", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until)
        return {"Key": place["Key"], "VersionId": made["VersionId"]}

    def attempt(self, action: str) -> str:
        """Try one action on the real resources; return ``allowed`` or the error's code."""
        queue, dlq = self.aws["audit_queue_url"], self.aws["audit_dlq_url"]
        pool, bucket, auditor = self.aws["user_pool_id"], self.aws["archive_bucket"], "auditor@example.test"
        sqs, cognito, s3 = self.client("sqs"), self.client("cognito-idp"), self.client("s3")
        calls = {
            "send": lambda: sqs.send_message(QueueUrl=queue, MessageBody="{}"),
            "receive": lambda: sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=0),
            "receive from dlq": lambda: sqs.receive_message(QueueUrl=dlq, WaitTimeSeconds=0),
            "purge": lambda: sqs.purge_queue(QueueUrl=queue),
            "look up a user": lambda: cognito.admin_get_user(UserPoolId=pool, Username=auditor),
            "sign a user out": lambda: cognito.admin_user_global_sign_out(UserPoolId=pool, Username=auditor),
            "delete a user": lambda: cognito.admin_delete_user(UserPoolId=pool, Username=NOBODY),
            "list users": lambda: cognito.list_users(UserPoolId=pool),
            "read client secret": lambda: cognito.describe_user_pool_client(
                UserPoolId=pool, ClientId=self.aws["gateway_client_id"]
            ),
            "archive": lambda: s3.put_object(Bucket=bucket, Key="day", Body=b"x"),
            "read archive": lambda: s3.list_objects_v2(Bucket=bucket),
            "find what was archived first": lambda: s3.list_object_versions(Bucket=bucket),
            "see the lock": lambda: s3.get_object_lock_configuration(Bucket=bucket),
            "archive under lock": lambda: s3.get_object_retention(Bucket=bucket, **self._locked(s3)),
            "unlock archive": lambda: s3.delete_object(Bucket=bucket, Key="day", BypassGovernanceRetention=True),
            "delete archive": lambda: s3.delete_object(Bucket=bucket, Key="day"),
            "text a number": lambda: self.client("sns").publish(PhoneNumber="+46701234567", Message="x"),
            "list roles": lambda: self.client("iam").list_roles(),
        }
        try:
            calls[action]()
        except ClientError as exc:
            code = str(exc.response["Error"]["Code"])
            return "allowed" if code == "UserNotFoundException" else code
        return "allowed"


EVERY = {
    "send", "receive", "receive from dlq", "purge", "look up a user", "sign a user out", "delete a user", "list users",
    "read client secret", "archive", "read archive", "find what was archived first", "see the lock", "archive under lock",
    "unlock archive", "delete archive", "list roles", "text a number",
}  # fmt: skip
ALLOWED = {
    "gateway": {"send", "look up a user", "delete a user", "text a number"},
    "challenge": {"send"},
    "audit": {"send", "receive", "receive from dlq", "archive", "read archive", "see the lock"}
    | {"find what was archived first", "archive under lock"},
}


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_each_service_may_do_its_own_work_and_no_more(aws_account: RunningStack, name: str) -> None:
    """Of everything that the account offers, a service's credentials open exactly what its policy lists."""
    service = Service(aws_account, name)

    verdicts = {action: service.attempt(action) for action in EVERY}

    assert {action for action, verdict in verdicts.items() if verdict == "allowed"} == ALLOWED[name]
    assert {verdict for verdict in verdicts.values() if verdict != "allowed"} <= DENIED


def test_a_wrong_secret_opens_nothing(aws_account: RunningStack) -> None:
    """The emulator checks a service's signature, so a wrong secret is noticed here and not first on AWS."""
    aws = aws_account["aws"]
    sqs = boto3.client(
        "sqs",
        endpoint_url=aws["endpoint_url"],
        region_name=aws["region"],
        aws_access_key_id=secret(aws_account, "aws_gateway_access_key_id"),
        aws_secret_access_key="wrong" * 8,
    )

    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        sqs.send_message(QueueUrl=aws["audit_queue_url"], MessageBody="{}")
