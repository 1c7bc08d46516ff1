"""What each structure costs: only those are blamed whose words share lines, and padding the guilty one helps."""

from __future__ import annotations

from lab.simulation import machines
from lab.simulation.layout import Layout, Structure, default
from lab.simulation.prediction import Question, attribute, predict
from lab.simulation.prediction.attribution import sharing
from lab.simulation.workload.case import Case


def ask(layout: Layout) -> Question:
    machine = machines.load("e5-2670x2").with_work(20)
    return Question(machine, "message-ring", layout, Case(cores=3, batch=4, variant="matrix"), seeds=(1,))


def test_structures_share_when_two_cores_write_one_pair_of_lines() -> None:
    assert sharing(default("padded", 4)) == ()
    assert "pool_head" in sharing(default("packed", 4))
    words = [
        Structure(name=name, offset_bytes=at, size_bytes=8, element_stride_bytes=stride, count=count, owner="core")
        for name, at, stride, count in (("a", 0, 256, 4), ("b", 8, 256, 4), ("c", 1024, 64, 2), ("d", 2048, 8, 1))
    ]
    assert sharing(Layout("packed", "here", tuple(words))) == ("c",)  # a and b share lines, each with its own core only


def test_the_structure_that_is_fought_over_gains_most_alone() -> None:
    question = ask(default("packed", 9))
    found = attribute(question, jobs=2)
    assert found.model_copy(update={"structures": ()}) == predict(question).model_copy(update={"structures": ()})
    costs = {each.structure: each for each in found.structures}
    gains = {name: each.gain_pps.median for name, each in costs.items() if each.gain_pps is not None}
    assert max(gains, key=lambda name: gains[name]) in ("packets", "pool_head", "soft_head")
    assert max(gains.values()) > 0.05 * found.rate_pps.median
    assert costs["ring.slot"].gain_pps is None  # no structure of the layout: it shares no line with another one


def test_nothing_is_to_be_gained_where_nothing_is_shared() -> None:
    assert all(each.gain_pps is None for each in attribute(ask(default("padded", 9))).structures)
