"""Says which simulated baseline a measured throughput agrees with."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from lab.errors import UsageError
from lab.simulation.baseline import Baseline

Consistent = Literal["padded", "packed", "both", "neither", "ceiling"]
TOLERANCE = 0.02  # a search ends within about a percent, and a generator's ceiling is no sharper


class Verdict(BaseModel):
    """Whether false sharing, as simulated, explains a measurement.

    Attributes:
        consistent_with: the layouts whose band holds the measured value; "ceiling" when the generator limits it.
        reason: one sentence with the numbers.

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    consistent_with: Consistent
    reason: str


def compare(measured_pps: float, padded: Baseline, packed: Baseline, ceiling_pps: float | None) -> Verdict:
    """Compare a measured throughput with the baselines of both layouts.

    Args:
        measured_pps: frames a second, summed over ports, as the receiver sees them.
        padded: baseline without false sharing.
        packed: baseline with it, of the same machine and frame size.
        ceiling_pps: what the generator can send and receive itself; None if unknown.

    Returns:
        "ceiling" when the generator's ceiling lies below both bands, or when the measurement stops at the ceiling and a
        band lies above it: then nothing can be told. A value within 2 % of a band counts as in it.

    Raises:
        UsageError: the baselines are not a pair, or a rate is below zero.

    """
    if (padded.layout, packed.layout) != ("padded", "packed"):
        raise UsageError(f"verdict: needs a padded and a packed baseline, got {padded.layout} and {packed.layout}")
    if (padded.machine, padded.frame_size_bytes) != (packed.machine, packed.frame_size_bytes):
        raise UsageError("verdict: the two baselines are of different machines or frame sizes")
    if measured_pps < 0 or (ceiling_pps is not None and ceiling_pps < 0):
        raise UsageError("verdict: a rate is below zero")
    both = (padded, packed)
    bands = f"padded {_band(padded)} and packed {_band(packed)} Mpps"
    found = f"measured {measured_pps / 1e6:.2f} Mpps"
    if ceiling_pps is not None and _generator_limits(measured_pps, both, ceiling_pps):
        return Verdict(
            consistent_with="ceiling",
            reason=f"{found} is limited by the generator, whose ceiling of {ceiling_pps / 1e6:.2f} Mpps lies below "
            f"what the simulation expects ({bands}), so it cannot tell whether there is false sharing.",
        )
    agrees = [each.layout for each in both if _holds(each, measured_pps)]
    if len(agrees) == 2:
        limits = " and ".join(sorted({each.limited_by for each in both}))
        reason = f"{found} lies in both simulated bands ({bands}; limited by {limits}) and cannot tell them apart."
        return Verdict(consistent_with="both", reason=reason)
    if agrees:
        reason = f"{found} lies in the simulated band of {agrees[0]} only ({bands})."
        return Verdict(consistent_with=agrees[0], reason=reason)
    return Verdict(consistent_with="neither", reason=f"{found} lies in neither simulated band ({bands}).")


def _generator_limits(measured_pps: float, bands: tuple[Baseline, Baseline], ceiling_pps: float) -> bool:
    """Whether the generator, and not the DUT, set the result as far as these bands are concerned."""
    reachable_pps = ceiling_pps * (1 + TOLERANCE)
    if all(reachable_pps < band.throughput_pps_low for band in bands):
        return True
    stopped_at_ceiling = measured_pps >= ceiling_pps * (1 - TOLERANCE)
    return stopped_at_ceiling and any(reachable_pps < band.throughput_pps_low for band in bands)


def _holds(band: Baseline, measured_pps: float) -> bool:
    low_pps, high_pps = band.throughput_pps_low, band.throughput_pps_high
    return low_pps * (1 - TOLERANCE) <= measured_pps <= high_pps * (1 + TOLERANCE)


def _band(baseline: Baseline) -> str:
    return f"{baseline.throughput_pps_low / 1e6:.2f} to {baseline.throughput_pps_high / 1e6:.2f}"
