"""The profiles: names, durations and what they promise."""

import pytest

from lab.dut.computed import ComputedDut, Pauses
from lab.errors import UsageError
from lab.methods import mlr, throughput
from lab.methods.load_limit import load_limit
from lab.methods.profiles import PROFILES, QUICK, RFC2544, profile
from lab.methods.repeat import Conditions, TrialEvent
from lab.testbed.behaviour import Behaviour


def test_an_unknown_name_names_the_near_miss() -> None:
    with pytest.raises(UsageError, match="no profile 'quik': did you mean 'quick'"):
        profile("quik")
    assert profile("rfc2544") is RFC2544


def test_the_strict_profile_is_that_of_the_rfc() -> None:
    assert RFC2544.frame_sizes_bytes == (64, 128, 256, 512, 1024, 1280, 1518)
    assert RFC2544.throughput_trial_s >= 60
    assert all(g.final_trial_s >= 60 and g.exceed_ratio == 0 for g in RFC2544.goals)
    assert (RFC2544.latency_repetitions, RFC2544.latency_trial_s) == (20, 120)


def test_a_quick_run_of_a_noisy_dut_takes_about_five_minutes() -> None:
    """Steps: all searches of the profile against a model. Verify: their traffic and overhead add up to 5 minutes."""
    told: list[TrialEvent] = []
    conditions = Conditions(progress=told.append, attempts=20)
    spent_s = 0.0
    for size in QUICK.frame_sizes_bytes:
        limit = load_limit(size, 10.0, 2, 9e6)
        dut = ComputedDut(
            Behaviour(capacity_pps=0.7 * limit.rate_pps, noise_ratio=0.01, interval_ms=1000.0, seed=size),
            pauses=Pauses(chance=0.2, length_s=0.01),
        )
        bounds = mlr.search(dut, QUICK.mlr_plan(size, limit), conditions)["NDR"]
        if size in QUICK.throughput_sizes_bytes:
            throughput.search(dut, QUICK.throughput_plan(size, limit), conditions)
        latency, reordering = QUICK.latency_plan(bounds), QUICK.reordering_plan(bounds)
        assert reordering is not None
        spent_s += len(latency.loads) * latency.repetitions * (latency.trial_duration_s + conditions.overhead_s)
        spent_s += reordering.trial_duration_s + conditions.overhead_s
    spent_s += sum(e.result.request.duration_s + conditions.overhead_s for e in told)
    assert spent_s < 300


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_every_profile_searches_without_complaint(name: str) -> None:
    chosen = profile(name)
    dut = ComputedDut(Behaviour(capacity_pps=4e6))
    limit = load_limit(64, 10.0, 2, 9e6)
    for goal in mlr.search(dut, chosen.mlr_plan(64, limit), Conditions()).values():
        assert goal.lower_pps == pytest.approx(4e6, rel=0.015)
    assert throughput.search(dut, chosen.throughput_plan(64, limit), Conditions()).lower_pps == pytest.approx(
        4e6, rel=0.03
    )


def test_a_search_for_pdr_alone_finds_it_with_fewer_trials() -> None:
    limit = load_limit(64, 10.0, 2, 9e6)
    trials = {}
    for names in (("NDR", "PDR"), ("PDR",)):
        dut = ComputedDut(Behaviour(capacity_pps=6e6, noise_ratio=0.01, interval_ms=1000.0, seed=1))
        found = mlr.search(dut, QUICK.mlr_plan(64, limit, names), Conditions(attempts=20))
        assert tuple(found) == names
        assert found["PDR"].lower_pps == pytest.approx(6e6, rel=0.05)
        trials[names] = len(dut.requests)
    assert trials["PDR",] < trials["NDR", "PDR"]
