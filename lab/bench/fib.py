"""What a million routes cost the image: busy cycles a packet and PDR, in turns with one route each way."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from lab import paths, session
from lab.bench import versus
from lab.bench.contenders import Contender, nothing, of_image
from lab.bench.cycles import FRAME_SIZE_BYTES, RATE_PPS, cycles_a_packet, in_words
from lab.bench.model import BenchResult
from lab.bench.rig import IMAGE, say
from lab.bench.turns import in_turns
from lab.images import find
from lab.routing.regions import regions
from lab.routing.setup import cover, spread
from lab.routing.table import ROUTES, generate
from lab.testbed import load

ROUNDS = 6
ONE, MILLION, FEW = "1 route", "1M routes", "1 route, 250 destinations"


@dataclass(frozen=True)
class _Tables:
    """The image as three contenders: with either table under random destinations, and with what a cache holds."""

    one: Contender
    million: Contender
    few: Contender
    speed_gbps: float


def fib_1m_vs_1() -> Iterator[BenchResult]:
    """Offer the same load with and without a million routes, whose lookups miss the caches.

    Yields:
        Median busy cycles a packet with a million routes, against those with one route each way and the same random
        destinations; the same against one route and few destinations, so against a lookup that hits; and the PDR with
        a million routes against that with one. ``ratio`` is the rate that remains: one over the growth of the cycles.

    Raises:
        LabError: something does not start, or forwards nothing.

    """
    with _deployed() as tables:
        turns = [tables.one, tables.million, tables.few]
        cycles, c2c_ns = in_turns(turns, cycles_a_packet, rounds=ROUNDS, words=in_words)
        yield _line("fib-1m-vs-1", "cycles/packet", cycles[MILLION], ONE, cycles[ONE], c2c_ns)
        yield _line("fib-1m-vs-1:few", "cycles/packet", cycles[MILLION], FEW, cycles[FEW], c2c_ns)
        rates, rates_c2c_ns = versus.pdr_in_turns(turns[:2], tables.speed_gbps)
    yield _line("fib-1m-vs-1:pdr", "pps", rates[MILLION], ONE, rates[ONE], rates_c2c_ns)


@contextmanager
def _deployed() -> Iterator[_Tables]:
    testbed, image = load("virtual"), find(IMAGE)
    ports = testbed.dut.ports
    parts = regions(ports, [testbed.peer_of(port) for port in ports])
    say(f"drawing {ROUTES} routes")
    with (
        tempfile.TemporaryDirectory(prefix="bench-", dir=paths.runtime_dir()) as folder,
        session.hold(testbed, "bench fib-1m-vs-1"),
        session.use(testbed, image, Path(folder), say, generate(parts)) as used,
    ):
        dut = used.deployed.dut
        cover(dut, parts, used.router.ports)
        random = used.with_traffic(spread(parts, used.router.ports))
        # It forwards all the time: a turn begins with its routes, and ends without them.
        one = replace(of_image(used.deployed, random.measurer), name=ONE, start=nothing, stop=nothing)
        few = replace(one, name=FEW, measurer=used.measurer)
        million = replace(one, name=MILLION, start=lambda: dut.load_routes(ROUTES), stop=dut.clear_routes)
        yield _Tables(one, million, few, used.speed_gbps)


def _line(
    bench: str, unit: str, ours: Sequence[float], against: str, theirs: Sequence[float], c2c_ns: float
) -> BenchResult:
    quotients = [b / a if unit == "cycles/packet" else a / b for a, b in zip(ours, theirs, strict=True)]
    return BenchResult(
        bench=bench,
        value=statistics.median(ours),
        unit=unit,
        against=against,
        ratio=statistics.median(quotients),
        runs=len(ours),
        c2c_latency_ns=c2c_ns,
        note=f"{ROUTES} routes of public shape, {FRAME_SIZE_BYTES} bytes"
        + (f", {RATE_PPS / 1e6:g} Mpps" if unit == "cycles/packet" else ""),
    )
