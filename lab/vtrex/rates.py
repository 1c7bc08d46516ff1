"""Rates of streams and the arithmetic of TRex's multipliers. Pure functions; frame sizes here include the FCS."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lab.vtrex.rpc import refuse

LAYER_1_OVERHEAD_BYTES = 20  # preamble, start delimiter, inter-frame gap
LINE_RATE_TOLERANCE = 1.0001
LOWEST_PPS, HIGHEST_PPS = 1e-6, 1e10  # beyond them the engine's schedule would not fit its integers


@dataclass(frozen=True)
class Load:
    """What a stream sends at multiplier 1. ``scales`` is false for latency streams: no multiplier changes them."""

    rate_pps: float
    size_bytes: float  # the mean, where frames differ
    scales: bool

    @property
    def l2_bps(self) -> float:
        """Bits a second of frames with FCS."""
        return self.rate_pps * self.size_bytes * 8

    @property
    def l1_bps(self) -> float:
        """Bits a second on the line."""
        return self.rate_pps * (self.size_bytes + LAYER_1_OVERHEAD_BYTES) * 8


def stream_rate_pps(kind: str, value: float, size_bytes: float, line_rate_bps: float) -> float:
    """Turn a stream's ``rate`` (pps, bps_L1, bps_L2, percentage of line rate) into frames a second.

    Raises:
        RpcError: the kind is unknown or the rate not above 0.

    """
    l1_bits = (size_bytes + LAYER_1_OVERHEAD_BYTES) * 8
    divisors = {"pps": 1.0, "bps_L2": size_bytes * 8.0, "bps_L1": l1_bits, "percentage": l1_bits * 100 / line_rate_bps}
    if kind not in divisors:
        raise refuse(f"rate type '{kind}' is none of {', '.join(divisors)}")
    if not value > 0:
        raise refuse(f"a stream's rate must be above 0, not {value}")
    return value / divisors[kind]


@dataclass(frozen=True)
class Demand:
    """What is sent at a moment, at multiplier 1: by streams that scale, and by those that do not.

    Each is (frames a second, L2 bits a second, L1 bits a second).
    """

    fixed: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scaling: tuple[float, float, float] = (0.0, 0.0, 0.0)


def demand(loads: Iterable[Load]) -> Demand:
    """Return what these streams send at once."""
    sums = {True: [0.0, 0.0, 0.0], False: [0.0, 0.0, 0.0]}
    for load in loads:
        for i, value in enumerate((load.rate_pps, load.l2_bps, load.l1_bps)):
            sums[load.scales][i] += value
    return Demand((sums[False][0], sums[False][1], sums[False][2]), (sums[True][0], sums[True][1], sums[True][2]))


def factor_for(demands: Sequence[Demand], kind: str, value: float, line_rate_bps: float) -> float:
    """Return the factor by which the scaling streams must be multiplied so that the port sends what ``mul`` asks for.

    Latency streams do not scale, so factor = (asked - fixed) / scaling (trex-protocol 2.5, start_traffic). Of several
    moments the one with the most counts.

    Raises:
        RpcError: unknown kind, or less asked for than the latency streams alone send.

    """
    if kind == "raw":
        if not value > 0:
            raise refuse(f"multiplier must be above 0, not {value}")
        return value
    measures = {"pps": 0, "bps": 1, "bpsl1": 2, "percentage": 2}
    if kind not in measures:
        raise refuse(f"multiplier type '{kind}' is none of raw, {', '.join(measures)}")
    asked, measure = (value / 100 * line_rate_bps if kind == "percentage" else value), measures[kind]
    factors = []
    for moment in demands:
        fixed, scaling = moment.fixed[measure], moment.scaling[measure]
        if not asked > fixed and (scaling > 0 or asked < fixed):
            raise refuse(f"the latency streams enforce a minimum rate of {fixed:g}; {asked:g} was asked for")
        if scaling > 0:
            factors.append((asked - fixed) / scaling)
    return min(factors, default=1.0)


def scaled_rates_pps(loads: Sequence[Load], factor: float) -> list[float]:
    """Return the rate of each stream under a factor.

    Raises:
        RpcError: one of them is outside of what the engine can schedule.

    """
    rates_pps = [load.rate_pps * factor if load.scales else load.rate_pps for load in loads]
    for rate_pps in rates_pps:
        if not LOWEST_PPS <= rate_pps <= HIGHEST_PPS:
            raise refuse(f"a stream would send {rate_pps:g} pps; {LOWEST_PPS:g} to {HIGHEST_PPS:g} are possible")
    return rates_pps


def highest(demands: Sequence[Demand], factor: float = 1.0) -> tuple[float, float, float]:
    """Return the highest (frames, L2 bits, L1 bits) a second of all moments under a factor."""
    totals = [[f + factor * s for f, s in zip(each.fixed, each.scaling, strict=True)] for each in demands]
    most = [max((total[i] for total in totals), default=0.0) for i in range(3)]
    return most[0], most[1], most[2]
