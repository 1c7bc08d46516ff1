"""The counts of the single loads of a trial with steps."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from lab.methods.trial import DirectionCount, StepCount
from lab.traffic.models import Stream, TrafficResult


def step_counts(
    streams: Sequence[Stream], traffic: TrafficResult, directions: Sequence[DirectionCount]
) -> tuple[StepCount, ...]:
    """Add up the streams of each load and direction.

    What the device behind a port refused was sent and lost (see DirectionCount). It is counted by stream where frames
    are verified. Elsewhere a stream that sent less than its number of frames is the one that was refused them: each
    load gets its share of the refused frames by what it fell short.

    Args:
        streams: what was asked, each with a number of frames.
        traffic: what came of it.
        directions: of the same trial.

    Returns:
        One count for each load and direction, the first load first.

    """
    counted = {count.pg_id: count for count in traffic.streams}
    numbered = {record.pg_id: record.numbered_frames for record in traffic.losses}
    found: dict[tuple[int, int, int], StepCount] = {}
    short: dict[tuple[int, int, int], int] = {}
    for stream in streams:
        key = (stream.step, stream.tx_port, stream.rx_port)
        before = found.get(key) or StepCount(
            step=stream.step, tx_port=stream.tx_port, rx_port=stream.rx_port, sent_frames=0, received_frames=0
        )
        count = counted[stream.pg_id]
        sent = before.sent_frames + count.sent_frames
        received = before.received_frames + count.received_frames
        found[key] = before.model_copy(update={"sent_frames": sent, "received_frames": received})
        offered = numbered.get(stream.pg_id, stream.intended_frames(traffic.duration_s))
        short[key] = short.get(key, 0) + max(0, offered - count.sent_frames)
    for direction in directions:
        keys = [key for key in found if key[1:] == (direction.tx_port, direction.rx_port)]
        for key, refused in zip(keys, _shared(direction.refused_frames, [short[key] for key in keys]), strict=True):
            found[key] = found[key].model_copy(update={"sent_frames": found[key].sent_frames + refused})
    return tuple(found[key] for key in sorted(found))


def _shared(total: int, weights: Sequence[int]) -> list[int]:
    """Share a whole number out by weights, so that the parts add up to it; all to the first where they are all 0."""
    if not sum(weights):
        return [total, *(0 for _ in weights[1:])] if weights else []
    bounds = [0]
    for place in range(1, len(weights) + 1):
        bounds.append(total * sum(weights[:place]) // sum(weights))
    return [after - before for before, after in itertools.pairwise(bounds)]
