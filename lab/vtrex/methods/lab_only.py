"""What TRex has not: exact latency, order of arrival, verified frames, the trial report. Not listed to clients."""

from __future__ import annotations

import base64
import zlib
from typing import Any

from lab.vtrex import messages as m
from lab.vtrex import params as p
from lab.vtrex import verification
from lab.vtrex.flows import Group
from lab.vtrex.generator import Generator
from lab.vtrex.latency import bucket_value, encode_histogram
from lab.vtrex.port import parse_mac
from lab.vtrex.rpc import INVALID_PARAMS, RpcError, refuse
from lab.vtrex.verification import Arrival

MAX_ARRIVALS = 1 << 20


def _latency_group(generator: Generator, params: p.Params) -> Group:
    pg_id = p.integer(params, "pg_id", high=2**32 - 1)
    group = generator.flows.find(pg_id)
    if group is None or group.kind is not m.FlowKind.LATENCY:
        raise refuse(f"pg_id {pg_id} is no latency stream")
    return group


def pixlab_get_latency(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Return the latency of a group since its last start; nanoseconds, HdrHistogram V2 in base64.

    ``variation`` is that of the delay from one frame to the next (RFC 3393), of frames with successive numbers both of
    which came, and neither out of order: signed ``min_ns`` and ``max_ns``; mean and histogram of the absolute values.
    """
    hw_id = _latency_group(generator, params).hw_id
    counters, buckets = generator.engine.latency(hw_id)
    return {
        "count": counters.received,
        "min_ns": counters.minimum_ns,
        "max_ns": counters.maximum_ns,
        "mean_ns": counters.sum_ns / counters.received if counters.received else 0.0,
        "over_10s": counters.over_range,
        "negative": counters.negative,
        "old_generation": counters.old_generation,
        "hdr": encode_histogram(buckets),
        "variation": _variation(generator, hw_id),
    }


def _variation(generator: Generator, hw_id: int) -> dict[str, Any]:
    counters, buckets = generator.engine.variation(hw_id)
    return {
        "count": counters.pairs,
        "min_ns": counters.minimum_ns,
        "max_ns": counters.maximum_ns,
        "mean_abs_ns": counters.absolute_sum_ns / counters.pairs if counters.pairs else 0.0,
        "over_10s": counters.over_range,
        "hdr": encode_histogram(buckets),
    }


def pixlab_get_sequence(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Return loss, duplication and reordering of a group since its last start, exact within stated bounds (RFC 4737).

    ``numbered`` frames left, ``received`` of them arrived at least once, ``lost`` never; all of them are told apart as
    long as a frame is not ``window`` or more numbers late: such a one is ``too_old``, and nothing else. ``extent`` is
    that of section 4.2 in first copies, ``histogram`` exact below 2048 and to a thousandth above (lowest value of a
    bucket); ``unknown`` frames came after more than ``gaps`` further gaps in the numbers. ``never_sent`` arrived with
    numbers that were not given yet.
    """
    counters, extents = generator.engine.sequence(_latency_group(generator, params).hw_id)
    known = counters.reordered - counters.extent_unknown
    return {
        "numbered": counters.numbered,
        "received": counters.distinct,
        "lost": counters.numbered - counters.distinct,
        "duplicates": counters.duplicates,
        "reordered": counters.reordered,
        "too_old": counters.too_old,
        "never_sent": counters.never_sent,
        "extent": {
            "max": counters.extent_max,
            "mean": counters.extent_sum / known if known else 0.0,
            "unknown": counters.extent_unknown,
            "histogram": {str(bucket_value(index)): count for index, count in extents},
        },
        "window": counters.window,
        "gaps": counters.gaps,
    }


def pixlab_get_arrivals(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Return a group's frames in their order of arrival since its last start, ``limit`` of them from ``offset`` on.

    ``seqs`` are their sequence numbers (from 0; u32), ``delays_ns`` their delays (u32; 2^32 - 1: so long or longer),
    and ``times_ns`` their times of arrival since the begin of the trial (u64): base64 of zlib of little-endian arrays.
    A reply has at most 2^20 frames.
    """
    hw_id = _latency_group(generator, params).hw_id
    offset, limit = p.integer(params, "offset", 0), p.integer(params, "limit", MAX_ARRIVALS)
    found = generator.engine.arrivals(hw_id, offset, min(limit, MAX_ARRIVALS))
    return {
        "received": found.received,
        "recorded": found.recorded,
        "sent": found.sent,
        "seqs": _packed(found.numbers),
        "delays_ns": _packed(found.delays),
        "times_ns": _packed(found.times),
    }


def _packed(array: bytes) -> str:
    return base64.b64encode(zlib.compress(array, 1)).decode()


def pixlab_get_losses(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Return for each verified stream of the last or running trial which of its frames never came, and their times.

    ``numbered`` frames have numbers from 0 on, in the order of the schedule: those that left, and those that the device
    refused, which thus are lost (``lost`` = ``numbered`` - received); those that the engine was too late for have none.
    ``first``, ``last`` and ``longest`` (the longest run of successive numbers, ``frames`` of them; the earlier of two
    alike) are None without a loss. ``at_ns`` is when that frame was due, since the stream's first frame was, which was
    ``first_due_ns`` after the begin of the trial; ``frame_time_ns`` is the distance of its frames.

    Numbers are exact once nothing is under way, whatever was reordered or came twice. Times are, while ``times_exact``:
    not after a change of rate, nor after 256 bursts or times at which frames were too late.
    """
    streams: list[dict[str, Any]] = []
    by_flow = {group.flow: group for group in generator.flows.groups()}
    for found in generator.engine.losses():
        group = by_flow.get(found.flow)
        if group is None:
            continue
        longest = {"number": found.longest_first, "at_ns": found.longest_ns, "frames": found.longest}
        streams.append(
            {
                "pg_id": group.pg_id,
                "tx_port": found.tx_port,
                "rx_port": found.rx_port,
                "numbered": found.numbered,
                "lost": found.lost,
                "first": {"number": found.first, "at_ns": found.first_ns} if found.lost else None,
                "last": {"number": found.last, "at_ns": found.last_ns} if found.lost else None,
                "longest": longest if found.lost else None,
                "first_due_ns": found.first_due_ns,
                "frame_time_ns": found.frame_time_ns,
                "times_exact": bool(found.times_exact),
            }
        )
    return {"streams": sorted(streams, key=lambda stream: stream["pg_id"])}


def pixlab_get_trial_report(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Return what the last or running trial intended, sent and suffered."""
    generator.collect_ended()
    return generator.trial.report()


def pixlab_verify(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Let received frames of the named flows be compared with the sent ones from the next start on.

    Holds until the flow's stream is removed. ``streams`` has an object for each flow: ``pg_id``, ``rx_port``, and
    ``src_mac``, ``dst_mac`` and ``hops`` as the frames show them there.
    """
    arrivals = []
    for entry in p.array(params, "streams"):
        if not isinstance(entry, dict):
            raise RpcError(INVALID_PARAMS, "an element of 'streams' is an object")
        pg_id, hops = p.integer(entry, "pg_id", high=2**32 - 1), p.integer(entry, "hops", high=254)
        group = generator.flows.find(pg_id)
        if group is None or len(group.streams) != 1:
            raise refuse(f"pg_id {pg_id} is not that of exactly one stream")
        rx_port = p.integer(entry, "rx_port")
        if rx_port >= len(generator.ports):
            raise refuse(f"there is no port {rx_port}; there are {len(generator.ports)}")
        port_id, profile, stream_id = next(iter(group.streams))
        verification.check(generator.ports[port_id].profiles[profile].streams[stream_id], hops)
        arrivals.append((group, Arrival(rx_port, _mac(entry, "src_mac"), _mac(entry, "dst_mac"), hops)))
    for group, arrival in arrivals:
        group.arrival = arrival
    return {}


def _mac(entry: p.Params, name: str) -> bytes:
    mac = parse_mac(p.string(entry, name))
    if mac is None:
        raise refuse(f"{name} '{entry[name]}' is no MAC address")
    return mac


METHODS = {
    "pixlab_verify": pixlab_verify,
    "pixlab_get_latency": pixlab_get_latency,
    "pixlab_get_sequence": pixlab_get_sequence,
    "pixlab_get_arrivals": pixlab_get_arrivals,
    "pixlab_get_losses": pixlab_get_losses,
    "pixlab_get_trial_report": pixlab_get_trial_report,
}
