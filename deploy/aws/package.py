"""
Package the triggers into a zip whose bytes depend on their source alone.

The same source gives the same bytes on every machine and day, so the package's hash can name it: new code is a new key
in the bucket, and unchanged code deploys as no change.
"""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TRIGGERS = Path("deploy/cognito_triggers")

# The earliest time that a zip can hold; a real one would change the hash at every checkout.
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
_PLAIN_FILE = 0o100644 << 16


@dataclass(frozen=True)
class Package:
    """A zip of the triggers, and the bucket key that its hash gives it."""

    body: bytes
    key: str


def package_triggers(repository: Path = REPOSITORY) -> Package:
    """
    Zip the triggers under the import paths that they have in the repository.

    Args:
        repository: The directory that holds ``deploy/``.
    """
    sources = [repository / "deploy/__init__.py", *sorted((repository / TRIGGERS).glob("*.py"))]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for source in sources:
            entry = zipfile.ZipInfo(source.relative_to(repository).as_posix(), date_time=_FIXED_TIME)
            entry.external_attr = _PLAIN_FILE
            # Stored, not deflated: compressed bytes differ between versions of zlib, and there are few to save.
            archive.writestr(entry, source.read_bytes(), compress_type=zipfile.ZIP_STORED)
    body = buffer.getvalue()
    return Package(body=body, key=f"triggers/{hashlib.sha256(body).hexdigest()}.zip")
