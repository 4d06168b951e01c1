"""
The bucket of the archive: what is put there is locked, and that it is locked is looked at, not believed.

Source: Amazon S3 User Guide, "Locking objects with Object Lock".
"""

import base64
import hashlib
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final, Literal

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from services.audit.archiving.manifest import SUFFIX, ObjectRef
from shared.settings import AwsSettings

PIECE_BYTES: Final = 1024 * 1024
# S3 keeps whole seconds.
LOCK_SLACK: Final = timedelta(seconds=1)
READ_SECONDS_MAX: Final = 300.0

LockMode = Literal["COMPLIANCE", "GOVERNANCE"]


class ArchiveUnavailable(Exception):
    """The bucket cannot be reached, or refuses: try again later."""


class ArchiveNotLocked(Exception):
    """The bucket, or an object in it, is not locked as it must be: nothing may be archived there, and nothing dropped."""


class ArchiveDamaged(Exception):
    """An object is not there, or is not what its manifest says."""


@asynccontextmanager
async def s3_client(settings: AwsSettings) -> AsyncIterator[Any]:
    """Open an S3 client."""
    config = AioConfig(
        max_pool_connections=4,
        connect_timeout=5,
        read_timeout=READ_SECONDS_MAX,
        retries={"mode": "standard", "total_max_attempts": 3},
        # Our own SHA-256 is the checksum of what we put.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    async with get_session().create_client(
        "s3", region_name=settings.aws_region, endpoint_url=settings.aws_endpoint_url, config=config
    ) as client:
        yield client


class ArchiveBucket:
    """
    One bucket.

    Args:
        client: An S3 client.
        name: The bucket.

    Every method raises:
        ArchiveUnavailable: Try again later.
    """

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self.name = name

    async def check_lock(self) -> None:
        """
        Look whether the bucket can lock what is put there.

        Raises:
            ArchiveNotLocked: It cannot.
        """
        hint = "make it with object lock on, which cannot be switched on for objects that are there"
        try:
            answer = await self._client.get_object_lock_configuration(Bucket=self.name)
        except ClientError as error:
            if _code(error) == "ObjectLockConfigurationNotFoundError":
                raise ArchiveNotLocked(f"bucket {self.name} has no object lock: {hint}") from error
            raise ArchiveUnavailable(_words(error)) from error
        except (BotoCoreError, OSError) as error:
            raise ArchiveUnavailable(f"S3 does not answer: {error}") from error
        if answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") != "Enabled":
            raise ArchiveNotLocked(f"bucket {self.name} has no object lock: {hint}")

    async def put(self, key: str, body: bytes | Path, mode: LockMode, until: datetime) -> ObjectRef:
        """
        Put an object under lock, and look whether it is.

        Raises:
            ArchiveNotLocked: It was put, and is not locked as asked for.
        """
        with _opened(body) as file:
            digest, size = _measured(file)
            file.seek(0)
            with _translated():
                answer = await self._client.put_object(
                    Bucket=self.name,
                    Key=key,
                    Body=file,
                    ContentLength=size,
                    ChecksumSHA256=base64.b64encode(digest).decode(),
                    ObjectLockMode=mode,
                    ObjectLockRetainUntilDate=until,
                )
        made = ObjectRef(key=key, version=answer.get("VersionId", ""), sha256=digest.hex(), bytes=size)
        await self.check_object(made, mode=mode, until=until)
        return made

    async def check_object(self, one: ObjectRef, *, mode: str, until: datetime) -> None:
        """
        Look whether an object is locked.

        Raises:
            ArchiveNotLocked: It is not, or less than said.
        """
        if not one.version:
            raise ArchiveNotLocked(f"bucket {self.name} gives no versions, so {one.key} can be replaced")
        try:
            answer = await self._client.get_object_retention(Bucket=self.name, Key=one.key, VersionId=one.version)
        except ClientError as error:
            if _code(error) in ("NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError", "InvalidRequest"):
                raise ArchiveNotLocked(f"{one.key} is not locked") from error
            if _is_missing(error):
                raise ArchiveNotLocked(f"{one.key} is not there any more") from error
            raise ArchiveUnavailable(_words(error)) from error
        except (BotoCoreError, OSError) as error:
            raise ArchiveUnavailable(f"S3 does not answer: {error}") from error
        lock = answer.get("Retention", {})
        kept_until = lock.get("RetainUntilDate") or datetime.min.replace(tzinfo=UTC)
        if lock.get("Mode") != mode or kept_until < until - LOCK_SLACK:
            raise ArchiveNotLocked(f"{one.key} is locked as {lock.get('Mode')} until {kept_until}, not {mode} until {until}")

    async def manifests(self, prefix: str) -> dict[str, str]:
        """Return the keys of all manifests below a prefix, in order, each with its first version."""
        by_key: dict[str, list[dict[str, Any]]] = {}
        for version in await self._versions(f"{prefix}days/"):
            if version["Key"].endswith(SUFFIX):
                by_key.setdefault(version["Key"], []).append(version)
        return {key: _oldest(by_key[key])["VersionId"] for key in sorted(by_key)}

    async def read(self, key: str, version: str) -> bytes:
        """
        Return a small object.

        Raises:
            ArchiveDamaged: It is not there.
        """
        return b"".join([piece async for piece in self.pieces(key, version)])

    async def pieces(self, key: str, version: str) -> AsyncIterator[bytes]:
        """
        Yield an object piece by piece.

        Raises:
            ArchiveDamaged: It is not there.
        """
        try:
            answer = await self._client.get_object(Bucket=self.name, Key=key, VersionId=version)
            async with answer["Body"] as body:
                while piece := await body.read(PIECE_BYTES):
                    yield piece
        except ClientError as error:
            if _is_missing(error):
                raise ArchiveDamaged(f"{key} is not there any more") from error
            raise ArchiveUnavailable(_words(error)) from error
        except (BotoCoreError, OSError) as error:
            raise ArchiveUnavailable(f"S3 does not answer: {error}") from error

    async def check_content(self, one: ObjectRef) -> None:
        """
        Read an object whole and compare its hash.

        Raises:
            ArchiveDamaged: It is not there, or holds something else.
        """
        digest = hashlib.sha256()
        async for piece in self.pieces(one.key, one.version):
            digest.update(piece)
        if digest.hexdigest() != one.sha256:
            raise ArchiveDamaged(f"{one.key} does not hold what was archived")

    async def _versions(self, prefix: str) -> list[dict[str, Any]]:
        with _translated():
            pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=prefix)
            return [version async for page in pages for version in page.get("Versions", [])]


def _oldest(versions: list[dict[str, Any]]) -> dict[str, Any]:
    # S3 lists the versions of a key from the newest to the oldest.
    return versions[-1]


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise ArchiveUnavailable(_words(error)) from error
    except (BotoCoreError, OSError) as error:
        raise ArchiveUnavailable(f"S3 does not answer: {error}") from error


@contextmanager
def _opened(body: bytes | Path) -> Iterator[IO[bytes]]:
    if isinstance(body, Path):
        with body.open("rb") as file:
            yield file
        return
    yield io.BytesIO(body)


def _measured(file: IO[bytes]) -> tuple[bytes, int]:
    digest, size = hashlib.sha256(), 0
    while piece := file.read(PIECE_BYTES):
        digest.update(piece)
        size += len(piece)
    return digest.digest(), size


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _is_missing(error: ClientError) -> bool:
    return _code(error) in ("NoSuchKey", "NoSuchVersion", "404")


def _words(error: ClientError) -> str:
    fault = error.response.get("Error", {})
    return f"S3 refused: {fault.get('Code', 'unknown')}: {fault.get('Message', '')}"
