"""Says which simulated baseline a measured rate agrees with, and how much likelier it is under one than the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lab.errors import UsageError
from lab.models import Model
from lab.simulation.prediction.model import Band
from lab.simulation.predictive import RESOLUTION, holds, likelihood

Consistent = Literal["padded", "packed", "both", "neither", "ceiling"]
RATIO_CAP = 1000.0
"""No likelihood ratio is told beyond it: the model is not known well enough to tell such chances apart."""


@dataclass(frozen=True)
class Expected:
    """What is predicted of one layout: frames a second summed over ports, and what limits most draws."""

    layout: str
    rate_pps: Band
    limited_by: str


@dataclass(frozen=True)
class Measured:
    """What a search found, in frames a second summed over ports.

    ``low_pps`` met the goal and ``high_pps`` did not; None: nothing greater could be asked for, or the loss at the
    upper bound may be the test host's, so that it is only known that the device does at least ``low_pps``.
    """

    low_pps: float
    high_pps: float | None


class Verdict(Model):
    """Whether false sharing, as simulated, explains a measurement.

    Attributes:
        consistent_with: the layouts whose band holds the measured value; "ceiling" when the generator limits it.
        likelihood_ratio: how many times likelier the measurement is under padded than under packed (below 1: the other
            way round), at most 1000 times either way.
        reason: one sentence with the numbers.

    """

    consistent_with: Consistent
    likelihood_ratio: float
    reason: str


def compare(measured: Measured, padded: Expected, packed: Expected, ceiling_pps: float | None) -> Verdict:
    """Compare a measured throughput with what is predicted of both layouts of the same machine.

    Args:
        measured: as the receiver sees it.
        padded: without false sharing.
        packed: with it.
        ceiling_pps: what the generator can send and receive itself; None if unknown.

    Returns:
        "ceiling" when the generator's ceiling lies below both bands, or when the measurement stops at the ceiling and a
        band lies above it; the ratio is then that of at least so much. Bounds within 2 % of a band count as in it.

    Raises:
        UsageError: the predictions are not a pair, or a rate is not above zero.

    """
    if (padded.layout, packed.layout) != ("padded", "packed"):
        raise UsageError(f"verdict: needs a padded and a packed prediction, got {padded.layout} and {packed.layout}")
    rates = (measured.low_pps, measured.high_pps, ceiling_pps, padded.rate_pps.median, packed.rate_pps.median)
    if any(rate is not None and rate <= 0 for rate in rates):
        raise UsageError("verdict: a rate is not above zero")
    both = (padded, packed)
    hidden = ceiling_pps is not None and _generator_limits(measured.low_pps, both, ceiling_pps)
    high_pps = None if hidden else measured.high_pps
    ratio = likelihood_ratio(measured.low_pps, high_pps, padded.rate_pps, packed.rate_pps)
    agrees = [each.layout for each in both if holds(each.rate_pps, measured.low_pps, high_pps)]
    consistent: Consistent = "ceiling" if hidden else _word(agrees)
    reason = f"{_sentence(consistent, measured, both, ceiling_pps)}; {in_words(ratio)}."
    return Verdict(consistent_with=consistent, likelihood_ratio=ratio, reason=reason)


def likelihood_ratio(low: float, high: float | None, padded: Band, packed: Band) -> float:
    """Return how many times likelier a measurement is under padded than under packed, at most 1000 times either way.

    Args:
        low: lower bound of what was measured, above 0.
        high: upper bound; None: at least ``low``.
        padded: prediction without false sharing, in the same unit.
        packed: with it.

    """
    ratio = likelihood(padded, low, high) / likelihood(packed, low, high)
    return min(max(ratio, 1 / RATIO_CAP), RATIO_CAP)


def in_words(ratio: float) -> str:
    """Say a likelihood ratio of padded to packed: ``12 times likelier under padded``."""
    layout, times = ("padded", ratio) if ratio >= 1 else ("packed", 1 / ratio)
    if times < 1.05:
        return "as likely under padded as under packed"
    if times >= RATIO_CAP:
        return f"over {RATIO_CAP:.0f} times likelier under {layout}"
    return f"{times:.{1 if times < 10 else 0}f} times likelier under {layout}"


def _word(agrees: list[str]) -> Consistent:
    if len(agrees) == 2:
        return "both"
    return "neither" if not agrees else "padded" if agrees == ["padded"] else "packed"


def _sentence(
    consistent: Consistent, measured: Measured, both: tuple[Expected, Expected], ceiling_pps: float | None
) -> str:
    bands = " and ".join(f"{each.layout} {_in_mpps(each.rate_pps)}" for each in both) + " Mpps"
    least = "at least " if measured.high_pps is None else ""
    found = f"measured {least}{measured.low_pps / 1e6:.2f} Mpps"
    if consistent == "ceiling":
        assert ceiling_pps is not None, "there is no such verdict without a ceiling"
        return (
            f"{found} is limited by the generator, whose ceiling of {ceiling_pps / 1e6:.2f} Mpps lies below what the "
            f"simulation expects ({bands}), so it cannot tell whether there is false sharing"
        )
    if consistent == "both":
        limits = " and ".join(sorted({each.limited_by for each in both}))
        return f"{found} agrees with both simulated bands ({bands}; limited by {limits}) and cannot tell them apart"
    if consistent == "neither":
        return f"{found} agrees with neither simulated band ({bands})"
    return f"{found} agrees with the simulated band of {consistent} only ({bands})"


def _generator_limits(measured_pps: float, both: tuple[Expected, Expected], ceiling_pps: float) -> bool:
    """Whether the generator, and not the DUT, set the result as far as these bands are concerned."""
    reachable_pps = ceiling_pps * (1 + RESOLUTION)
    beyond = [reachable_pps < each.rate_pps.low for each in both]
    stopped_at_ceiling = measured_pps >= ceiling_pps * (1 - RESOLUTION)
    return all(beyond) or (stopped_at_ceiling and any(beyond))


def _in_mpps(band: Band) -> str:
    return f"{band.low / 1e6:.2f} to {band.high / 1e6:.2f}"


def of_ratio(low: float, high: float, predicted: Band) -> str:
    """Say whether a measured ratio of packed to padded is as predicted.

    Args:
        low: lower bound of the ratio, above 0.
        high: upper bound.
        predicted: 5, 50 and 95 % of the simulated ratio.

    """
    if holds(predicted, low, high):
        return "as simulated"
    return f"{'more' if high < predicted.low else 'less'} false sharing than simulated"
