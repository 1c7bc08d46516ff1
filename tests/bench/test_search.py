"""The bench of the searches: both sides find the truth, with the confidence that the goals ask for."""

import pytest

from lab.bench.search import DEVICES, MAX_PPS, bisect, by_bisection, by_search, device
from lab.methods.goals import NDR, STRICT
from lab.methods.profiles import QUICK


@pytest.mark.parametrize("name", ["clean", "noisy", "collapse"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_both_sides_find_the_truth_and_the_search_in_half_the_time(name: str, seed: int) -> None:
    ours = by_search(device(name, seed), QUICK.goals)
    plain = by_bisection(device(name, seed), QUICK.goals)
    for goal, found_pps, plain_pps in zip(QUICK.goals, ours.found_pps, plain.found_pps, strict=True):
        truth_pps = device(name, seed).truth_pps(goal.loss_ratio, goal.final_trial_s)
        assert found_pps == pytest.approx(truth_pps, rel=0.005)
        assert plain_pps == pytest.approx(truth_pps, rel=0.005)
    assert ours.traffic_s < 0.5 * plain.traffic_s


def test_a_bisection_measures_no_load_longer_than_its_classification_takes() -> None:
    """Eleven seconds without loss of 21 decide under an exceed ratio of a half; one lossy trial decides under 0."""
    dut = device("clean", 1)
    bisect(dut, NDR, MAX_PPS)
    loads = [request.rate_pps for request in dut.requests]
    assert {loads.count(load) for load in loads} == {11}
    strict = device("clean", 1)
    bisect(strict, STRICT, MAX_PPS)
    assert len({r.rate_pps for r in strict.requests}) == len(strict.requests)
    assert all(r.duration_s == STRICT.final_trial_s for r in strict.requests)


def test_bisection_at_both_ends() -> None:
    assert bisect(device("clean", 1), NDR, 100_000.0) == 100_000.0
    lossy = device("bursts", 1)
    lossy.behaviour = lossy.behaviour.model_copy(
        update={"lose": DEVICES["bursts"].lose.model_copy(update={"every": 1})}
    )
    lossy.begin()
    assert bisect(lossy, NDR, 1e5) == 0.0
