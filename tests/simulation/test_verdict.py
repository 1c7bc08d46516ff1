"""Verdicts: which band holds a measurement, and when the generator hides the answer."""

import pytest

from lab.errors import UsageError
from lab.simulation.baseline import Baseline
from lab.simulation.verdict import compare


def band(layout: str, low_mpps: float, high_mpps: float) -> Baseline:
    return Baseline.model_validate(
        {
            "machine": "host",
            "layout": layout,
            "frame_size_bytes": 64,
            "throughput_pps_low": low_mpps * 1e6,
            "throughput_pps_median": (low_mpps + high_mpps) / 2 * 1e6,
            "throughput_pps_high": high_mpps * 1e6,
            "limited_by": "cpu",
            "parameters": {},
            "model_version": "test",
        }
    )


PADDED, PACKED = band("padded", 10, 14), band("packed", 4, 6)


@pytest.mark.parametrize(
    ("measured_mpps", "ceiling_mpps", "expected"),
    [
        (12, None, "padded"),
        (12, 20, "padded"),
        (5, 20, "packed"),
        (8, 20, "neither"),
        (30, 40, "neither"),
        (9.9, 20, "padded"),  # within the resolution of a search
        (3, 3.1, "ceiling"),  # the generator reaches no band
        (1, 3, "ceiling"),
        (5, 5, "ceiling"),  # it reached packed, but nobody knows how much more there was
        (5, 8, "packed"),  # well below the generator's ceiling: the DUT stopped it
        (12, 12, "padded"),  # at the ceiling, but no band lies above
    ],
)
def test_verdicts(measured_mpps: float, ceiling_mpps: float | None, expected: str) -> None:
    ceiling_pps = None if ceiling_mpps is None else ceiling_mpps * 1e6
    verdict = compare(measured_mpps * 1e6, PADDED, PACKED, ceiling_pps)
    assert verdict.consistent_with == expected
    for number in (f"{measured_mpps:.2f}", "10.00 to 14.00", "4.00 to 6.00"):
        assert number in verdict.reason
    assert verdict.reason.count(". ") == 0  # one sentence
    if expected == "ceiling":
        assert "generator" in verdict.reason
        assert "cannot tell" in verdict.reason


def test_bands_that_overlap_cannot_be_told_apart() -> None:
    verdict = compare(5e6, band("padded", 4, 9), PACKED, None)
    assert verdict.consistent_with == "both"


def test_baselines_that_are_no_pair_are_refused() -> None:
    with pytest.raises(UsageError, match="padded and a packed"):
        compare(5e6, PACKED, PADDED, None)
    with pytest.raises(UsageError, match="frame sizes"):
        compare(5e6, PADDED, PACKED.model_copy(update={"frame_size_bytes": 128}), None)
    with pytest.raises(UsageError, match="below zero"):
        compare(-1, PADDED, PACKED, None)
