"""How exactly vtrex sends at a rate, from a hundred frames a second to all that it can."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from lab.bench import generator, sources
from lab.bench.model import BenchResult
from lab.bench.remote import Remote, stream
from lab.bench.rig import say
from lab.bench.sources import handled_pps, source_of_vtrex
from lab.errors import GeneratorError

DURATION_S = 10.0
SLOWEST_PPS = 100.0
CEILING_SHARE = 0.9
"""Of what one port sends when it is asked for more: there the schedule is kept, beyond it nothing can be."""
ATTEMPTS = 3


def generator_rate() -> Iterator[BenchResult]:
    """Send at each decade of rates, and near the ceiling, for ten seconds from one port of a wire to the other.

    Yields:
        For each rate the frames that were sent a second; ``ratio`` is sent over intended, ``note`` has the percentiles
        of the jitter between departures. Last the greatest deviation of these ratios from 1.

    Raises:
        LabError: the server does not start, or sends nothing.

    """
    deviations = []
    with ExitStack() as stack:
        remote = generator.wire(stack)
        for rate_pps in rates(_ceiling_pps(remote)):
            line = at_rate(remote, rate_pps)
            deviations.append(abs(line.ratio - 1))
            yield line
    worst = max(deviations)
    yield BenchResult(
        bench="generator-rate",
        value=worst,
        unit="deviation of sent/intended",
        against="the intended rate",
        ratio=1 - worst,
        runs=len(deviations),
        note=f"{sources.FRAME_SIZE_BYTES} bytes, {DURATION_S:g} s each; the greatest deviation of all rates",
    )


def rates(ceiling_pps: float) -> list[float]:
    """Return the decades from SLOWEST_PPS to below a ceiling, and a rate close to it."""
    decades = []
    rate_pps = SLOWEST_PPS
    while rate_pps < CEILING_SHARE * ceiling_pps:
        decades.append(rate_pps)
        rate_pps *= 10
    return [*decades, CEILING_SHARE * ceiling_pps]


def _ceiling_pps(remote: Remote) -> float:
    """Return what one port sends when both are flooded and the core receives as much."""
    source = source_of_vtrex("vtrex", remote)
    source.start()
    try:
        return handled_pps(source) / 2
    finally:
        source.stop()


def at_rate(remote: Remote, rate_pps: float) -> BenchResult:
    """Send at a rate, again where the host took the core away for so long that frames were too late."""
    for attempt in range(ATTEMPTS):
        remote.define({0: stream(sources.frame_of(0), rate_pps)})
        remote.start(DURATION_S)
        time.sleep(DURATION_S)
        report = _ended(remote)
        port = report["ports"][0]
        ratio = port["sent_packets"] / (rate_pps * DURATION_S)
        say(f"{rate_pps:.0f} pps, attempt {attempt + 1}: sent/intended {ratio:.6f}; {report['invalid'] or 'counts'}")
        if not report["invalid"]:
            break
    return BenchResult(
        bench=f"generator-rate:{rate_pps:.0f}-pps",
        value=port["sent_packets"] / DURATION_S,
        unit="frames/s",
        against="the intended rate",
        ratio=ratio,
        runs=1,
        note="; ".join(
            [_spread("jitter", port["jitter_ns"]), _spread("lateness", port["lateness_ns"]), *report["invalid"]]
        ),
    )


def _ended(remote: Remote) -> Any:
    """Return the report once the traffic has ended."""
    for _ in range(100):
        report = remote.report()
        if not report["running"]:
            return report
        time.sleep(0.05)
    raise GeneratorError(f"vtrex still sends 5 s after the end of {DURATION_S:g} s")


def _spread(name: str, ns: dict[str, int]) -> str:
    return f"{name} p50 {ns['p50']} ns, p99 {ns['p99']} ns, p99.9 {ns['p99_9']} ns, max {ns['max']} ns"
