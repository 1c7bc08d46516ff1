"""Verdicts: which band holds a measurement, when the generator hides the answer, how likely each layout makes it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import UsageError
from lab.simulation.prediction.model import Band
from lab.simulation.predictive import likelihood, share_below
from lab.simulation.verdict import RATIO_CAP, Expected, Measured, compare, in_words, likelihood_ratio

RATES = st.floats(1e5, 1e8)
STEPS = st.floats(1.0, 4.0)


def expected(layout: str, low_mpps: float, high_mpps: float) -> Expected:
    middle = (low_mpps + high_mpps) / 2
    return Expected(layout, Band(low=low_mpps * 1e6, median=middle * 1e6, high=high_mpps * 1e6), "cpu")


@st.composite
def bands(draw: st.DrawFn) -> Band:
    low, up, further = draw(RATES), draw(STEPS), draw(STEPS)
    return Band(low=low, median=low * up, high=low * up * further)


PADDED, PACKED = expected("padded", 10, 14), expected("packed", 4, 6)


@pytest.mark.parametrize(
    ("measured_mpps", "ceiling_mpps", "said"),
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
def test_verdicts(measured_mpps: float, ceiling_mpps: float | None, said: str) -> None:
    ceiling_pps = None if ceiling_mpps is None else ceiling_mpps * 1e6
    verdict = compare(Measured(measured_mpps * 1e6, measured_mpps * 1e6), PADDED, PACKED, ceiling_pps)
    assert verdict.consistent_with == said
    for number in (f"{measured_mpps:.2f}", "10.00 to 14.00", "4.00 to 6.00", in_words(verdict.likelihood_ratio)):
        assert number in verdict.reason
    assert verdict.reason.count(". ") == 0  # one sentence
    if said == "ceiling":
        assert "generator" in verdict.reason
        assert "cannot tell" in verdict.reason
    if said in ("padded", "packed"):
        assert f"under {said}" in verdict.reason


def test_bands_that_overlap_cannot_be_told_apart() -> None:
    verdict = compare(Measured(5e6, 5e6), expected("padded", 4, 9), PACKED, None)
    assert verdict.consistent_with == "both"


def test_a_bracket_agrees_with_what_it_reaches() -> None:
    assert compare(Measured(6.5e6, 7e6), PADDED, PACKED, None).consistent_with == "neither"
    assert compare(Measured(5.5e6, 10e6), PADDED, PACKED, None).consistent_with == "both"


def test_at_least_so_much_excludes_what_is_less_only() -> None:
    """A search that was stopped by what could be asked for, or by the test host."""
    least = compare(Measured(8e6, None), PADDED, PACKED, None)
    assert least.consistent_with == "padded"
    assert least.likelihood_ratio > 10
    assert "at least 8.00 Mpps" in least.reason
    assert compare(Measured(1e6, None), PADDED, PACKED, None).likelihood_ratio == pytest.approx(1.0)


def test_a_result_at_the_ceiling_is_a_lower_bound() -> None:
    verdict = compare(Measured(5e6, 5.05e6), PADDED, PACKED, 5e6)
    assert verdict.likelihood_ratio == likelihood_ratio(5e6, None, PADDED.rate_pps, PACKED.rate_pps) < 3


def test_predictions_that_are_no_pair_are_refused() -> None:
    with pytest.raises(UsageError, match="padded and a packed"):
        compare(Measured(5e6, 5e6), PACKED, PADDED, None)
    with pytest.raises(UsageError, match="not above zero"):
        compare(Measured(0, 5e6), PADDED, PACKED, None)


@given(bands(), RATES)
def test_the_three_points_of_a_prediction_are_kept(band: Band, rate: float) -> None:
    wide = min(band.median / band.low, band.high / band.median) > 1.03  # above the resolution of a search
    for point, share in ((band.low, 0.05), (band.median, 0.5), (band.high, 0.95)) if wide else ():
        assert share_below(band, point) == pytest.approx(share, abs=1e-6)
    assert 0 <= share_below(band, rate) <= share_below(band, rate * 1.1) <= 1


@given(bands(), RATES, STEPS)
def test_a_likelihood_is_a_probability_and_never_nothing(band: Band, low: float, width: float) -> None:
    assert 0 < likelihood(band, low, low * width) <= 1
    assert 0 < likelihood(band, low, None) <= 1
    assert likelihood(band, low, low * width) <= likelihood(band, low / 1.5, low * width * 1.5)


@given(bands(), bands(), RATES, STEPS)
def test_layouts_are_treated_alike(one: Band, other: Band, low: float, width: float) -> None:
    for high in (low * width, None):
        there, back = likelihood_ratio(low, high, one, other), likelihood_ratio(low, high, other, one)
        assert there * back == pytest.approx(1.0)
        assert 1 / RATIO_CAP <= there <= RATIO_CAP
        assert likelihood_ratio(low, high, one, one) == 1.0


@given(bands(), st.floats(2.0, 10.0), st.floats(0, 1), st.floats(0, 1))
def test_more_speaks_for_the_faster_layout(packed: Band, gap: float, first: float, second: float) -> None:
    """Between the two medians a greater rate is never less likely under the faster layout."""
    padded = Band(low=packed.low * gap, median=packed.median * gap, high=packed.high * gap)
    span = math.log(gap / 1.1)
    rates = [packed.median * 1.05 * math.exp(share * span) for share in sorted((first, second))]
    ratios = [likelihood_ratio(rate, rate, padded, packed) for rate in rates]
    assert ratios[0] <= ratios[1] * (1 + 1e-9)


@given(bands(), bands(), st.floats(20.0, 100.0))
def test_what_lies_far_off_both_tells_nothing(padded: Band, packed: Band, factor: float) -> None:
    for rate in (max(padded.high, packed.high) * factor, min(padded.low, packed.low) / factor):
        verdict = compare(Measured(rate, rate), Expected("padded", padded, ""), Expected("packed", packed, ""), None)
        assert verdict.consistent_with == "neither"
    narrow = Band(low=0.9e6, median=1e6, high=1.1e6)
    assert likelihood_ratio(factor * 1e6, factor * 1e6, narrow, narrow.model_copy(update={"high": 1.2e6})) == (
        pytest.approx(1.0, abs=0.01)
    )


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (12.3, "12 times likelier under padded"),
        (1.0, "as likely under padded as under packed"),
        (0.4, "2.5 times likelier under packed"),
        (1000.0, "over 1000 times likelier under padded"),
        (0.001, "over 1000 times likelier under packed"),
    ],
)
def test_ratios_in_words(ratio: float, words: str) -> None:
    assert in_words(ratio) == words
