"""Why a trial does not count, by the engine's own account of it; who measures with it decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lab.vtrex import messages as m

LATE_SHARE = 0.001
"""Of the frames of a port that may be too late to be sent: what a software generator keeps to when nothing is wrong."""

UNDER_WAY_NS = 500_000_000
"""So long after the end of a trial its frames may still be on their way: a link that goes down later hurts nothing."""

STEADY_FLAGS = ("constant_tsc", "nonstop_tsc")  # of /proc/cpuinfo: the counter runs at one rate, and in sleep


def reasons(
    counters: m.TrialCounters, ports: Sequence[m.TrialPort], cores: Sequence[m.TrialCore], gap_limit_us: float
) -> list[str]:
    """Say why a trial does not count.

    Args:
        counters: of the trial; while it runs frames may be on their way from one count to another.
        ports: those that took part are judged; of the others only a link that went down.
        cores: the polling threads.
        gap_limit_us: how long one may be away from its loop.

    Returns:
        One sentence a reason; empty when it counts.

    """
    took_part = [port for port in ports if port.took_part]
    found = [*_links(counters, ports), *_pauses(cores, gap_limit_us), *_late(took_part)]
    if not counters.running:
        found += _unbalanced(took_part)
    return found


def _links(counters: m.TrialCounters, ports: Sequence[m.TrialPort]) -> Iterator[str]:
    for port in ports:
        if not port.link_downs:
            continue
        if port.link_down_at_ns == 0:
            if port.took_part:
                yield f"the link of port {port.port_id} was down when the trial began"
        elif counters.running or port.link_down_at_ns <= counters.duration_ns + UNDER_WAY_NS:
            again = f", {port.link_downs} times in all" if port.link_downs > 1 else ""
            yield (
                f"the link of port {port.port_id} went down during the trial, "
                f"{port.link_down_at_ns / 1e6:.0f} ms after its begin{again}"
            )


def _pauses(cores: Sequence[m.TrialCore], gap_limit_us: float) -> Iterator[str]:
    for core in cores:
        if core.gap_max_ns > gap_limit_us * 1e3:
            yield (
                f"the polling thread on core {core.core} paused for {core.gap_max_ns / 1e6:.2f} ms, "
                f"{core.gap_max_at_ns / 1e6:.0f} ms after the begin; {gap_limit_us / 1e3:g} ms are allowed"
            )


def _late(ports: Sequence[m.TrialPort]) -> Iterator[str]:
    for port in ports:
        if port.late > LATE_SHARE * port.intended_packets:
            yield (
                f"port {port.port_id}: {port.late} of {port.intended_packets} frames were too late to be sent, "
                f"more than {LATE_SHARE:.1%}"
            )


def _unbalanced(ports: Sequence[m.TrialPort]) -> Iterator[str]:
    for port in ports:
        settled = port.sent_packets + port.queue_full + port.late
        if settled != port.intended_packets:
            yield (
                f"port {port.port_id}: {port.intended_packets} frames were intended, but {settled} were sent, "
                "refused or too late: a fault of the generator"
            )


def clock_warnings(cpu_info: str | None = None) -> list[str]:
    """Say what makes the clock of all figures doubtful, in one line; empty when nothing does.

    Args:
        cpu_info: text of /proc/cpuinfo; None reads it.

    """
    text = Path("/proc/cpuinfo").read_text() if cpu_info is None else cpu_info
    flags = next((line.split(":", 1)[1].split() for line in text.splitlines() if line.startswith("flags")), [])
    missing = [flag for flag in STEADY_FLAGS if flag not in flags]
    if not missing:
        return []
    return [f"the CPU does not promise a steady time stamp counter ({', '.join(missing)} missing): times may be wrong"]
