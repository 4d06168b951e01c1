"""Our signatures are those of the AWS SDK."""

import time
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from shared.aws_signing import Signer

TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=80)


@given(
    access_key=TEXT,
    secret_key=TEXT,
    token=st.none() | TEXT,
    body=st.binary(max_size=500),
    host=st.sampled_from(["sqs.eu-west-1.amazonaws.com", "127.0.0.1:4566", "localhost"]),
)
def test_signs_as_the_sdk_does(access_key: str, secret_key: str, token: str | None, body: bytes, host: str) -> None:
    """
    For any credentials, body and endpoint the Authorization header is the one that botocore makes at the same second.
    """
    credentials = ReadOnlyCredentials(access_key, secret_key, token)
    url = f"http://{host}/"
    content = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.SendMessage"}
    expected = AWSRequest("POST", url, data=body, headers=content)
    SigV4Auth(credentials, "sqs", "eu-west-1").add_auth(expected)
    moment = time.mktime(time.strptime(expected.context["timestamp"], "%Y%m%dT%H%M%SZ")) - time.timezone
    signer = Signer(service="sqs", region="eu-west-1", url=url, clock=lambda: moment)

    headers = signer.headers(credentials, target="AmazonSQS.SendMessage", content_type="application/x-amz-json-1.0", body=body)

    assert headers["authorization"] == expected.headers["Authorization"]
    assert headers["x-amz-date"] == expected.headers["X-Amz-Date"]
    assert headers.get("x-amz-security-token") == expected.headers.get("X-Amz-Security-Token")
    assert urlsplit(url).netloc == host


@pytest.mark.parametrize("change", ["day", "secret"])
def test_the_kept_key_follows_day_and_secret(change: str) -> None:
    """
    The signing key that is kept for a day is made anew when the day or the secret key changes.
    """
    now = [1_767_225_599.0]
    signer = Signer(service="sqs", region="eu-west-1", url="http://localhost/", clock=lambda: now[0])
    old, new = ReadOnlyCredentials("A", "one", None), ReadOnlyCredentials("A", "two", None)
    question = {"target": "AmazonSQS.SendMessage", "content_type": "application/x-amz-json-1.0", "body": b"{}"}
    signer.headers(old, **question)  # type: ignore[arg-type]
    credentials = new if change == "secret" else old
    now[0] += 1 if change == "day" else 0

    kept = signer.headers(credentials, **question)  # type: ignore[arg-type]

    fresh = Signer(service="sqs", region="eu-west-1", url="http://localhost/", clock=lambda: now[0])
    assert kept == fresh.headers(credentials, **question)  # type: ignore[arg-type]
