"""
CPU-milliseconds of gateway and challenge service for one sign-in, everybody loaded in turn.

All contenders are up at once and are loaded one after another, round after round, so that whatever else the machine does hits
all of them alike. The clock is each process's own CPU clock: what others on the machine use is not in it.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from benchmarks.lab.figures import Row, median, median_ratio, quantile
from benchmarks.lab.raw_http import Connection
from benchmarks.sign_in.journey import Visitor
from benchmarks.sign_in.lineup import OBVIOUS, PRODUCT, PRODUCT_KEYLESS, PRODUCT_VALKEY, REFERENCE, Contender, Lineup

# What one sign-in asks of the upstreams, whoever makes it.
HOPS: Final = (
    "AdminGetUser",
    "track",
    "challenge",
    "verify",
    "claim",
    "validate",
    "InitiateAuth",
    "RespondToAuthChallenge",
)
# Audit entries of one sign-in: the reference writes none.
ENTRIES: Final = {REFERENCE: 0, PRODUCT: 7, PRODUCT_KEYLESS: 7, PRODUCT_VALKEY: 7, OBVIOUS: 7}


class HopsDiffer(Exception):
    """A contender did not do the work that it is measured for."""


@dataclass
class Samples:
    """What the rounds gave, one value each. CPU in milliseconds a sign-in."""

    gateway: list[float] = field(default_factory=list)
    challenge: list[float] = field(default_factory=list)
    extras: list[float] = field(default_factory=list)
    sign_ins_per_second: list[float] = field(default_factory=list)
    messages_per_sign_in: list[float] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)
    sign_ins: int = 0

    @property
    def both(self) -> list[float]:
        """Gateway and challenge service together."""
        return [one + other for one, other in zip(self.gateway, self.challenge, strict=True)]


class Measurement:
    """Rounds over all contenders, and the table that comes of them."""

    def __init__(self, lineup: Lineup, contenders: list[Contender], *, at_once: int, slice_seconds: float) -> None:
        self._lineup = lineup
        self._contenders = contenders
        self._at_once = at_once
        self._slice_seconds = slice_seconds
        self._visitors = {c.name: Visitor(c.gateway.port, sends_keys=c.sends_keys) for c in contenders}
        self.samples = {contender.name: Samples() for contender in contenders}

    async def warm_up(self) -> None:
        """Open connections, fill caches, and let every contender sign people in once for a while."""
        for contender in self._contenders:
            visitor = self._visitors[contender.name]
            await visitor.arrive()
            await visitor.sign_in_many(at_once=self._at_once, seconds=self._slice_seconds / 2)

    async def round(self) -> None:
        """
        Load every contender once.

        Raises:
            HopsDiffer: A contender asked the upstreams for more or less than a sign-in takes, or recorded another number of
                events.
        """
        for contender in self._contenders:
            await self._slice(contender)

    async def _slice(self, contender: Contender) -> None:
        samples = self.samples[contender.name]
        before, counted = _clocks(contender), await self._counts()
        load = await self._visitors[contender.name].sign_in_many(at_once=self._at_once, seconds=self._slice_seconds)
        after = _clocks(contender)
        asked = {name: count - counted.get(name, 0) for name, count in (await self._counts()).items()}
        _check_hops(contender.name, asked, load.sign_ins)
        gateway, challenge, extras = ((b - a) / load.sign_ins * 1e3 for a, b in zip(before, after, strict=True))
        samples.gateway.append(gateway)
        samples.challenge.append(challenge)
        samples.extras.append(extras)
        samples.sign_ins_per_second.append(load.sign_ins / load.seconds)
        samples.messages_per_sign_in.append(asked.get("SendMessage", 0) / load.sign_ins)
        samples.requests.extend(load.requests)
        samples.sign_ins += load.sign_ins

    async def _counts(self) -> dict[str, int]:
        connection = await Connection.open(self._lineup.stubs.port)
        answer = await connection.ask("GET", "/counts", b"")
        connection.close()
        return msgspec.json.decode(answer.body, type=dict[str, int])

    def rows(self) -> dict[str, Row]:
        """Return the table: medians over the rounds, quantiles over all requests."""
        return {contender.name: self._row(contender) for contender in self._contenders}

    def ratios(self) -> dict[str, float]:
        """Return the ratios that are promised."""
        both = {name: samples.both for name, samples in self.samples.items()}
        return {
            "product / reference": median_ratio(both[PRODUCT], both[REFERENCE]),
            "product in Valkey / reference": median_ratio(both[PRODUCT_VALKEY], both[REFERENCE]),
            "product without keys / reference": median_ratio(both[PRODUCT_KEYLESS], both[REFERENCE]),
            "obvious / product": median_ratio(both[OBVIOUS], both[PRODUCT]),
        }

    def _row(self, contender: Contender) -> Row:
        samples = self.samples[contender.name]
        both = samples.both
        row: dict[str, Any] = {
            "gateway ms": median(samples.gateway),
            "challenge ms": median(samples.challenge),
            "both ms": median(both),
            "spread": f"{min(both):.2f} to {max(both):.2f}",
            "x reference": median_ratio(both, self.samples[REFERENCE].both),
            "sign-ins/s": median(samples.sign_ins_per_second),
            "p50 ms": quantile(samples.requests, 0.5) * 1e3,
            "p99 ms": quantile(samples.requests, 0.99) * 1e3,
            "SQS messages": median(samples.messages_per_sign_in),
            "MiB": contender.gateway.memory_mebibytes() + contender.challenge.memory_mebibytes(),
            "store ms": median(samples.extras) if contender.extras else None,
        }
        return row


def _clocks(contender: Contender) -> tuple[float, float, float]:
    extras = sum(extra.cpu_seconds() for extra in contender.extras)
    return contender.gateway.cpu_seconds(), contender.challenge.cpu_seconds(), extras


def _check_hops(name: str, asked: dict[str, int], sign_ins: int) -> None:
    expected = dict.fromkeys(HOPS, sign_ins)
    if ENTRIES[name]:
        expected["entries"] = ENTRIES[name] * sign_ins
    found = {hop: asked.get(hop, 0) for hop in expected}
    if found != expected:
        raise HopsDiffer(f"{name}: {sign_ins} sign-ins asked for {found}, expected {expected}")
