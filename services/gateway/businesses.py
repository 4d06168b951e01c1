"""Business services: they spend grants, each with a credential of its own, of which only the SHA-256 is kept here."""

import hashlib
import hmac
from pathlib import Path

from shared.problems import Unauthorized
from shared.settings import SettingsError


class Businesses:
    """
    Knows business services by their Bearer tokens.

    Args:
        hashes: Name of each service and the SHA-256 of its token, lower-case hex.
    """

    def __init__(self, hashes: dict[str, str]) -> None:
        self._hashes = hashes

    @classmethod
    def from_file(cls, path: str | None) -> "Businesses":
        """
        Read lines of ``name:sha256hex``; without a path nobody may spend.

        Raises:
            SettingsError: The file cannot be read, or a line is no such pair.
        """
        if path is None:
            return cls({})
        try:
            pairs = [line.strip().partition(":") for line in Path(path).read_text().splitlines() if line.strip()]
        except OSError as error:
            raise SettingsError(f"business token file {path}: {error.strerror or error}") from error
        if not all(name and len(digest) == 64 for name, _, digest in pairs):
            raise SettingsError(f"business token file {path}: every line must be name:sha256 in hex")
        return cls({name: digest for name, _, digest in pairs})

    def name_of(self, authorization: str | None) -> str:
        """
        Return the name of the service that holds this credential.

        Raises:
            Unauthorized: None does.
        """
        scheme, _, token = (authorization or "").partition(" ")
        digest = hashlib.sha256(token.encode()).hexdigest()
        # Every one is compared, in constant time, so that the time tells nothing.
        matching = [name for name, known in self._hashes.items() if hmac.compare_digest(digest, known)]
        if scheme != "Bearer" or not matching:
            raise Unauthorized("business credential")
        return matching[0]
