"""
Deploy to AWS: ``python -m deploy.aws deploy --stack-name NAME --assertion-key-file FILE``.

Credentials and region come from the standard AWS chain. Prints the outputs of the stack, as a table or with ``--json``.
"""

import argparse
import json
import sys
from pathlib import Path

import boto3
from rich.console import Console
from rich.table import Table

from deploy.aws.stack import DeployFailed, Deployment, default_code_bucket, deploy


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code: 0 done, 1 refused, 2 called wrongly."""
    options = _parser().parse_args(arguments)
    try:
        outputs = _deploy(options)
    except DeployFailed as exc:
        print(f"Not deployed: {exc}", file=sys.stderr)
        return 1
    _show(outputs, as_json=options.json)
    return 0


def _deploy(options: argparse.Namespace) -> dict[str, str]:
    session = boto3.Session(region_name=options.region)
    if session.region_name is None:
        raise DeployFailed("No region. Give --region, or set AWS_REGION.")
    bucket = options.code_bucket or default_code_bucket(session, endpoint_url=options.endpoint_url)
    deployment = Deployment(
        stack_name=options.stack_name,
        code_bucket=bucket,
        assertion_keys=_keys(options.assertion_key_file),
        parameters=_parameters(options.parameter),
    )
    return deploy(session, deployment, endpoint_url=options.endpoint_url)


def _keys(path: Path) -> tuple[str, ...]:
    try:
        return tuple(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    except OSError as exc:
        raise DeployFailed(f"Cannot read {path}: {exc.strerror}.") from exc


def _parameters(pairs: list[str]) -> dict[str, str]:
    parameters = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise DeployFailed(f"--parameter wants NAME=VALUE, not {pair!r}.")
        parameters[name] = value
    return parameters


def _show(outputs: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(outputs, indent=2, sort_keys=True))
        return
    table = Table("output", "value")
    for name, value in sorted(outputs.items()):
        table.add_row(name, value)
    Console().print(table)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.aws", description="Deploy Countersign's AWS resources.")
    command = parser.add_subparsers(required=True).add_parser("deploy", help="create or update the stack")
    command.add_argument("--stack-name", required=True)
    command.add_argument("--assertion-key-file", required=True, type=Path, help="one key, or two during rotation")
    command.add_argument("--code-bucket", help="bucket for the packaged triggers; made when missing")
    command.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE", help="repeatable")
    command.add_argument("--region")
    command.add_argument("--endpoint-url", help="another AWS endpoint, such as a local emulator")
    command.add_argument("--json", action="store_true", help="print the outputs as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
