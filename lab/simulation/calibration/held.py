"""What a core holds in flight, out of its curves, and which numbers of the machine follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lab.models import Model
from lab.simulation.calibration.capacity import FILLERS, Curve, Filler
from lab.simulation.calibration.spread import Spread, spread
from lab.simulation.calibration.step import last_that_fits
from lab.simulation.machine import Range

RESOURCES: Mapping[Filler, str] = {
    "nops": "reorder buffer",
    "registers": "physical registers",
    "stores": "store buffer",
    "loads": "line fill buffers",
}
"""What each kind of instruction fills."""
SLOWEST, USUAL, FASTEST = 2, 3, 4
"""Instructions a cycle that programs of this kind run at, which turns a window of instructions into one of cycles."""
WRITING = 2  # instructions for one that writes a register
SOURCE = "measured: pixlab calibrate, what fits between two misses"


class Held(Model):
    """How many instructions of a kind one core holds in flight, by kind; ``unknown`` says why one is not known."""

    most: dict[Filler, Spread]
    unknown: dict[Filler, str]

    def line(self) -> str:
        """Return all of it for a person."""
        reasons = set(self.unknown.values())
        if not self.most and len(reasons) == 1:
            return f"unknown, the priors stay ({reasons.pop()})"
        return "; ".join(
            f"{what} {self.most[filler].median:.0f}"
            if filler in self.most
            else f"{what} unknown, its prior stays ({self.unknown[filler]})"
            for filler, what in RESOURCES.items()
        )


def held(curves: Sequence[Curve], missing: str = "") -> Held:
    """Find the jump in every curve; a kind is known where more than half of its curves have one.

    Args:
        curves: of all kinds.
        missing: why there is no curve.

    """
    most: dict[Filler, Spread] = {}
    unknown: dict[Filler, str] = {}
    for filler in FILLERS:
        fits = [last_that_fits(each.counts, each.ticks) for each in curves if each.filler == filler]
        found = [count for count in fits if count is not None]
        if 2 * len(found) > len(fits):
            most[filler] = spread(found)
        else:
            unknown[filler] = f"{len(fits) - len(found)} of {len(fits)} curves have no jump" if fits else missing
    return Held(most=most, unknown=unknown)


def ranges(held: Held, priors: Mapping[str, Range]) -> dict[str, Range]:
    """Return the numbers of the machine that are known better than their priors.

    The store buffer is as measured. Line fill buffers bound ``misses``, which is fitted below them: they serve stores
    and prefetches, too. The window is what the reorder buffer holds, or the physical registers where they are used up
    before (about every second instruction of a ring or of forwarding writes one: stores, compares that jump and jumps
    do not), divided by the instructions a cycle: that is how long the core runs on past a load.
    """
    known = {}
    if "stores" in held.most:
        stores = held.most["stores"]
        known["store_buffer"] = Range(stores.low, stores.median, stores.high, "stores", SOURCE)
    if "loads" in held.most:
        most = held.most["loads"].high
        low = min(priors["misses"].low, most)
        known["misses"] = Range(low, (low + most) / 2, most, "lines", f"{SOURCE}, at most")
    if "nops" in held.most and "registers" in held.most:
        entries, registers = held.most["nops"], held.most["registers"]
        known["window"] = Range(
            min(entries.low, WRITING * registers.low) / FASTEST,
            min(entries.median, WRITING * registers.median) / USUAL,
            min(entries.high, WRITING * registers.high) / SLOWEST,
            "cycles",
            f"{SOURCE}; {SLOWEST} to {FASTEST} instructions a cycle",
        )
    return known
