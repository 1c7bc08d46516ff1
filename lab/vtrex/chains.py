"""What follows what: the schedule of a profile's streams as far as it can be told beforehand. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lab.vtrex.rates import Demand, Load, demand
from lab.vtrex.rpc import refuse
from lab.vtrex.streams import Plan

SHORTEST_RUN_US = 0.1  # of bursts that are repeated, gap included; faster ones the engine could never catch up with


@dataclass(frozen=True)
class Span:
    """From the first to the last frame of a stream on its first turn; ``end_us`` is infinite when it never ends."""

    place: int
    begin_us: float
    end_us: float


def followers(plans: Mapping[int, Plan]) -> list[int | None]:
    """Return for each stream, by its place, the place of the one that follows it.

    Raises:
        RpcError: one is to be followed by a stream that is not there, or none starts by itself.

    """
    places = {stream_id: place for place, stream_id in enumerate(plans)}
    for stream_id, plan in plans.items():
        if plan.next_id is not None and plan.next_id not in places:
            raise refuse(f"stream {stream_id} is followed by stream {plan.next_id}, which is not there or not enabled")
    if not any(plan.self_start for plan in plans.values()):
        raise refuse("no enabled stream of this profile starts by itself (self_start)")
    return [None if plan.next_id is None else places[plan.next_id] for plan in plans.values()]


def length_us(plan: Plan, rate_pps: float) -> float:
    """Return the time from the first to the last frame of a stream."""
    if plan.is_continuous or plan.bursts == 0:
        return math.inf
    return plan.bursts * (plan.burst_frames - 1) / rate_pps * 1e6 + (plan.bursts - 1) * plan.burst_gap_us


def _walk(root: int, plans: Sequence[Plan], after: Sequence[int | None]) -> tuple[list[int], int | None]:
    """Return the places on the way from a stream that starts by itself, and where on it the way comes back."""
    way: list[int] = []
    seen: dict[int, int] = {}
    place: int | None = root
    while place is not None and place not in seen:
        seen[place] = len(way)
        way.append(place)
        ends = not plans[place].is_continuous and plans[place].bursts != 0 and plans[place].loops != 1
        place = after[place] if ends else None
    return way, None if place is None else seen[place]


def check_pace(plans: Sequence[Plan], after: Sequence[int | None], rates_pps: Sequence[float]) -> None:
    """Refuse what repeats without taking time.

    Raises:
        RpcError: a loop of streams, or the bursts of one, are shorter than SHORTEST_RUN_US each.

    """
    for plan, rate_pps in zip(plans, rates_pps, strict=True):
        run_us = (plan.burst_frames - 1) / rate_pps * 1e6 + plan.burst_gap_us
        if plan.bursts != 1 and run_us < SHORTEST_RUN_US:
            raise refuse(f"a burst and the gap behind it take {run_us:g} us, expected {SHORTEST_RUN_US:g} at least")
    for root, plan in enumerate(plans):
        way, back = _walk(root, plans, after) if plan.self_start else ([], None)
        if back is None:
            continue
        loop = way[back:]
        loop_us = sum(length_us(plans[place], rates_pps[place]) + plans[place].gap_before_us for place in loop)
        if loop_us < SHORTEST_RUN_US * sum(plans[place].bursts for place in loop):
            raise refuse(f"a loop of {len(loop)} streams takes {loop_us:g} us; each burst needs {SHORTEST_RUN_US:g} us")


def spans(plans: Sequence[Plan], after: Sequence[int | None], rates_pps: Sequence[float]) -> list[Span]:
    """Return when each stream has its first turn, from each stream that starts by itself on."""
    found = []
    for root, plan in enumerate(plans):
        at_us = 0.0
        for place in _walk(root, plans, after)[0] if plan.self_start else []:
            begin_us = at_us + plans[place].gap_before_us
            at_us = begin_us + length_us(plans[place], rates_pps[place])
            found.append(Span(place, begin_us, at_us))
    return found


def demands(turns: Sequence[Span], loads: Sequence[Load | None]) -> list[Demand]:
    """Return what is sent at the moments at which a stream begins; streams without a load (None) send nothing.

    A stream that begins with the last frame of another one comes after it, not beside it.
    """
    sending = [(turn, load) for turn in turns if (load := loads[turn.place]) is not None]
    if all(turn.end_us == math.inf for turn, _ in sending):
        return [demand(load for _, load in sending)]
    changes = []
    for turn, load in sending:
        changes.append((turn.begin_us, 1, load))
        changes.append((turn.end_us, 0 if turn.end_us > turn.begin_us else 2, load))
    sums = {True: [0.0] * 4, False: [0.0] * 4}
    moments = set()
    for _, kind, load in sorted(changes, key=lambda change: change[:2]):
        total, sign = sums[load.scales], 1.0 if kind == 1 else -1.0
        for k, value in enumerate((1.0, load.rate_pps, load.l2_bps, load.l1_bps)):
            total[k] += sign * value
        if total[0] == 0:
            total[:] = [0.0] * 4  # what rounding has left
        if kind == 1:
            fixed, scaling = sums[False], sums[True]
            moments.add(Demand((fixed[1], fixed[2], fixed[3]), (scaling[1], scaling[2], scaling[3])))
    return list(moments)
