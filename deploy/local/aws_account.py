"""
What the local AWS account holds beside the stack of the template.

The template's stack is deployed by the same code as on AWS. Around it the local stack makes what a real account gets
in other ways: one IAM user for each service with that service's policy, and the demo auditor.
"""

import contextlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws.stack import DeployFailed, Deployment, deploy
from deploy.local.errors import StackError
from deploy.local.keys import Keys
from deploy.local.parts.aws import REGION, ROOT_ACCESS_KEY_ID, endpoint, root_secret
from deploy.local.ports import HOST

STACK_NAME = "countersign-local"
CODE_BUCKET = "countersign-local-code"
AUDITOR_EMAIL = "auditor@example.test"
AUDITOR_GROUP = "security-auditors"
# Each service, and the output of the template that names its policy.
SERVICE_POLICIES: Mapping[str, str] = {
    "gateway": "GatewayPolicyArn",
    "challenge": "ChallengePolicyArn",
    "audit": "AuditPolicyArn",
}


@dataclass(frozen=True)
class AccessKey:
    """Credentials of one IAM user."""

    access_key_id: str
    secret_access_key: str


@dataclass(frozen=True)
class AwsResources:
    """What the services need to know of the account."""

    endpoint_url: str
    user_pool_id: str
    issuer: str
    gateway_client_id: str
    direct_client_id: str
    audit_queue_url: str
    audit_dlq_url: str
    archive_bucket: str
    access_keys: Mapping[str, AccessKey]

    @property
    def jwks_url(self) -> str:
        """Where the emulator serves the pool's keys; the issuer is AWS's own URL, which nothing local answers."""
        return f"{self.endpoint_url}/{self.user_pool_id}/.well-known/jwks.json"


def set_up(keys: Keys, port: int, *, challenge_port: int) -> AwsResources:
    """
    Deploy the template and make the rest; doing it again changes only what has changed.

    Args:
        keys: The stack's secrets.
        port: Where the emulator is.
        challenge_port: Where the triggers of the direct client find the challenge service.

    Raises:
        StackError: The emulator refused.
    """
    session = boto3.Session(aws_access_key_id=ROOT_ACCESS_KEY_ID, aws_secret_access_key=root_secret(keys), region_name=REGION)
    deployment = Deployment(
        stack_name=STACK_NAME,
        code_bucket=CODE_BUCKET,
        assertion_keys=(keys.ensure("assertion_key"),),
        parameters={
            "RequireTls": "false",
            "EnableDirectClient": "true",
            "SendTextMessages": "true",
            "AthenaDatabaseName": "countersign_audit",
            "ChallengeUrl": f"http://{HOST}:{challenge_port}",
            "ChallengeToken": keys.ensure("direct_token"),
        },
    )
    url = endpoint(port)
    try:
        outputs = deploy(session, deployment, endpoint_url=url)
        return _Account(session, url, keys, outputs).complete()
    except (DeployFailed, BotoCoreError, ClientError) as exc:
        raise StackError(f"The local AWS account could not be set up: {exc}") from exc


class _Account:
    """The account after the template was deployed."""

    def __init__(self, session: boto3.Session, url: str, keys: Keys, outputs: Mapping[str, str]) -> None:
        self._session, self._url, self._keys, self._outputs = session, url, keys, outputs

    def complete(self) -> AwsResources:
        outputs = self._outputs
        self._write_client_secret()
        self._ensure_auditor()
        return AwsResources(
            endpoint_url=self._url,
            user_pool_id=outputs["UserPoolId"],
            issuer=outputs["Issuer"],
            gateway_client_id=outputs["GatewayClientId"],
            direct_client_id=outputs["DirectClientId"],
            audit_queue_url=self._here(outputs["AuditQueueUrl"]),
            audit_dlq_url=self._here(outputs["AuditDeadLetterQueueUrl"]),
            archive_bucket=outputs["ArchiveBucketName"],
            access_keys={service: self._access_key(service) for service in SERVICE_POLICIES},
        )

    def _client(self, name: str) -> Any:
        return self._session.client(name, endpoint_url=self._url, config=Config(retries={"total_max_attempts": 2}))

    def _here(self, queue_url: str) -> str:
        # The stack remembers the port of its first start; PORT_BASE may have moved since.
        return f"{self._url}{urlsplit(queue_url).path}"

    def _write_client_secret(self) -> None:
        pool, client = self._outputs["UserPoolId"], self._outputs["GatewayClientId"]
        described = self._client("cognito-idp").describe_user_pool_client(UserPoolId=pool, ClientId=client)
        self._keys.write("cognito_client_secret", described["UserPoolClient"]["ClientSecret"])

    def _ensure_auditor(self) -> None:
        """Make somebody who may read the audit log and who signs in by e-mail code like everybody else."""
        cognito, pool = self._client("cognito-idp"), self._outputs["UserPoolId"]
        attributes = {"email": AUDITOR_EMAIL, "email_verified": "true", "name": "Demo auditor"}
        # Nobody ever types it: it takes the account out of FORCE_CHANGE_PASSWORD, and is forgotten here.
        password = f"{secrets.token_urlsafe(32)}aA1!"
        try:
            cognito.admin_create_user(
                UserPoolId=pool,
                Username=AUDITOR_EMAIL,
                TemporaryPassword=password,
                MessageAction="SUPPRESS",
                UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
            )
        except cognito.exceptions.UsernameExistsException:
            return
        cognito.admin_set_user_password(UserPoolId=pool, Username=AUDITOR_EMAIL, Password=password, Permanent=True)
        cognito.admin_add_user_to_group(UserPoolId=pool, Username=AUDITOR_EMAIL, GroupName=AUDITOR_GROUP)

    def _access_key(self, service: str) -> AccessKey:
        iam, user = self._client("iam"), f"{STACK_NAME}-{service}"
        with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_user(UserName=user)
        iam.attach_user_policy(UserName=user, PolicyArn=self._outputs[SERVICE_POLICIES[service]])
        id_name, secret_name = f"aws_{service}_access_key_id", f"aws_{service}_secret_access_key"
        existing = {key["AccessKeyId"] for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]}
        if not self._keys.path(id_name).exists() or self._keys.ensure(id_name) not in existing:
            for stale in existing:
                iam.delete_access_key(UserName=user, AccessKeyId=stale)
            created = iam.create_access_key(UserName=user)["AccessKey"]
            self._keys.write(secret_name, created["SecretAccessKey"])
            self._keys.write(id_name, created["AccessKeyId"])
        return AccessKey(self._keys.ensure(id_name), self._keys.ensure(secret_name))
