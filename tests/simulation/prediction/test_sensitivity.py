"""Elementary effects: what must drive a rate comes first, what cannot is no more than noise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.errors import UsageError
from lab.simulation import machines
from lab.simulation.layout import default
from lab.simulation.machine import exactly
from lab.simulation.prediction import Question
from lab.simulation.prediction.sensitivity import sensitivity
from lab.simulation.workload.case import Case

TALK = machines.load("e5-2670x2")
ALONE = Question(TALK, "ipv4-routing", default("padded", 1), Case(ports=4, cores=1))


def test_work_and_clock_drive_one_core_alone() -> None:
    found = sensitivity(ALONE, trajectories=3, jobs=2)
    assert [each.number for each in found.effects[:2]] == ["work", "clock"]
    effects = {each.number: each for each in found.effects}
    assert effects["work"].mu_pps == -effects["work"].mu_star_pps
    assert effects["clock"].mu_pps == effects["clock"].mu_star_pps > 0
    assert "far" in effects
    assert effects["far"].mu_star_pps < effects["clock"].mu_star_pps / 10  # one core has no other socket
    assert "store_buffer" not in effects  # known exactly
    assert sensitivity(ALONE, trajectories=3, jobs=1) == found


def test_there_must_be_something_to_vary() -> None:
    with pytest.raises(UsageError, match="1 trajectories"):
        sensitivity(ALONE, trajectories=1)
    known = {name: exactly(each.median, each.unit, each.source) for name, each in TALK.ranges.items()}
    with pytest.raises(UsageError, match="0 numbers"):
        sensitivity(replace(ALONE, machine=replace(TALK, ranges=known)))
