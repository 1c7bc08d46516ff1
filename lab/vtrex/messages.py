"""The binary messages between server and engine: the Python mirror of engine/protocol.h, where the meaning stands."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

PROTOCOL_VERSION = 17
MAX_FRAME_BYTES = 9238
SHORTEST_FRAME_BYTES = 60
MAX_VARIABLES = 256
NO_VARIABLE = 0xFFFF
STATS_FLOWS = 1023
LATENCY_FLOWS = 128
NO_FLOW = 0xFFFFFFFF
NO_STREAM = 0xFFFFFFFF
MAX_PROFILES = 64


class Op(IntEnum):
    """What a request asks for."""

    HELLO = 1
    PORTS = 2
    START = 3
    STOP = 4
    RATES = 5
    FLOW_SET = 6
    FLOWS = 7
    LATENCY = 8
    ARRIVALS = 9
    TRIAL = 10
    PUSH = 11
    CAPTURE_START = 12
    CAPTURE_STOP = 13
    CAPTURE_FETCH = 14
    CAPTURE_REMOVE = 15
    CAPTURE_STATUS = 16
    ADDRESS = 17
    VERIFIED = 18
    SEQUENCE = 19
    MEMORY = 20
    LOSSES = 21
    VARIATION = 22


class FlowKind(IntEnum):
    """How the frames of a stream are recognised when they come back."""

    NONE = 0
    STATS = 1
    LATENCY = 2


class VariableOp(IntEnum):
    """How a field variable changes from frame to frame."""

    STEP = 0
    RANDOM = 1


class Action(IntEnum):
    """What the field engine does to a frame; FINISH: when all else is done."""

    WRITE = 0
    WRITE_MASKED = 1
    TRIM = 2
    FIX_IPV4 = 3
    FIX_TRANSPORT = 4
    FINISH_IPV4 = 5
    FINISH_TRANSPORT = 6


class WrongReason(IntEnum):
    """Why the content of a frame is wrong."""

    NONE = 0
    LENGTH = 1
    BYTE = 2
    CHECKSUM = 3
    SIGNATURE = 4


HEADER = struct.Struct("<IiI")
HELLO = struct.Struct("<IIIQQ")
HELLO_CORE = struct.Struct("<II")
DRIVER = struct.Struct("<16s")
PORT = struct.Struct("<11Q")
START = struct.Struct("<IIIIdQ")
STREAM = struct.Struct("<dddQIIIIHBBBBBBHHI")
VARIABLE = struct.Struct("<QQQQIIHHB")
ACTION = struct.Struct("<BBBbHHHBIq")
STOP = struct.Struct("<II")
RATES = struct.Struct("<III")
MEMORY = struct.Struct("<III")
FLOW_SET = struct.Struct("<II")
FLOW = struct.Struct("<4Q")
LATENCY = struct.Struct("<4Qdd8QII")
BUCKET = struct.Struct("<IQ")
ARRIVALS_REQUEST = struct.Struct("<IIQQ")
ARRIVALS = struct.Struct("<4Q")
SEQUENCE = struct.Struct("<11Q")
TRIAL = struct.Struct("<9Q")
TRIAL_PORT = struct.Struct("<II17Q")
TRIAL_CORE = struct.Struct("<I4Q")
PUSH_REQUEST = struct.Struct("<III")
PUSH = struct.Struct("<IQ")
CAPTURE_START = struct.Struct("<6I")
CAPTURE = struct.Struct("<IIQ4I4Q")
CAPTURE_FETCH_REQUEST = struct.Struct("<III")
CAPTURE_FETCH = struct.Struct("<QQII")
CAPTURED = struct.Struct("<QQ4I")
ADDRESS = struct.Struct("<I6s4s")
VERIFY = struct.Struct("<6s6sBB")
VERIFIED = struct.Struct("<II7Q")
SAMPLE = struct.Struct("<6I64s")
LOSSES = struct.Struct("<4I6Q5d")
VARIATION = struct.Struct("<QQqqd")
WRONG_KINDS = 4


class PortCounters(NamedTuple):
    """A port's state, link and counters since the engine began; bytes include the FCS.

    Bit i of ``transmitting`` is set while profile i sends. ``longest_frame_bytes`` is without FCS.
    """

    transmitting: int
    link_up: int
    tx_packets: int
    tx_bytes: int
    rx_packets: int
    rx_bytes: int
    tx_given_up: int
    rx_no_buffer: int
    tx_refused_bursts: int
    busy_ns: int
    longest_frame_bytes: int


class MemoryPool(NamedTuple):
    """Buffers for frames; ``buffer_bytes`` is what one holds of a frame."""

    buffer_bytes: int
    free: int
    total: int


class FlowCounters(NamedTuple):
    """A flow's counters on one port since the flow began; bytes include the FCS."""

    tx_packets: int
    tx_bytes: int
    rx_packets: int
    rx_bytes: int


class LatencyCounters(NamedTuple):
    """A latency flow: delays since its last start, order errors (TRex's rules) since the flow began."""

    received: int
    minimum_ns: int
    maximum_ns: int
    over_range: int
    sum_ns: float
    jitter_ns: float
    last_maximum_ns: int
    dropped: int
    out_of_order: int
    duplicate: int
    sequence_high: int
    sequence_low: int
    old_generation: int
    negative: int
    started: int
    buckets: int


class VariationCounters(NamedTuple):
    """The delay variation of a latency flow since its last start (engine/variation.h)."""

    pairs: int
    over_range: int
    minimum_ns: int
    maximum_ns: int
    absolute_sum_ns: float


class Arrivals(NamedTuple):
    """Frames of a latency flow as they arrived since its last start.

    The last three are little-endian arrays, an element a frame: u32 numbers, u32 delays in ns (2^32 - 1: so long or
    longer), u64 times of arrival in ns since the begin of the trial.
    """

    received: int
    recorded: int
    sent: int
    numbers: bytes
    delays: bytes
    times: bytes


class SequenceCounters(NamedTuple):
    """Which numbers of a latency flow came since its last start, and in what order (engine/sequence.h)."""

    numbered: int
    distinct: int
    duplicates: int
    reordered: int
    too_old: int
    never_sent: int
    extent_max: int
    extent_sum: int
    extent_unknown: int
    window: int
    gaps: int


class FlowLosses(NamedTuple):
    """Which numbers of a verified flow never came in the last or running trial (engine/protocol.h, losses_reply)."""

    flow: int
    tx_port: int
    rx_port: int
    times_exact: int
    numbered: int
    lost: int
    first: int
    last: int
    longest_first: int
    longest: int
    first_due_ns: float
    frame_time_ns: float
    first_ns: float
    last_ns: float
    longest_ns: float


class TrialCounters(NamedTuple):
    """One trial as the engine saw it, all polling threads together."""

    number: int
    running: int
    duration_ns: int
    gaps_over_10us: int
    gaps_over_50us: int
    gaps_over_100us: int
    gaps_over_1ms: int
    gap_max_ns: int
    gap_total_ns: int


class PollCore(NamedTuple):
    """A polling thread and the CPU that it runs on."""

    core: int
    tid: int


class TrialCore(NamedTuple):
    """What one polling thread saw in a trial."""

    core: int
    gaps_over_100us: int
    gap_max_ns: int
    gap_total_ns: int
    gap_max_at_ns: int


class Percentiles(NamedTuple):
    """Of the frames that left a port, in ns."""

    p50: int
    p99: int
    p99_9: int
    max: int


class TrialPort(NamedTuple):
    """What one port did in a trial; lateness and jitter as engine/pacing.h has them.

    Its link went down ``link_downs`` times (or was down when the trial began), the first time at ``link_down_at_ns``.
    ``sending_ns`` passed from when its device took the first frame until it took the burst of the last one.
    """

    port_id: int
    took_part: int
    intended_packets: int
    sent_packets: int
    queue_full: int
    late: int
    rx_packets: int
    rx_unknown: int
    lateness_ns: Percentiles
    jitter_ns: Percentiles
    link_downs: int = 0
    link_down_at_ns: int = 0
    sending_ns: int = 0


class WrongSample(NamedTuple):
    """A frame that was not what was sent; ``head`` is its first bytes, without FCS as its ``length``."""

    port: int
    length: int
    reason: int
    offset: int
    expected: int
    head: bytes


class VerifiedDirection(NamedTuple):
    """What the engine found of the verified flows of a direction in a trial; ``wrong`` and ``first`` by kind."""

    tx_port: int
    rx_port: int
    flows: int
    good: int
    reordered: int
    wrong: tuple[int, ...]
    first: tuple[WrongSample, ...]


class CaptureState(NamedTuple):
    """A capture's settings and what it holds."""

    id: int
    active: int
    start_monotonic_ns: int
    limit: int
    tx_ports: int
    rx_ports: int
    cyclic: int
    matched: int
    fetched: int
    kept: int
    bytes: int
