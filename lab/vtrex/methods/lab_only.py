"""What TRex has not: exact latency, order of arrival, and the report on a trial. Not listed to clients."""

from __future__ import annotations

import base64
import zlib
from typing import Any

from lab.vtrex import messages as m
from lab.vtrex import params as p
from lab.vtrex.flows import Group
from lab.vtrex.generator import Generator
from lab.vtrex.latency import encode_histogram
from lab.vtrex.rpc import refuse

MAX_ARRIVALS = 4 << 20


def _latency_group(generator: Generator, params: p.Params) -> Group:
    pg_id = p.integer(params, "pg_id", high=2**32 - 1)
    group = generator.flows.find(pg_id)
    if group is None or group.kind is not m.FlowKind.LATENCY:
        raise refuse(f"pg_id {pg_id} is no latency stream")
    return group


def pixlab_get_latency(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Return the latency of a group since its last start; nanoseconds, HdrHistogram V2 in base64."""
    counters, buckets = generator.engine.latency(_latency_group(generator, params).hw_id)
    return {
        "count": counters.received,
        "min_ns": counters.minimum_ns,
        "max_ns": counters.maximum_ns,
        "mean_ns": counters.sum_ns / counters.received if counters.received else 0.0,
        "over_10s": counters.over_range,
        "old_generation": counters.old_generation,
        "hdr": encode_histogram(buckets),
    }


def pixlab_get_arrivals(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Return the sequence numbers (from 0) of a group's frames in their order of arrival since its last start."""
    hw_id = _latency_group(generator, params).hw_id
    offset, limit = p.integer(params, "offset", 0), p.integer(params, "limit", MAX_ARRIVALS)
    received, recorded, sent, seqs = generator.engine.arrivals(hw_id, offset, min(limit, MAX_ARRIVALS))
    packed = base64.b64encode(zlib.compress(seqs, 1)).decode()
    return {"received": received, "recorded": recorded, "sent": sent, "seqs": packed}


def pixlab_get_trial_report(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Return what the last or running trial intended, sent and suffered."""
    generator.collect_ended()
    return generator.trial.report()


METHODS = {
    "pixlab_get_latency": pixlab_get_latency,
    "pixlab_get_arrivals": pixlab_get_arrivals,
    "pixlab_get_trial_report": pixlab_get_trial_report,
}
