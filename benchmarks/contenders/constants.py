"""What all contenders are told: names that the stubs know, and keys that guard nothing."""

from typing import Final

REGION: Final = "eu-west-1"
POOL_ID: Final = "eu-west-1_benchmark"
QUEUE_PATH: Final = "/000000000000/audit"
TENANT_ID: Final = "8f9c1a52-0000-4000-8000-000000000000"
CLIENT_SECRET: Final = "0" * 52
AUTHSIGNAL_SECRET: Final = "benchmark-secret-key"
SERVICE_TOKEN: Final = "1" * 64
ASSERTION_KEY: Final = "2" * 64
EMAIL_HASH_KEY: Final = "3" * 64
SESSION_KEY: Final = "4" * 64
AWS_ENVIRONMENT: Final = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "benchmark"}
