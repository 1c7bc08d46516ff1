"""What a model DUT does to frames, as data: the known truth that a generator and a method are judged by."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from lab.document import Record

Count = Annotated[int, Field(ge=0, le=1 << 32)]
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(ge=0, le=1e9)]
Nanoseconds = Annotated[int, Field(ge=0, le=10_000_000_000)]


class Picks(Record):
    """Which frames of a direction something happens to, by their numbers; 0 is the first one after the begin.

    ``frames`` lists them in ascending order; of ``every`` n it is n-1, 2n-1, ...; ``ratio`` draws each by chance. Each
    time it happens to ``burst_frames`` in a row.
    """

    frames: tuple[Count, ...] = ()
    every: Count = 0
    ratio: Share = 0.0
    burst_frames: Annotated[int, Field(ge=1, le=1 << 32)] = 1

    @field_validator("frames")
    @classmethod
    def _ascend(cls, frames: tuple[int, ...]) -> tuple[int, ...]:
        if any(later <= earlier for earlier, later in pairwise(frames)):
            raise ValueError("list the numbers of frames in ascending order, each once")
        return frames

    @property
    def none(self) -> bool:
        """Whether no frame is picked."""
        return not (self.frames or self.every or self.ratio)


class Behaviour(Record):
    """What happens to a frame, in this order. The same ``seed`` has the same frames picked and the same jitter.

    - ``lose``: it is gone.
    - ``capacity_pps``: it passes a server for all directions together, behind a queue of ``queue_frames``, and is lost
      (tail drop) when that is full; 0 is no limit. In each interval of ``interval_ms`` the capacity is another: it
      varies by a normal distribution of standard deviation ``noise_ratio``, and with the chance ``slow_share`` it is
      ``slow_pps``. After a tail drop it is ``overloaded_pps`` at most, until less than ``recovery_pps`` come in an
      interval; 0 for ``overloaded_pps`` is no such thing.
    - ``hops``: its addresses become those of the next link, and the TTL is less by this, as a router (1) or a forwarder
      in layer 2 (0) has it. Nothing else of a frame is looked at.
    - ``delay_ns`` passes, and ``jitter_ns`` at most on top, evenly distributed. Where it ``keeps_order``, a frame then
      waits for those before it.
    - ``move``: it goes out behind the next ``move_places`` frames that are not moved themselves (or after 0.5 s without
      any), or else ``move_ns`` later, with others passing it.
    - ``duplicate``: unless it was moved, a copy goes out right behind it.
    """

    seed: Count = 1
    lose: Picks = Picks()
    capacity_pps: Rate = 0.0
    queue_frames: Annotated[int, Field(ge=1, le=1 << 20)] = 1024
    noise_ratio: Share = 0.0
    slow_pps: Rate = 0.0
    slow_share: Share = 0.0
    interval_ms: Annotated[float, Field(gt=0, le=1e6)] = 10.0
    overloaded_pps: Rate = 0.0
    recovery_pps: Rate = 0.0
    hops: Annotated[int, Field(ge=0, le=1)] = 1
    delay_ns: Nanoseconds = 0
    jitter_ns: Nanoseconds = 0
    keeps_order: bool = True
    move: Picks = Picks()
    move_places: Annotated[int, Field(ge=0, le=10_000)] = 0
    move_ns: Nanoseconds = 0
    duplicate: Picks = Picks()

    @model_validator(mode="after")
    def _is_whole(self) -> Behaviour:
        if self.move.none != (self.move_places == self.move_ns == 0) or (self.move_places and self.move_ns):
            raise ValueError("move and one of move_places and move_ns go together: say which frames, and how far")
        if self.slow_share and not self.slow_pps:
            raise ValueError("slow_share needs slow_pps, the other capacity")
        if self.overloaded_pps and not self.recovery_pps:
            raise ValueError("overloaded_pps needs recovery_pps, the load below which it recovers")
        if not self.capacity_pps and (self.noise_ratio or self.slow_pps or self.overloaded_pps):
            raise ValueError("noise_ratio, slow_pps and overloaded_pps need capacity_pps")
        return self
