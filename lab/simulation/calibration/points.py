"""The microbenchmarks of a calibration: which are fitted, and which are kept apart to test the fit."""

from __future__ import annotations

from lab.models import Model
from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout
from lab.simulation.workload.built import Workload
from lab.simulation.workload.case import Case
from lab.simulation.workload.counters import Counters, counter_layout
from lab.simulation.workload.spsc import Spsc, Variant, queue_layout

PACKED_BYTES, PADDED_BYTES = 8, 128
ENTRIES = 256  # kernel/ringprobe.c


class Point(Model):
    """One microbenchmark of two cores: a ring, or locked counters where there is no variant.

    ``apart_bytes`` parts the two indices (or counters): below 64 they share a line.
    """

    variant: Variant | None
    batch: int = 1
    apart_bytes: int

    @property
    def text(self) -> str:
        """As kernel/ringprobe.c takes it."""
        if self.variant is None:
            return f"counters:{self.apart_bytes}"
        return f"spsc:{self.variant}:{self.batch}:{self.apart_bytes}"

    @property
    def title(self) -> str:
        """As a person reads it."""
        layout = "packed" if self.apart_bytes < 64 else "padded"
        return f"counters {layout}" if self.variant is None else f"{self.variant} {self.batch} {layout}"

    @property
    def workload(self) -> Workload:
        """What simulates it."""
        return Counters() if self.variant is None else Spsc()

    @property
    def layout(self) -> Layout:
        """Where its shared words lie."""
        return (counter_layout if self.variant is None else queue_layout)(self.apart_bytes)

    @property
    def case(self) -> Case:
        """The rest of what is asked of its workload; the distance of the two cores is the number ``near``."""
        return Case(
            cores=2, ports=2, queue_length=ENTRIES, batch=self.batch, placement="near", variant=self.variant or ""
        )


def _rings(variants: tuple[Variant, ...], batches: tuple[int, ...]) -> tuple[Point, ...]:
    return tuple(
        Point(variant=variant, batch=batch, apart_bytes=apart)
        for variant in variants
        for batch in batches
        for apart in (PACKED_BYTES, PADDED_BYTES)
    )


FITTED = _rings(("lamport",), (1, 16)) + _rings(("cached",), (4, 64))
"""What a calibration looks at."""
HELD_OUT = _rings(("lamport",), (4, 64)) + _rings(("cached",), (1, 16)) + _rings(("batched",), (4, 16, 64))
"""What a fit is tested with; no fit may see it."""
COUNTERS = tuple(Point(variant=None, apart_bytes=apart) for apart in (PACKED_BYTES, PADDED_BYTES))


def point(text: str) -> Point:
    """Return the point that kernel/ringprobe.c calls so.

    Raises:
        SimulationError: there is none.

    """
    for each in (*FITTED, *HELD_OUT, *COUNTERS):
        if each.text == text:
            return each
    raise SimulationError(f"calibration: the probe measured {text!r}, which is no point")
