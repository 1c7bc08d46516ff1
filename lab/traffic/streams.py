"""From a trial's request to streams: sizes, rates, begin and number of the frames of each direction.

A plain load is one stream without end in each direction. Where the number of frames is what matters (a burst, steps, a
mix), each stream is a burst of exactly as many.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab.methods.trial import LoadStep, TrialRequest
from lab.traffic.frames import sweeps, udp_frame
from lab.traffic.load import Direction
from lab.traffic.models import Arrival, Stream


def streams_for(request: TrialRequest, directions: Sequence[Direction]) -> tuple[Stream, ...]:
    """Turn a request into streams of bulk and, where asked, of tagged frames for each load and direction.

    The load is shared among the directions by their weights. Bulk frames step through all pairs of the two ports'
    hosts, or have random destinations. Of a mix there is a stream for each place in it: place k of n begins k frame
    times late and sends every n-th frame, so that the sizes keep their order while the generator is not late.

    Returns:
        Streams with pg_ids from 1 on, in the order of loads and directions, bulk before tagged.

    Raises:
        UsageError: the frames have no room for their headers.
        ValueError: a number of tagged frames is asked for in a burst or among steps.

    """
    if request.tagged_frames is not None and (request.steps or request.burst_frames is not None):
        raise ValueError("tagged_frames belong to a load without steps, and to no burst: leave one of them away")
    streams: list[Stream] = []
    weights = sum(direction.weight for direction in directions)
    begin_s = 0.0
    for step, load in enumerate(request.loads):
        for direction in directions:
            share = load.model_copy(update={"rate_pps": load.rate_pps * (direction.weight / weights)})
            for stream in _of_load(request, direction, share, _frames(request, step, share)):
                update = {"pg_id": len(streams) + 1, "begin_s": stream.begin_s + begin_s, "step": step}
                streams.append(stream.model_copy(update=update))
        begin_s += load.duration_s
    return tuple(streams)


def _frames(request: TrialRequest, step: int, share: LoadStep) -> int | None:
    """Return how many frames one direction sends under a load; None: as many as fit its duration."""
    if request.burst_frames is not None and step == 0:
        return request.burst_frames
    counted = request.burst_frames is not None or request.steps or request.mix_bytes
    return round(share.rate_pps * share.duration_s) if counted else None


def _of_load(request: TrialRequest, direction: Direction, share: LoadStep, frames: int | None) -> Iterator[Stream]:
    """Yield the streams of one direction under one load, beginning with it."""
    tagged_pps, tagged_frames, after_s = 0.0, None, 0.0
    bulk_pps, bulk_frames = share.rate_pps, frames
    if request.tagged and request.tagged_frames is not None:
        tagged_pps, tagged_frames, after_s = request.tagged_rate_pps, request.tagged_frames, request.tagged_after_s
        bulk_pps = 0.0 if request.tagged_only else bulk_pps
    elif request.tagged:
        tagged_pps = share.rate_pps if request.tagged_only else min(request.tagged_rate_pps, share.rate_pps / 2)
        bulk_pps = share.rate_pps - tagged_pps
        if frames:
            tagged_frames = round(frames * tagged_pps / share.rate_pps)
            bulk_frames = frames - tagged_frames
    if bulk_pps > 0 and bulk_frames != 0:
        bulk = _stream(direction, request.frame_size_bytes, bulk_pps, bulk_frames)
        yield from _mixed(bulk, direction, request.mix_bytes) if request.mix_bytes else [bulk]
    if tagged_pps > 0 and tagged_frames != 0:
        tagged = _stream(direction, request.frame_size_bytes, tagged_pps, tagged_frames, tagged=True)
        yield tagged.model_copy(update={"begin_s": after_s})


def _stream(
    direction: Direction, frame_size_bytes: int, rate_pps: float, frames: int | None, *, tagged: bool = False
) -> Stream:
    return Stream(
        pg_id=0,
        tx_port=direction.tx.port,
        rx_port=direction.rx.port,
        frame=udp_frame(direction, frame_size_bytes, tagged=tagged),
        rate_pps=rate_pps,
        frames=frames,
        tagged=tagged,
        sweeps=() if tagged else sweeps(direction),
        arrival=_arrival(direction),
    )


def _arrival(direction: Direction) -> Arrival | None:
    """Return how frames arrive; None over IPv6, where no generator of ours verifies."""
    if direction.version == 6:
        return None
    return Arrival(src_mac=direction.rx.dut_mac, dst_mac=direction.rx.mac, hops=direction.hops)


def _mixed(stream: Stream, direction: Direction, mix_bytes: Sequence[int]) -> Iterator[Stream]:
    """Yield a stream for each place in a mix of sizes, which together send the frames of ``stream``."""
    places = len(mix_bytes)
    assert stream.frames is not None
    for place, size_bytes in enumerate(mix_bytes):
        frames = (stream.frames - place + places - 1) // places
        if frames > 0:
            yield stream.model_copy(
                update={
                    "frame": udp_frame(direction, size_bytes),
                    "rate_pps": stream.rate_pps / places,
                    "frames": frames,
                    "begin_s": place / stream.rate_pps,
                }
            )
