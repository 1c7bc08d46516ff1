"""Turns one draw of a machine's numbers into the integers of the kernel."""

from __future__ import annotations

from collections.abc import Mapping

from lab.simulation.machine import Machine
from lab.simulation.scene import JITTER_ONE, PS_PER_NS, Timing

LINE_BYTES = 64
PAIR_FROM = 0.5  # of the number "pair": from here on the adjacent-line prefetcher moves pairs of lines


def cycle_ps(numbers: Mapping[str, float]) -> float:
    """Return the length of a clock cycle in picoseconds; ``clock`` is in GHz."""
    return 1000 / numbers["clock"]


def range_bytes(numbers: Mapping[str, float]) -> int:
    """Return how many bytes move together between caches: a line, or a pair of lines."""
    return LINE_BYTES if numbers["pair"] < PAIR_FROM else 2 * LINE_BYTES


def transfer_ps(numbers: Mapping[str, float], distance: str, locked_ps: int) -> int:
    """Return a cache-to-cache transfer in picoseconds.

    Args:
        numbers: one draw; latencies are in ns as a CAS ping-pong measures them, locked instruction included.
        distance: name of the latency: ``near``, ``complex``, ``far``.
        locked_ps: execution of the locked instruction, which the kernel adds itself.

    """
    return max(int(numbers[distance] * PS_PER_NS) - locked_ps, 0)


def timing(machine: Machine, numbers: Mapping[str, float]) -> Timing:
    """Return the times of the cores in picoseconds (jitter and upgrade in 1/1024)."""
    cycle = cycle_ps(numbers)
    window_ps = numbers["window"] * cycle
    return Timing(
        l1_ps=int(numbers["l1"] * cycle),
        issue_ps=int(cycle),
        shared_cache_ps=int(numbers["shared_cache"] * cycle),
        commit_ps=int(cycle),
        locked_ps=int(numbers["locked"] * cycle),
        hold_ps=int(numbers["hold"] * PS_PER_NS),
        window_ps=int(window_ps),
        overlap_ps=int(numbers["overlap"] * window_ps),
        concurrent_misses=int(numbers["misses"]),
        store_buffer_entries=int(numbers["store_buffer"]),
        jitter=int(numbers["jitter"] * JITTER_ONE),
        upgrade=int(numbers["upgrade"] * JITTER_ONE),
        snoop_ps=int(numbers["snoop"] * PS_PER_NS),
        together=max(round(numbers["together"]), 1),
        restart_ps=int(numbers["restart"] * cycle),
        protocol=machine.protocol,
        home_ps=int(numbers.get("home", 0) * PS_PER_NS),
        remote_ps=int(numbers.get("remote", 0) * PS_PER_NS),
        memory_ps=int(numbers["memory"] * PS_PER_NS) if "memory" in numbers else None,
    )
