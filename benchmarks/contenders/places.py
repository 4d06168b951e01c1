"""Where everything listens; the command line of the contenders that are not the product."""

import argparse

from msgspec import Struct


class Places(Struct, frozen=True, kw_only=True):
    """Ports on 127.0.0.1. `challenge_port` is 0 for a challenge service itself."""

    port: int
    stubs_port: int
    challenge_port: int = 0

    @property
    def stubs_url(self) -> str:
        """AWS and the trace collector."""
        return f"http://127.0.0.1:{self.stubs_port}"

    @property
    def authsignal_url(self) -> str:
        """Authsignal's API."""
        return f"{self.stubs_url}/v1"

    @property
    def challenge_url(self) -> str:
        """The contender's own challenge service."""
        return f"http://127.0.0.1:{self.challenge_port}"

    def arguments(self) -> list[str]:
        """Return the command line that `places_from_arguments` reads."""
        return [f"--port={self.port}", f"--stubs-port={self.stubs_port}", f"--challenge-port={self.challenge_port}"]


def places_from_arguments() -> Places:
    """Read the command line of a contender."""
    parser = argparse.ArgumentParser()
    for name in ("port", "stubs-port", "challenge-port"):
        parser.add_argument(f"--{name}", type=int, default=0)
    return Places(**vars(parser.parse_args()))
