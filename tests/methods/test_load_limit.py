"""The load that a search may ask for never exceeds line rate, ceiling, or what the generator really offers."""

import pytest

from lab.dut.computed import ComputedDut
from lab.errors import GeneratorError
from lab.methods.load_limit import load_limit, offerable
from lab.methods.repeat import Conditions, TrialEvent
from lab.methods.trial import TrialRequest, TrialResult
from lab.methods.validity import judge
from lab.testbed.behaviour import Behaviour, Picks


def test_line_rate_of_both_directions() -> None:
    limit = load_limit(64, 10.0, 2, None)
    assert limit.rate_pps == pytest.approx(2 * 14_880_952, abs=1)
    assert limit.words == "line rate or more"
    assert load_limit(1518, 40.0, 1, None).rate_pps == pytest.approx(3_250_975, abs=1)


def test_the_lower_of_line_rate_and_ceiling() -> None:
    low = load_limit(64, 10.0, 2, 9e6)
    assert (low.rate_pps, low.words) == (9e6, "generator ceiling or more")
    assert low.line_rate_pps > 29e6
    assert load_limit(1518, 10.0, 2, 9e6).limited_by == "line rate"


def test_a_limit_that_the_generator_keeps_to_stays() -> None:
    limit = load_limit(64, 10.0, 2, 9e6)
    assert offerable(ComputedDut(Behaviour(capacity_pps=8e6), generator_pps=9e6), limit, 64, Conditions()) == limit


def test_a_dut_that_takes_far_less_lowers_the_limit_to_somewhat_above_what_it_forwards() -> None:
    limit = offerable(
        ComputedDut(Behaviour(capacity_pps=1e6), generator_pps=9e6), load_limit(64, 10.0, 2, 9e6), 64, Conditions()
    )
    assert limit.rate_pps == pytest.approx(1.5e6, rel=0.01)
    assert limit.words == "greatest load tried or more"
    assert limit.ceiling_pps == 9e6


def test_a_generator_that_does_less_towards_the_dut_lowers_the_limit() -> None:
    told: list[TrialEvent] = []
    conditions = Conditions(progress=told.append)
    dut = ComputedDut(Behaviour(capacity_pps=20e6), generator_pps=6e6)
    limit = offerable(dut, load_limit(64, 10.0, 2, 9e6), 64, conditions)
    assert limit.rate_pps == pytest.approx(0.95 * dut.requests[-1].rate_pps)  # room to make up for a pause
    assert 0.9 * 6e6 < limit.rate_pps <= 6e6
    assert limit.limited_by == "generator ceiling"
    assert limit.ceiling_pps == limit.rate_pps
    assert judge(dut.measure(dut.requests[-1]), conditions.limits) == ()
    assert [bool(e.result.invalid) for e in told] == [True, True, False]


def test_one_shortfall_may_be_chance() -> None:
    class Once(ComputedDut):
        def measure(self, request: TrialRequest) -> TrialResult:
            self.generator_pps = 4e6 if not self.requests else 9e6
            return super().measure(request)

    limit = load_limit(64, 10.0, 2, 9e6)
    assert offerable(Once(Behaviour(capacity_pps=20e6)), limit, 64, Conditions()) == limit


def test_a_generator_that_sends_nothing_is_an_error_of_the_generator() -> None:
    with pytest.raises(GeneratorError, match="keeps to no rate at 64 bytes"):
        offerable(
            ComputedDut(Behaviour(capacity_pps=1e6), generator_pps=1e-3),
            load_limit(64, 10.0, 2, None),
            64,
            Conditions(),
        )


def test_a_generator_that_always_falls_short_is_an_error_of_the_generator() -> None:
    class Sagging(ComputedDut):
        def measure(self, request: TrialRequest) -> TrialResult:
            self.generator_pps = 0.9 * request.rate_pps
            return super().measure(request)

    with pytest.raises(GeneratorError, match=r"it sent 90\.0 %"):
        offerable(Sagging(Behaviour(capacity_pps=1e6)), load_limit(64, 10.0, 2, None), 64, Conditions())


def test_a_generator_without_its_core_is_an_error_and_no_result() -> None:
    """What it could find at a thousandth of its rate would not be the DUT's."""
    limit = load_limit(64, 10.0, 2, 9e6)
    with pytest.raises(GeneratorError, match="keeps to no rate"):
        offerable(ComputedDut(Behaviour(capacity_pps=1e9), generator_pps=9e3), limit, 64, Conditions())


def test_a_slow_dut_does_not_make_a_generator_that_falls_short_once_more_one_without_its_core() -> None:
    """An emulated router takes a hundredth of what the generator has proved to offer it."""

    class Sagging(ComputedDut):
        def measure(self, request: TrialRequest) -> TrialResult:
            self.generator_pps = 0.99 * request.rate_pps if len(self.requests) in (1, 2) else 9e6
            return super().measure(request)

    limit = offerable(Sagging(Behaviour(capacity_pps=5e4)), load_limit(64, 10.0, 2, 9e6), 64, Conditions())
    assert 5e4 < limit.rate_pps < 7.5e4


def test_a_generator_that_falls_far_short_of_its_ceiling_ends_at_what_it_sends() -> None:
    class Tiring(ComputedDut):
        """Sends a little less each time, of which a few frames are lost."""

        def measure(self, request: TrialRequest) -> TrialResult:
            self.generator_pps *= 0.998
            return super().measure(request)

    dut = Tiring(Behaviour(lose=Picks(every=1000)), generator_pps=8.5e6)
    limit = offerable(dut, load_limit(64, 10.0, 2, 23e6), 64, Conditions())
    assert 0.9 * 8.5e6 < limit.rate_pps <= 8.5e6
    assert limit.limited_by == "generator ceiling"
