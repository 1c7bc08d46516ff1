"""The running image's own path: busy cycles a packet under traffic, with the core-to-core latency around each trial."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lab.errors import LabError
from lab.methods.repeat import TooDisturbed
from lab.methods.trial import TrialRequest, TrialResult
from lab.metrics.ratio import SPLIT_RATIO, State, boundary_ns
from lab.models import Model
from lab.session import Session
from lab.simulation import host
from lab.simulation.facts import HostFacts

FRAME_SIZE_BYTES = 64
RATE_PPS = 6e6
TRIAL_S = 0.25
PROBE_S = 0.2
ATTEMPTS = 3
AWAY_SHARE = 0.05
"""Of a trial, that a polling thread may be off its core: /proc/stat tells of stolen time in ticks of 10 ms."""


class PathTrial(Model):
    """One trial.

    Attributes:
        before: core-to-core latency by CAS ping-pong directly before it, while the image stood still.
        after: directly after it.
        forwarded_pps: frames a second, all directions.
        cycles_a_packet: busy cycles of the QGMs, of the time stamp counter, by the frames that they handled meanwhile.
        frames_a_turn: that a turn of the loop handled, of those that handled any.
        disturbed: whether a polling thread was off its core for long.

    """

    before: HostFacts
    after: HostFacts
    forwarded_pps: float
    cycles_a_packet: float
    frames_a_turn: float
    disturbed: bool

    @property
    def c2c_ns(self) -> tuple[float, float]:
        """One-way latency before and after."""
        return self.before.c2c_latency_ns_median, self.after.c2c_latency_ns_median


def measure(used: Session, trials: int, say: Callable[[str], None]) -> tuple[PathTrial, ...]:
    """Offer a steady load a number of times; the latency is measured in between, when both cores are free.

    Args:
        used: with the image deployed; it stands still afterwards.
        trials: how many that are not disturbed; up to three times as many are tried.
        say: told of each.

    Raises:
        TooDisturbed: fewer than half of them came about.
        LabError: the image forwards nothing, or the probe does not run.

    """
    found: list[PathTrial] = []
    dut = used.deployed.dut
    dut.stop()
    before = host.measure(PROBE_S)
    for number in range(1, ATTEMPTS * trials + 1):
        dut.start()
        dut.clear_counters()
        result = used.measurer.measure(
            TrialRequest(frame_size_bytes=FRAME_SIZE_BYTES, rate_pps=RATE_PPS, duration_s=TRIAL_S, tagged=False)
        )
        qgms = dut.counters().qgms
        dut.stop()
        after = host.measure(PROBE_S)
        packets = sum(qgm.busy_packets for qgm in qgms)
        if packets == 0:
            raise LabError("path: the image forwarded nothing: run suites/ipv4_routing to see why")
        one = PathTrial(
            before=before,
            after=after,
            forwarded_pps=result.received_pps,
            cycles_a_packet=sum(qgm.busy_cycles for qgm in qgms) / packets,
            frames_a_turn=packets / sum(qgm.polls - qgm.empty_polls for qgm in qgms),
            disturbed=away_ns(result) > AWAY_SHARE * TRIAL_S * 1e9,
        )
        say(
            f"trial {number}: {one.cycles_a_packet:.0f} busy cycles a packet, {one.frames_a_turn:.1f} frames a turn, "
            f"{one.c2c_ns[0]:.0f} and {one.c2c_ns[1]:.0f} ns core to core{' (disturbed)' if one.disturbed else ''}"
        )
        found.append(one)
        before = after
        if sum(not each.disturbed for each in found) == trials:
            break
    if 2 * sum(not each.disturbed for each in found) < trials:
        raise TooDisturbed(f"path: {len(found)} trials, and hardly one had its cores: give them to the lab alone")
    return tuple(found)


def by_state(trials: Sequence[PathTrial]) -> tuple[tuple[State, tuple[PathTrial, ...]], ...]:
    """Sort trials by the state of the machine; left out are disturbed ones and those in which the state changed.

    Returns:
        ``near`` and ``far`` where the latency took two values, else ``all``; no state without a trial.

    """
    steady = [one for one in trials if not one.disturbed and max(one.c2c_ns) < SPLIT_RATIO * min(one.c2c_ns)]
    boundary = boundary_ns([latency for one in steady for latency in one.c2c_ns])
    if boundary is None:
        return (("all", tuple(steady)),) if steady else ()
    near = tuple(one for one in steady if max(one.c2c_ns) < boundary)
    far = tuple(one for one in steady if min(one.c2c_ns) >= boundary)
    states: tuple[tuple[State, tuple[PathTrial, ...]], ...] = (("near", near), ("far", far))
    return tuple((state, members) for state, members in states if members)


def away_ns(result: TrialResult) -> int:
    """Return the time that the most disturbed polling thread waited for its core or lost it to the host, in ns."""
    return max((max(d.run_delay_ns or 0, d.steal_ns or 0) for d in result.disturbances), default=0)
