"""
Settings of the product under test: the defaults, save where the load would run into them.

* `veil_seconds` is 0: the veil is waiting, which costs no CPU and hides the latency of everything else.
* The limits on starts and answers, and the budget below Cognito's quotas, are out of reach: all load comes from one address.
* Spans go to a stub, so that the sampled share is really made and sent.
"""

from pathlib import Path
from typing import Final

from benchmarks.contenders import constants
from benchmarks.contenders.places import Places
from benchmarks.stubs.aws import CLIENT_ID
from deploy.local import toml
from services.gateway.cognito.quota import RATE_MAX, CognitoRates

_OUT_OF_REACH: Final = 1_000_000_000


def write_settings(
    folder: Path, *, gateway: Places, challenge: Places, state_url: str | None, metrics_ports: tuple[int, int]
) -> None:
    """
    Write ``gateway.toml`` and ``challenge.toml`` and the secrets they point at.

    Args:
        folder: Holds all of it; made when it is missing.
        gateway: The gateway's place.
        challenge: The challenge service's place.
        state_url: The state store of both, without the database's number; None keeps state in each process.
        metrics_ports: The gateway's and the challenge service's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shared = {
        "audit_queue_url": gateway.stubs_url + constants.QUEUE_PATH,
        "aws_region": constants.REGION,
        "aws_endpoint_url": gateway.stubs_url,
        "user_pool_id": constants.POOL_ID,
        "email_hash_key_file": _secret(folder, "email_hash_key", constants.EMAIL_HASH_KEY),
        "otlp_url": gateway.stubs_url + "/v1/traces",
    }
    token_file = _secret(folder, "service_token", constants.SERVICE_TOKEN)
    of_gateway = {
        **shared,
        "port": gateway.port,
        "metrics_port": metrics_ports[0],
        "public_url": f"http://localhost:{gateway.port}",
        "challenge_url": gateway.challenge_url,
        "challenge_token_file": token_file,
        "audit_url": "http://127.0.0.1:9",
        "client_id": CLIENT_ID,
        "client_secret_file": _secret(folder, "client_secret", constants.CLIENT_SECRET),
        "session_key_file": _secret(folder, "session_key", constants.SESSION_KEY),
        "grant_key_file": _secret(folder, "grant_key", constants.SESSION_KEY),
        "state_url": f"{state_url}/0" if state_url else "memory://",
        "authsignal_tenant_id": constants.TENANT_ID,
        "authsignal_client_url": gateway.authsignal_url,
        "veil_seconds": 0,
        "starts_per_ip_max": _OUT_OF_REACH,
        "starts_per_identifier_max": _OUT_OF_REACH,
        "answers_per_ip_max": _OUT_OF_REACH,
        "answers_per_identifier_max": _OUT_OF_REACH,
        "cognito_rates": dict.fromkeys(CognitoRates.__struct_fields__, RATE_MAX),
    }
    of_challenge = {
        **shared,
        "port": challenge.port,
        "metrics_port": metrics_ports[1],
        "authsignal_url": challenge.authsignal_url,
        "authsignal_secret_file": _secret(folder, "authsignal_secret", constants.AUTHSIGNAL_SECRET),
        "service_token_file": token_file,
        "assertion_key_file": _secret(folder, "assertion_key", constants.ASSERTION_KEY),
        "state_url": f"{state_url}/1" if state_url else "memory://",
    }
    for service, settings in {"gateway": of_gateway, "challenge": of_challenge}.items():
        (folder / f"{service}.toml").write_text(toml.dumps(settings), encoding="utf-8")


def _secret(folder: Path, name: str, value: str) -> str:
    file = folder / name
    file.write_text(value + "\n", encoding="ascii")
    return str(file)
