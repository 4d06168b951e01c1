"""The CloudFormation template: valid, and with the safety that no emulator would miss."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

from deploy.aws.stack import TEMPLATE
from services.audit.archiving.job import COLUMNS
from services.audit.archiving.manifest import part_key

TRIGGERS = ("PreSignUp", "Define", "Create", "Verify")


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    """The template's resources."""
    loaded: dict[str, Any] = json.loads(json.dumps(cfn_yaml.load(str(TEMPLATE))["Resources"]))
    return loaded


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "ap-southeast-2"])
def test_cfn_lint_finds_nothing(region: str) -> None:
    """cfn-lint has neither error nor warning for it, in any region that Authsignal is in."""
    lint = Path(sys.executable).with_name("cfn-lint")

    found = subprocess.run([lint, "--regions", region, "--", TEMPLATE], capture_output=True, text=True, check=False)

    assert (found.returncode, found.stdout) == (0, "")


def test_the_archive_is_a_table(resources: dict[str, Any]) -> None:
    """
    The table for Athena has the columns that the archive job writes, in their types, and lies where it writes them.
    """
    types = {"VARCHAR": "string", "BIGINT": "bigint", "TIMESTAMP": "timestamp", "BLOB": "binary"}
    table = resources["ArchiveTable"]["Properties"]["TableInput"]
    columns = [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]]

    assert columns == [(column.name, types[column.type]) for column in COLUMNS]
    location = table["Parameters"]["storage.location.template"]["Fn::Sub"].replace("${!day}", "2026-11-01")
    assert part_key("", "2026-11-01", 0).startswith(location.removeprefix("s3://${ArchiveBucket}/"))


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_only_this_pool_may_call_a_trigger(resources: dict[str, Any], trigger: str) -> None:
    """Each function lets Cognito in for this pool and account alone; the emulator does not check that, AWS does."""
    permission = resources[f"{trigger}Permission"]["Properties"]

    assert permission["Principal"] == "cognito-idp.amazonaws.com"
    assert permission["Action"] == "lambda:InvokeFunction"
    assert permission["FunctionName"] == {"Fn::GetAtt": [f"{trigger}Function", "Arn"]}
    assert permission["SourceArn"] == {"Fn::GetAtt": ["UserPool", "Arn"]}
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}


@pytest.mark.parametrize(
    ("trigger", "config"),
    [
        ("PreSignUp", "PreSignUp"),
        ("Define", "DefineAuthChallenge"),
        ("Create", "CreateAuthChallenge"),
        ("Verify", "VerifyAuthChallengeResponse"),
    ],
)
def test_the_pool_calls_the_functions_that_the_template_makes(resources: dict[str, Any], trigger: str, config: str) -> None:
    """The pool's written-out ARN ends in the very name that the function is given."""
    arn = resources["UserPool"]["Properties"]["LambdaConfig"][config]["Fn::Sub"]
    name = resources[f"{trigger}Function"]["Properties"]["FunctionName"]["Fn::Sub"]

    assert arn.endswith(f":function:{name}")


def test_no_policy_is_broader_than_one_resource(resources: dict[str, Any]) -> None:
    """No allowing statement names every action of a service, or every resource; telephone numbers alone have no name."""
    for name, resource in resources.items():
        properties = resource["Properties"]
        documents = [
            properties.get("PolicyDocument"),
            *(policy["PolicyDocument"] for policy in properties.get("Policies", []) if isinstance(policy, dict)),
        ]
        for document in filter(None, documents):
            for written in document["Statement"]:
                statement = written["Fn::If"][1] if "Fn::If" in written else written
                if statement["Effect"] == "Allow":
                    assert "*" not in json.dumps(statement["Action"]), name
                    is_to_numbers = "NotResource" in statement and statement["Action"] == "sns:Publish"
                    assert is_to_numbers or statement["Resource"] != "*", name


def test_what_must_survive_a_deleted_stack_does(resources: dict[str, Any]) -> None:
    """Accounts, audit events and the archive outlive the stack, and a replacement of themselves."""
    for name in ("UserPool", "AuditQueue", "AuditDeadLetterQueue", "ArchiveBucket"):
        assert resources[name]["DeletionPolicy"] == "Retain", name
        assert resources[name]["UpdateReplacePolicy"] == "Retain", name
    assert resources["UserPool"]["Properties"]["DeletionProtection"] == "ACTIVE"


def test_the_template_can_be_sent_as_one_body() -> None:
    """CloudFormation takes at most 51,200 bytes in the request itself."""
    assert TEMPLATE.stat().st_size <= 51_200
