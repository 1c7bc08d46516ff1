"""When the frames were sent that were lost: from the numbers of single streams to the loads of a trial."""

from __future__ import annotations

from collections.abc import Sequence

from lab.methods.trial import LossTimes
from lab.traffic.models import LossRecord, Stream, TrafficResult

SOURCE = "vtrex-numbers"


def loss_times(streams: Sequence[Stream], traffic: TrafficResult) -> tuple[LossTimes, ...]:
    """Put together what is known of the streams of each load and direction.

    Args:
        streams: what was asked.
        traffic: what came of it; without ``losses`` where the generator does not verify.

    Returns:
        One record for each load and direction of whose streams every one is known, the first load first. Where a load
        is several streams (tagged ones, a mix), the longest run is that of one of them, and so is the frame time.

    """
    known = {record.pg_id: record for record in traffic.losses}
    groups: dict[tuple[int, int, int], list[int]] = {}
    for stream in streams:
        groups.setdefault((stream.step, stream.tx_port, stream.rx_port), []).append(stream.pg_id)
    return tuple(
        _together(*key, [known[pg_id] for pg_id in pg_ids])
        for key, pg_ids in sorted(groups.items())
        if all(pg_id in known for pg_id in pg_ids)
    )


def _together(step: int, tx_port: int, rx_port: int, records: Sequence[LossRecord]) -> LossTimes:
    begin_s = min(record.first_due_s for record in records)
    lossy = [(record.first_due_s - begin_s, record) for record in records if record.lost_frames]
    late_s, longest = max(lossy, key=lambda one: one[1].longest_frames * one[1].frame_time_s, default=(0.0, records[0]))
    return LossTimes(
        step=step,
        tx_port=tx_port,
        rx_port=rx_port,
        frame_time_s=longest.frame_time_s,
        lost_frames=sum(record.lost_frames for record in records),
        first_lost_at_s=min((after_s + (r.first_lost_at_s or 0.0) for after_s, r in lossy), default=None),
        last_lost_at_s=max((after_s + (r.last_lost_at_s or 0.0) for after_s, r in lossy), default=None),
        longest_at_s=late_s + (longest.longest_at_s or 0.0) if lossy else None,
        longest_frames=longest.longest_frames,
        exact=all(record.exact for record in records),
        source=SOURCE,
    )
