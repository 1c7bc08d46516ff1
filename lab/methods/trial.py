"""A trial: what is asked of the traffic generator, and what it and the DUT answered (RFC 2544 section 24).

Frame sizes include the 4 bytes of FCS. A rate is the sum over all directions, in frames a second, unless a name says
otherwise. Counts are read after the traffic has stopped and the counters have settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lab.metrics.order.model import OrderDetail
from lab.models import Model

FCS_BYTES = 4
PREAMBLE_AND_GAP_BYTES = 20


def line_rate_pps(frame_size_bytes: int, speed_gbps: float) -> float:
    """Return the greatest frame rate of one direction of a link (RFC 2544 section 20).

    Args:
        frame_size_bytes: with FCS, without preamble and gap.
        speed_gbps: speed of the link.

    Returns:
        Frames a second: 14,880,952 for 64 bytes at 10 Gb/s.

    """
    return speed_gbps * 1e9 / ((frame_size_bytes + PREAMBLE_AND_GAP_BYTES) * 8)


def mix_line_rate_pps(mix_bytes: Sequence[int], speed_gbps: float) -> float:
    """Return the greatest frame rate of one direction of a link for frames of these sizes in turn (RFC 6985).

    Args:
        mix_bytes: sizes with FCS, without preamble and gap; at least one.
        speed_gbps: speed of the link.

    """
    return speed_gbps * 1e9 * len(mix_bytes) / (sum(size + PREAMBLE_AND_GAP_BYTES for size in mix_bytes) * 8)


class LoadStep(Model):
    """A load that goes on for ``duration_s`` where another ends; ``rate_pps`` is summed over all directions."""

    rate_pps: float
    duration_s: float


class TrialRequest(Model):
    """One trial to run.

    ``rate_pps`` is the intended load, summed over all directions. With ``tagged``, each direction also carries a stream
    of frames with sequence numbers and time stamps: it is part of the load, and gives latency and reordering.
    ``tagged_rate_pps`` is the rate of that stream in each direction. Where ``tagged_frames`` is given there are only so
    many in each direction, the first of them ``tagged_after_s`` after the begin (RFC 2544 section 26.2: one, after
    60 s of 120 s).

    With ``burst_frames`` each direction carries that many frames back to back at its share of ``rate_pps`` and no more
    (RFC 2544 section 26.4); ``burst`` makes such a request. After ``duration_s`` the load goes on with the ``steps``,
    without a pause (section 26.5); each then has tagged streams, and records, of its own. With ``mix_bytes`` the sizes
    of the frames are these in turn (RFC 6985), and ``frame_size_bytes``, that of tagged frames, is their mean, rounded.

    Of a load the tagged stream takes at most half, unless ``tagged_only``: then it is the whole load, whatever
    ``tagged_rate_pps`` says (latency at 0 %). A stream of ``tagged_frames`` comes on top of the load, of which it is
    no part worth counting; its frames come at ``tagged_rate_pps``. For ``residual_s`` after the last frame those that
    are still under way are waited for, beyond the settling of the counters (section 23 d).

    With ``order_detail`` the records of reordering have a ``detail``, worked out after the trial: some seconds for a
    million tagged frames.
    """

    frame_size_bytes: int
    rate_pps: float
    duration_s: float
    tagged: bool = True
    tagged_rate_pps: float = 1000.0
    tagged_frames: int | None = None
    tagged_after_s: float = 0.0
    burst_frames: int | None = None
    steps: tuple[LoadStep, ...] = ()
    mix_bytes: tuple[int, ...] = ()
    tagged_only: bool = False
    residual_s: float = 0.0
    order_detail: bool = False

    @property
    def loads(self) -> tuple[LoadStep, ...]:
        """All loads in their order, the first one included."""
        return (LoadStep(rate_pps=self.rate_pps, duration_s=self.duration_s), *self.steps)

    @property
    def total_s(self) -> float:
        """How long frames are sent."""
        return sum(load.duration_s for load in self.loads)


def burst(frame_size_bytes: int, frames: int, rate_pps: float, directions: int) -> TrialRequest:
    """Return the request of a burst (RFC 2544 section 26.4).

    Args:
        frame_size_bytes: with FCS.
        frames: of each direction.
        rate_pps: summed over the directions; the greatest one that there is.
        directions: how many carry traffic.

    """
    return TrialRequest(
        frame_size_bytes=frame_size_bytes,
        rate_pps=rate_pps,
        duration_s=frames * directions / rate_pps,
        tagged=False,
        burst_frames=frames,
    )


class WrongFrames(Model):
    """Frames of one direction that arrived and are not what was sent; none of them counts as received.

    ``kind`` is ``wrong_content`` (not the frame that was sent, but for addresses of the link, TTL and checksum),
    ``stale`` (of an earlier trial), ``duplicate``, or ``misdelivered`` (at another port). Of the first one: ``port``
    where it arrived, ``reason`` what is wrong with its content, and its first bytes without FCS.
    """

    kind: str
    frames: int
    port: int
    reason: str
    first_hex: str


class DirectionCount(Model):
    """Frames of one direction: intended by the schedule, put on the link, received back.

    ``verified`` says that every received frame was compared with the one that was sent; ``received_frames`` then counts
    those that are it, and ``wrong`` has the others. ``reordered_frames`` of the received ones came after a frame of the
    same stream with the same addresses that was sent later (type-P-reordered, RFC 4737 section 3.3; a lower bound where
    there are more than some ten thousand pairs of addresses); None where nobody verified.

    ``refused_frames`` of the sent ones found no room in the receive ring of the DUT. A NIC would have put them on the
    wire and the DUT would have lost them, so they are sent, and lost.

    ``sending_s`` passed from when the link took the port's first frame until it took its last one and up to 31 before
    it: a burst that took longer than its rate says was not sent back to back at that rate. None where nobody knows.
    """

    tx_port: int
    rx_port: int
    intended_frames: int
    sent_frames: int
    received_frames: int
    refused_frames: int = 0
    verified: bool = False
    reordered_frames: int | None = None
    wrong: tuple[WrongFrames, ...] = ()
    sending_s: float | None = None

    @property
    def lost_frames(self) -> int:
        """Frames sent and not received; negative where more arrived than were sent (then the trial is invalid)."""
        return self.sent_frames - self.received_frames


class DelayVariation(Model):
    """Inter-packet delay variation of the tagged frames of one direction, in nanoseconds (RFC 3393, RFC 5481).

    Of two frames with successive numbers that both arrived it is the delay of the second less that of the first.
    ``min_ns`` is its least value (negative where a frame was faster than the one before it), ``mean_abs_ns`` and
    ``hdr`` (HdrHistogram V2, base64, unit 1 ns) are of its absolute value.
    """

    count: int
    min_ns: int
    max_ns: int
    mean_abs_ns: float
    hdr: str


class LatencyRecord(Model):
    """Latency of the tagged frames of one direction, in nanoseconds, as an HdrHistogram (V2, base64, unit 1 ns).

    ``source`` says who measured with which clock and resolution: ``vtrex-tsc`` or ``trex-histogram``. ``variation`` is
    None where only single latencies are known.
    """

    tx_port: int
    rx_port: int
    count: int
    min_ns: int
    max_ns: int
    mean_ns: float
    hdr: str
    source: str
    variation: DelayVariation | None = None


class ReorderingRecord(Model):
    """Order of the tagged frames of one direction as RFC 4737 defines it, over every arrival.

    ``reordered`` counts type-P-reordered packets (section 3.3), ``ratio`` divides by the received without duplicates
    (section 4.1), ``extent_max`` and ``extent_mean`` are of section 4.2 in packets, over the reordered ones (0 when
    none). ``complete`` is false where the generator could not tell what each arrival was.

    ``detail`` has all the other metrics, of the arrivals that the generator recorded one by one, where that was asked
    for and the generator records them. It says itself whether these are all; a generator that verifies frames
    records no duplicates.
    """

    tx_port: int
    rx_port: int
    sent: int
    received: int
    duplicates: int
    lost: int
    reordered: int
    ratio: float
    extent_max: int
    extent_mean: float
    complete: bool
    source: str
    detail: OrderDetail | None = None


class StepCount(Model):
    """Frames of one direction that belong to one load of a trial with ``steps``; ``step`` 0 is the first load."""

    step: int
    tx_port: int
    rx_port: int
    sent_frames: int
    received_frames: int

    @property
    def lost_frames(self) -> int:
        """Frames sent and not received."""
        return self.sent_frames - self.received_frames


class LossTimes(Model):
    """When the frames were sent that one direction lost under one load of a trial.

    Times are in seconds since the first frame of that load was due, by the numbers of the frames and their schedule, so
    that they are exact to one ``frame_time_s``. ``longest_frames`` in a row were lost from ``longest_at_s`` on, the
    longest such run. ``exact`` is false where frames overtook each other, or were copied: what is missing for a moment
    then looks lost. Times are None when nothing was lost.
    """

    step: int
    tx_port: int
    rx_port: int
    frame_time_s: float
    lost_frames: int
    first_lost_at_s: float | None
    last_lost_at_s: float | None
    longest_at_s: float | None
    longest_frames: int
    exact: bool
    source: str


class HopLoss(Model):
    """Frames of a trial that were lost at one hop, by the counters of both sides.

    ``hop`` is ``generator`` (never put on the link), ``link to the DUT``, ``Rx ring``, ``FIB``, ``inter-core ring``,
    ``Tx ring``, ``other drops`` (the ``reason`` says which), ``held``, ``link from the DUT`` or ``not accounted for``.
    ``reason`` is the counter's own name; empty where it is a difference of two.
    """

    hop: str
    frames: int
    reason: str = ""
    port: int | None = None


class HopBalance(Model):
    """Two counts of the same frames of a trial: those that came to a hop, and those that left it or stayed there.

    ``hop`` is ``link to the DUT`` (of ``port`` of the DUT: put there by the generator, received by the DUT), ``DUT``
    (received and originated; sent, dropped, consumed and held) or ``link from the DUT`` (sent by the DUT, received by
    the generator). Frames that are none of the test explain up to ``surplus_frames_max`` more (None: any number) and
    ``missing_frames_max`` fewer that left.
    """

    hop: str
    frames_in: int
    frames_out: int
    port: int | None = None
    surplus_frames_max: int | None = 0
    missing_frames_max: int = 0

    @property
    def adds_up(self) -> bool:
        """Whether the counts differ by no more than what frames that are none of the test explain."""
        surplus = self.frames_out - self.frames_in
        too_many = self.surplus_frames_max is not None and surplus > self.surplus_frames_max
        return not too_many and -surplus <= self.missing_frames_max


class Disturbance(Model):
    """What disturbed one polling core during a trial: the generator's engine or a vCPU of the DUT.

    ``gap_max_ns`` is the longest time between two turns of its polling loop (None where it cannot see its own loop),
    ``gap_total_ns`` the sum of those over 10 us; ``run_delay_ns`` the time it was ready and did not run (Linux
    schedstat), ``steal_ns`` the time stolen by the host from its core (/proc/stat).
    """

    who: str
    core: int
    gap_max_ns: int | None = None
    gap_total_ns: int | None = None
    gaps_over_100us: int | None = None
    run_delay_ns: int | None = None
    steal_ns: int | None = None


class TrialResult(Model):
    """What came of a trial. ``invalid`` holds one sentence a reason; empty means that the trial counts.

    ``settled`` is false where the counters still moved when they were read. ``steps`` and ``loss_times`` are empty
    where nobody told. ``duration_s`` is that of all loads together. ``hop_losses`` say where frames were lost, where
    the DUT counts; without a loss they are empty. ``balances`` are there where the DUT counts every frame. With a
    ``dut_restart``, which says how it is known, the DUT was started anew during the trial, and its counts mean nothing.
    """

    request: TrialRequest
    started_at_s: float
    duration_s: float
    directions: tuple[DirectionCount, ...]
    latency: tuple[LatencyRecord, ...] = ()
    reordering: tuple[ReorderingRecord, ...] = ()
    disturbances: tuple[Disturbance, ...] = ()
    steps: tuple[StepCount, ...] = ()
    loss_times: tuple[LossTimes, ...] = ()
    hop_losses: tuple[HopLoss, ...] = ()
    balances: tuple[HopBalance, ...] = ()
    dut_restart: str = ""
    settled: bool = True
    invalid: tuple[str, ...] = ()

    @property
    def sent_frames(self) -> int:
        """Frames sent, summed over the directions."""
        return sum(d.sent_frames for d in self.directions)

    @property
    def lost_frames(self) -> int:
        """Frames lost, summed over the directions; a surplus in one direction never hides a loss in another."""
        return sum(max(0, d.lost_frames) for d in self.directions)

    @property
    def loss_ratio(self) -> float:
        """Frame loss ratio (RFC 1242 section 3.6): lost / sent, from 0 to 1; 0 when nothing was sent."""
        return self.lost_frames / self.sent_frames if self.sent_frames else 0.0

    @property
    def received_pps(self) -> float:
        """Forwarding rate seen by the receivers, summed over the directions."""
        return sum(d.received_frames for d in self.directions) / self.duration_s

    @property
    def sent_pps(self) -> float:
        """Offered load (RFC 2285 section 3.5.2): what was really sent, summed over the directions."""
        return self.sent_frames / self.duration_s


class Measurer(Protocol):
    """The one thing that a method is given."""

    def measure(self, request: TrialRequest) -> TrialResult:
        """Run one trial and return what was counted; raises LabError when the lab itself fails."""
        ...
