"""The schedule of a profile: what its streams send together, and how they are told to the engine."""

from __future__ import annotations

from collections.abc import Sequence

from lab.vtrex import chains
from lab.vtrex import messages as m
from lab.vtrex.flows import FlowTable
from lab.vtrex.port import Port, Running
from lab.vtrex.rates import Demand, Load, scaled_rates_pps
from lab.vtrex.streams import Stream


def loads(port: Port, streams: Sequence[Stream]) -> list[Load]:
    """Return what each stream sends at multiplier 1."""
    return [stream.load(port.line_rate_bps) for stream in streams]


def turns(port: Port, streams: Sequence[Stream]) -> list[chains.Span]:
    """Return when each stream has its first turn at multiplier 1.

    Raises:
        RpcError: a stream is to be followed by one that is not there, or none starts by itself.

    """
    after = chains.followers({stream.stream_id: stream.plan for stream in streams})
    rates_pps = [load.rate_pps for load in loads(port, streams)]
    return chains.spans([stream.plan for stream in streams], after, rates_pps)


def demands(port: Port, streams: Sequence[Stream]) -> list[Demand]:
    """Return what the streams send at each moment at which one begins, at multiplier 1.

    Raises:
        RpcError: see turns().

    """
    sent = [None if stream.is_dummy else load for stream, load in zip(streams, loads(port, streams), strict=True)]
    return chains.demands(turns(port, streams), sent)


def expected(port: Port, running: Running) -> list[Demand]:
    """Return the demands of running traffic at its multiplier 1."""
    return demands(port, running.streams)


def rates_pps(port: Port, running: Running) -> list[float]:
    """Return the rate of each stream as it is now, paused or not.

    Raises:
        RpcError: one of them is outside of what the engine can schedule, or repeats without taking time.

    """
    each = loads(port, running.streams)
    factors = [running.factors.get(stream.stream_id, running.factor) for stream in running.streams]
    rates = [scaled_rates_pps([load], factor)[0] for load, factor in zip(each, factors, strict=True)]
    plans = {stream.stream_id: stream.plan for stream in running.streams}
    chains.check_pace(list(plans.values()), chains.followers(plans), rates)
    return rates


def packed(port: Port, running: Running, flows: FlowTable) -> list[bytes]:
    """Return the stream_spec of each stream; flows with a rule begin a new generation.

    Raises:
        RpcError: see rates_pps().

    """
    specs = []
    after = chains.followers({stream.stream_id: stream.plan for stream in running.streams})
    for stream, rate_pps, follower in zip(running.streams, rates_pps(port, running), after, strict=True):
        group = flows.find(stream.rule.pg_id) if stream.rule else None
        flow, generation = (m.NO_FLOW, 0) if group is None else (group.flow, flows.next_start(group))
        verify = b"" if group is None or group.arrival is None else group.arrival.packed()
        place = m.NO_STREAM if follower is None else follower
        specs.append(stream.packed(rate_pps, place, port.mac, port.peer_mac, flow, generation, verify))
    return specs
