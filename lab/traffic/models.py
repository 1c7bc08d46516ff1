"""What is exchanged with a traffic generator: streams out, counts and frames back."""

from __future__ import annotations

import base64
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from lab.methods.trial import FCS_BYTES, DelayVariation, Disturbance, WrongFrames
from lab.models import Model


def _bytes_in(value: object) -> object:
    return base64.b64decode(value) if isinstance(value, str) else value


Frame = Annotated[bytes, BeforeValidator(_bytes_in), PlainSerializer(lambda b: base64.b64encode(b).decode())]
"""A frame from its destination MAC to the end of its payload, without FCS; base64 in JSON."""


class Sweep(Model):
    """A 32-bit field that changes from frame to frame (TRex field engine).

    It steps through ``count`` values from ``first``; with ``random`` each frame has one of them by chance, each run the
    same ones in the same order. ``values`` are taken instead of the range where there are any.
    """

    name: str
    offset_bytes: int
    first: int
    count: int
    random: bool = False
    values: tuple[int, ...] = ()


class Arrival(Model):
    """How the frames of a stream look at the port that expects them, for a generator that verifies what it receives.

    ``src_mac`` and ``dst_mac`` are those of that port's link, ``hops`` the routers on the way, each of which decrements
    the TTL. All else must be as it was sent.
    """

    src_mac: str
    dst_mac: str
    hops: int


class Stream(Model):
    """A stream from one generator port, expected at another.

    Its first frame is due ``begin_s`` after the begin of the run. It has so many ``frames``, or goes on to the end of
    the run. ``step`` is the load of its trial that it belongs to.

    ``pg_id`` is TRex's packet group: every stream has one, so that its frames are counted by themselves. A ``tagged``
    stream carries sequence numbers and time stamps in the last 16 bytes of its payload. With an ``arrival`` every
    received frame is verified, where the generator can, and only the right ones count.
    """

    pg_id: int
    tx_port: int
    rx_port: int
    frame: Frame
    rate_pps: float
    tagged: bool = False
    sweeps: tuple[Sweep, ...] = ()
    arrival: Arrival | None = None
    begin_s: float = 0.0
    frames: int | None = None
    step: int = 0

    def intended_frames(self, duration_s: float) -> int:
        """Return how many frames it sends in a run of ``duration_s``."""
        return round(self.rate_pps * (duration_s - self.begin_s)) if self.frames is None else self.frames

    @property
    def size_bytes(self) -> int:
        """Frame size with FCS."""
        return len(self.frame) + FCS_BYTES


class StreamCount(Model):
    """Frames of one stream as counted by the generator's own ports."""

    pg_id: int
    sent_frames: int
    received_frames: int


class SequenceRecord(Model):
    """Loss, duplication and order of a tagged stream as the generator found them while the frames came (RFC 4737).

    ``numbered_frames`` were sent, or lost by a full queue of the link; ``distinct_frames`` of them arrived at least
    once. ``too_old`` frames came too late to be told from duplicates, ``never_sent`` ones with numbers that were given
    to none, and the extent of ``extent_unknown`` of the reordered ones is not known: with all three 0 the others are
    exact. Extents are those of section 4.2, in frames.
    """

    numbered_frames: int
    distinct_frames: int
    lost_frames: int
    duplicates: int
    reordered: int
    too_old: int = 0
    never_sent: int = 0
    extent_max: int = 0
    extent_mean: float = 0.0
    extent_unknown: int = 0

    @property
    def exact(self) -> bool:
        """Whether no frame was beyond the bounds of what the generator can tell."""
        return self.too_old == self.never_sent == self.extent_unknown == 0


class LossRecord(Model):
    """Which frames of a verified stream were lost, by their numbers, and when they were due by the stream's schedule.

    ``numbered_frames`` have numbers from 0 on in the order of the schedule: those that left, and those that the link's
    far side refused (queue full), which are lost. Frames that the generator was too late for have none, and are not
    lost. ``first_lost`` and ``last_lost`` are numbers; ``longest_frames`` in a row were lost from ``longest_first`` on,
    the longest such run (the earlier of two alike). All are None or 0 without a loss.

    Times are in seconds from when the stream's first frame was due until that frame was: number n is due at
    n * ``frame_time_s`` in a stream of an even rate of whose frames none was too late. The first one was due
    ``first_due_s`` after the begin of the trial, by which streams of one trial can be compared. ``exact`` is false
    where the rate was changed meanwhile, or after more than 256 bursts: then the times are not to be relied upon. The
    numbers are exact always, however frames were reordered or copied.
    """

    pg_id: int
    tx_port: int
    rx_port: int
    numbered_frames: int
    lost_frames: int
    first_lost: int | None
    last_lost: int | None
    longest_first: int | None
    longest_frames: int
    first_lost_at_s: float | None
    last_lost_at_s: float | None
    longest_at_s: float | None
    first_due_s: float
    frame_time_s: float
    exact: bool


class TaggedRecord(Model):
    """What the receiver saw of a tagged stream.

    ``latency_hdr`` is an HdrHistogram (V2, base64, 1 ns). ``sequence`` is None where the generator does not track it;
    then ``out_of_order`` and ``duplicates`` are TRex's own counts. ``arrivals`` are the sequence numbers in order of
    arrival, without duplicates where frames are verified, ``arrival_times`` and ``arrival_delays`` what belongs to
    them; where less were recorded than received the log was full. ``lab.traffic.arrivals`` decodes them. ``variation``
    is None where the generator does not measure it or no two frames followed each other.
    """

    pg_id: int
    count: int
    min_ns: int
    max_ns: int
    mean_ns: float
    latency_hdr: str
    latency_source: str
    arrivals: str | None = None
    arrival_times: str | None = None
    arrival_delays: str | None = None
    arrivals_recorded: int = 0
    arrivals_received: int = 0
    sequence: SequenceRecord | None = None
    out_of_order: int = 0
    duplicates: int = 0
    variation: DelayVariation | None = None


class PortReport(Model):
    """The engine's own account of one port over a run.

    ``refused_frames`` were due and offered to the link, and the device behind it had no room for them (queue full).
    ``sending_s`` passed from when the link took the first frame until it took the last one, and up to 31 with it.
    """

    port: int
    intended_frames: int
    sent_frames: int
    refused_frames: int
    unknown_frames: int
    sending_s: float | None = None


class VerifiedDirection(Model):
    """What verification found in one direction; ``wrong`` only of the kinds that came."""

    tx_port: int
    rx_port: int
    reordered_frames: int
    wrong: tuple[WrongFrames, ...] = ()


class EngineReport(Model):
    """How a generator that watches itself saw its own run; None of it is known of a generator that does not.

    ``cores`` has what disturbed each of its polling cores, ``invalid`` its own reasons why the run does not count.
    """

    ports: tuple[PortReport, ...]
    cores: tuple[Disturbance, ...]
    invalid: tuple[str, ...] = ()
    verification: tuple[VerifiedDirection, ...] = ()


class TrafficResult(Model):
    """What came of one run of streams, read after the counters had settled.

    ``losses`` has a record for each stream with an ``arrival`` where the generator verifies, and is empty elsewhere.
    """

    started_at_s: float
    duration_s: float
    settled: bool
    streams: tuple[StreamCount, ...]
    tagged: tuple[TaggedRecord, ...] = ()
    losses: tuple[LossRecord, ...] = ()
    engine: EngineReport | None = None


class SentFrame(Model):
    """A single frame to send from a port."""

    port: int
    frame: Frame


class CapturedFrame(Model):
    """A frame that a port received; ``time_s`` is on the generator's own clock."""

    port: int
    time_s: float
    frame: Frame


class GeneratorInfo(Model):
    """Who generates: as told by the server, and by which client."""

    version: str
    mode: str
    client: str
    ports: int
    speed_gbps: float
    watches_itself: bool
