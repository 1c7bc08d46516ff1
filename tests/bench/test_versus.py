"""Comparisons go forth and back, one contender at a time; what the host disturbed counts for none of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from lab.bench import versus
from lab.bench.contenders import Contender
from lab.bench.cycles import cycles_a_packet
from lab.bench.turns import in_turns
from lab.dut.computed import ComputedDut, Pauses
from lab.methods.repeat import TooDisturbed
from lab.testbed.behaviour import Behaviour

LINE_GBPS = 10.0
ROUNDS = 4


def contender(name: str, log: list[str], model: ComputedDut) -> Contender:
    return Contender(name, model, start=lambda: log.append(f"+{name}"), stop=lambda: log.append(f"-{name}"))


def turns_of(
    contenders: Sequence[Contender], measure: Callable[[Contender], float]
) -> tuple[dict[str, list[float]], float]:
    return in_turns(contenders, measure, rounds=ROUNDS, words=str, probe_ns=lambda: 50.0)


def test_turns_go_forth_and_back_and_only_one_forwards_at_a_time() -> None:
    log: list[str] = []
    model = ComputedDut(Behaviour(capacity_pps=1e6))
    pair = [contender("a", log, model), contender("b", log, model)]
    rates, c2c_ns = turns_of(pair, lambda each: 2.0 if each.name == "a" else 1.0)
    once = ["+a", "-a", "+b", "-b", "+b", "-b", "+a", "-a"]
    assert log == once * (ROUNDS // 2)
    assert rates == {"a": [2.0] * ROUNDS, "b": [1.0] * ROUNDS}
    assert c2c_ns == 50.0


def test_a_round_that_was_disturbed_counts_for_neither() -> None:
    turns: list[str] = []

    def measure(each: Contender) -> float:
        turns.append(each.name)
        if len(turns) == 2:
            raise TooDisturbed("the host slept")
        return float(len(turns))

    pair = [contender(name, [], ComputedDut(Behaviour(capacity_pps=1e6))) for name in "ab"]
    rates, _ = turns_of(pair, measure)
    assert [len(values) for values in rates.values()] == [ROUNDS - 1] * 2


def test_with_most_rounds_disturbed_there_is_no_result() -> None:
    def measure(each: Contender) -> float:
        raise TooDisturbed(f"the host slept while {each.name} ran")

    log: list[str] = []
    with pytest.raises(TooDisturbed, match=f"0 of {ROUNDS} rounds"):
        turns_of([contender("a", log, ComputedDut(Behaviour(capacity_pps=1e6)))], measure)
    assert log == ["+a", "-a"] * ROUNDS


def test_the_pdr_of_a_known_forwarder_is_found() -> None:
    found_pps = versus.pdr_pps(contender("a", [], ComputedDut(Behaviour(capacity_pps=3e6))), LINE_GBPS)
    assert found_pps == pytest.approx(3e6 / 0.995, rel=0.01)


def test_a_generator_that_ends_before_the_forwarder_gives_what_it_can() -> None:
    found_pps = versus.pdr_pps(
        contender("a", [], ComputedDut(Behaviour(capacity_pps=9e6), generator_pps=5e6)), LINE_GBPS
    )
    assert 4e6 < found_pps <= 5e6


def test_the_greatest_rate_of_a_forwarder_is_what_it_forwards_under_overload() -> None:
    known = replace(contender("a", [], ComputedDut(Behaviour(capacity_pps=1e6))), ceiling_pps=4e6)
    assert versus.greatest_received_pps(known) == pytest.approx(1e6, rel=0.01)


def counting(model: ComputedDut) -> Contender:
    return Contender("a", model, counted=lambda: (300, 5))


def test_cycles_a_packet_are_those_of_a_trial_in_which_the_core_was_not_taken_away() -> None:
    model = ComputedDut(Behaviour(capacity_pps=9e6))
    assert cycles_a_packet(counting(model)) == 60.0
    assert len(model.requests) == 1


def test_there_are_no_cycles_a_packet_where_each_trial_was_disturbed() -> None:
    with pytest.raises(TooDisturbed, match="off its core for 100 ms"):
        cycles_a_packet(counting(ComputedDut(Behaviour(capacity_pps=9e6), pauses=Pauses(chance=1.0, length_s=0.1))))
