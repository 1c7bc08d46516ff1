"""PDR of the image at 64 bytes beside that of known forwarders, in turns on one generator in one run."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from lab.bench.contenders import Contender
from lab.bench.model import BenchResult
from lab.bench.rig import say, with_kernel, with_testpmd
from lab.bench.turns import in_turns
from lab.errors import LabError
from lab.methods import mlr
from lab.methods.load_limit import load_limit, offerable
from lab.methods.profiles import QUICK
from lab.methods.repeat import Conditions, TooDisturbed
from lab.methods.trial import TrialRequest

FRAME_SIZE_BYTES = 64
ROUNDS = 4
DIRECTIONS = 2
SEARCHES = 3
STEP_DOWN = 0.95
OVERLOADS = (1.0, 0.5, 0.25)  # of the ceiling: a generator that is asked for too much may send less
OVERLOAD_TRIALS = 3
OVERLOAD_TRIAL_S = 0.5


def pix_vs_testpmd() -> Iterator[BenchResult]:
    """Compare with dpdk-testpmd in mac mode on virtio-user ports.

    Yields:
        The median PDR of the image, both directions together; ``ratio`` is the median of each round's.

    Raises:
        LabError: something does not start, or no load met the goal.

    """
    with with_testpmd("dut-pix-vs-testpmd") as rig:
        rates, c2c_ns = pdr_in_turns([rig.pix, *rig.others], rig.speed_gbps)
    yield _line("dut-pix-vs-testpmd", rates["PIX"], "dpdk-testpmd, mac mode", rates["testpmd"], c2c_ns)


def pix_vs_linux() -> Iterator[BenchResult]:
    """Compare with this host's kernel as an IPv4 router, which has other links: veth pairs and packet sockets.

    Packet sockets keep to no rate, so there is no search on them: of the kernel, and of its links alone, the greatest
    rate counts that was received under overload (the maximum receive rate of FD.io CSIT), which is more than any PDR.

    Yields:
        The median PDR of the image, against the kernel's rate. The kernel's against that of its links alone: where this
        is near 1, the links end what the kernel shows, and the first ratio is one of systems, not of routers. And the
        image's against what the kernel's threads would do if they had their core to themselves all of the time, from
        their time a frame at that rate: this ratio does not depend on what its links' generator can send.

    Raises:
        LabError: something does not start, or no load met the goal.

    """
    with with_kernel("dut-pix-vs-linux") as rig:
        rates, c2c_ns = in_turns(
            [rig.pix, *rig.others],
            lambda c: pdr_pps(c, rig.speed_gbps) if c is rig.pix else greatest_received_pps(c),
            rounds=ROUNDS,
            words=lambda rate_pps: f"{rate_pps / 1e6:.3f} Mpps",
        )
        full_pps = [_rate_when_busy_pps(rig.others[0], rate_pps) for rate_pps in rates["Linux"]]
    note = "the kernel's links are veth pairs with packet sockets (copies and system calls), not vhost-user"
    yield _line(
        "dut-pix-vs-linux",
        rates["PIX"],
        "Linux, IPv4 in a network namespace, greatest rate",
        rates["Linux"],
        c2c_ns,
        note,
    )
    full = "Linux, by the time its threads take for a frame"
    yield _line("dut-pix-vs-linux:busy", rates["PIX"], full, full_pps, c2c_ns, note)
    yield _line("dut-pix-vs-linux:link", rates["Linux"], "the same links without a router", rates["veth wire"], c2c_ns)


def pdr_pps(contender: Contender, speed_gbps: float) -> float:
    """Search for the PDR of a contender that forwards already, in frames a second over both directions.

    A search that the host disturbed, or whose generator fell short of its greatest load, is begun again up to a load
    that is a little lower.

    Raises:
        LabError: no load met the goal, or every search was disturbed.

    """
    conditions = Conditions()
    limit = load_limit(FRAME_SIZE_BYTES, speed_gbps, DIRECTIONS, contender.ceiling_pps)
    limit = offerable(contender.measurer, limit, FRAME_SIZE_BYTES, conditions)
    for left in reversed(range(SEARCHES)):
        plan = QUICK.mlr_plan(FRAME_SIZE_BYTES, limit)
        plan = plan.model_copy(update={"goals": tuple(goal for goal in plan.goals if goal.name == "PDR")})
        try:
            found = mlr.search(contender.measurer, plan, conditions)["PDR"]
            break
        except TooDisturbed as error:
            if not left:
                raise
            say(f"{contender.name}: searched again: {error}")
            limit = limit.model_copy(update={"rate_pps": limit.rate_pps * STEP_DOWN})
    if found.lower_pps is None:
        raise LabError(f"{contender.name}: no load met the goal of {found.loss_ratio:g} loss")
    return found.lower_pps


def greatest_received_pps(contender: Contender) -> float:
    """Return the greatest rate that a contender forwards under overload, in frames a second over both directions.

    Raises:
        LabError: nothing was received.

    """
    assert contender.ceiling_pps is not None, f"{contender.name} has no ceiling to overload it with"
    requests = [
        TrialRequest(
            frame_size_bytes=FRAME_SIZE_BYTES,
            rate_pps=share * contender.ceiling_pps,
            duration_s=OVERLOAD_TRIAL_S,
            tagged=False,
        )
        for share in OVERLOADS
        for _ in range(OVERLOAD_TRIALS)
    ]
    greatest = max(contender.measurer.measure(request).received_pps for request in requests)
    if not greatest:
        raise LabError(f"{contender.name}: nothing was received under overload")
    return greatest


def _rate_when_busy_pps(contender: Contender, rate_pps: float) -> float:
    """Return frames a second of a contender's own running time, in one trial at a rate."""
    assert contender.busy_ns is not None, f"{contender.name} polls: it is always busy"
    request = TrialRequest(frame_size_bytes=FRAME_SIZE_BYTES, rate_pps=rate_pps, duration_s=1.0, tagged=False)
    before_ns = contender.busy_ns()
    result = contender.measurer.measure(request)
    return 1e9 * sum(d.received_frames for d in result.directions) / (contender.busy_ns() - before_ns)


def pdr_in_turns(contenders: Sequence[Contender], speed_gbps: float) -> tuple[dict[str, list[float]], float]:
    """Search for the PDR of all contenders in turn; returns what ``in_turns`` does."""
    return in_turns(
        contenders,
        lambda contender: pdr_pps(contender, speed_gbps),
        rounds=ROUNDS,
        words=lambda rate_pps: f"PDR {rate_pps / 1e6:.3f} Mpps",
    )


def _line(
    bench: str, ours: Sequence[float], against: str, theirs: Sequence[float], c2c_ns: float, note: str = ""
) -> BenchResult:
    return BenchResult(
        bench=bench,
        value=statistics.median(ours),
        unit="pps",
        against=against,
        ratio=statistics.median(a / b for a, b in zip(ours, theirs, strict=True)),
        runs=len(ours),
        c2c_latency_ns=c2c_ns,
        note=note,
    )
