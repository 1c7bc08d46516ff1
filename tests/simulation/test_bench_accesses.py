"""The description of what a turn of the microbenchmark ``forward`` accesses is what the compiled code does."""

from __future__ import annotations

import json
import subprocess
from copy import deepcopy
from pathlib import Path

import pytest

from lab.simulation import accesses
from lab.simulation.accesses import Description
from lab.simulation.workload.bench_forward import BENCH_ACCESSES
from tests.image import hostlib
from tests.simulation.turns.form import canonical, difference, of_trace
from tests.simulation.turns.forward import ForwardCore
from tests.simulation.turns.forward_program import ForwardPrograms
from tests.simulation.turns.mutation import matches, unnoticed, with_more, without, without_condition
from tests.simulation.turns.programs import excess, of_code
from tests.simulation.turns.walk import Frame, Ring, Turn

# Cores, batch, length, and whose turn it is: alone, in step, and one alone until the rings to the others are full.
RUNS = (
    (1, 8, 32, "1111111"),
    (1, 40, 16, "111"),
    (2, 1, 4, "12121212111111112121212"),
    (2, 8, 16, "112211111111211212222222221122"),
    (3, 8, 16, "12312311111111231123"),
)


def record(program: Path, description: Description, cores: int, batch: int, length: int, order: str) -> list[Turn]:
    """Trace turns of cores in this order; their state is carried on by the description's own walk."""
    words = [str(program), str(cores), str(batch), str(length), *order]
    *blocks, last = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split("\n\n")
    assert json.loads(last)["wrong"] == 0  # the benchmark's own word on order and content of what arrived
    others = {core: [other for other in range(1, cores + 1) if other != core] for core in range(1, cores + 1)}
    states = {
        core: ForwardCore(
            core=core,
            batch=batch,
            ring_length=length,
            to={peer: Ring() for peer in others},  # the one to itself is used by wrong descriptions only
            origin={peer: Ring() for peer in others[core]},
        )
        for core in others
    }
    under_way: dict[tuple[int, int], list[Frame]] = {(a, b): [] for a in others for b in others[a]}
    turns: list[Turn] = []
    for i, (turn, block) in enumerate(zip(order, blocks, strict=True)):
        core, (head, *lines) = int(turn), block.splitlines()
        arrived = [Frame(i * batch + n, int(to)) for n, to in enumerate(head.split()[1:])]
        state = states[core]
        state.taken_by_peer = {peer: states[peer].origin[core].next for peer in others[core]}
        state.find(arrived, {peer: list(under_way[peer, core]) for peer in others[core]})
        name = f"{cores} cores, batch {batch}, length {length}: turn {i} of {order}"
        turns.append(Turn(name, deepcopy(state), canonical(description, of_trace(lines))))
        before = {peer: state.origin[peer].next for peer in others[core]}
        state.expect(description.turn)
        for peer in others[core]:
            del under_way[peer, core][: state.origin[peer].next - before[peer]]
            under_way[core, peer] += state.crossed.get(peer, [])
    return turns


@pytest.fixture(scope="module")
def description() -> Description:
    return accesses.load(BENCH_ACCESSES)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return hostlib.programs(tmp_path_factory.mktemp("traced"), "bench-traced")


@pytest.fixture(scope="module", params=["padded", "packed"])
def runs(request: pytest.FixtureRequest, programs: dict[str, Path], description: Description) -> list[list[Turn]]:
    return [record(programs[request.param], description, *run) for run in RUNS]


@pytest.fixture(scope="module")
def turns(runs: list[list[Turn]]) -> list[Turn]:
    return [turn for run in runs for turn in run]


def test_the_compiled_code_does_what_the_description_says(turns: list[Turn], description: Description) -> None:
    for turn in turns:
        assert difference(turn.expected(description), turn.traced) == "", turn.name


def test_every_access_that_is_removed_is_noticed(turns: list[Turn], description: Description) -> None:
    assert matches(turns, description)
    assert unnoticed(turns, description, without(description.turn)) == []


def test_an_access_too_many_is_noticed_wherever_it_stands(turns: list[Turn], description: Description) -> None:
    assert matches(turns, description)
    assert unnoticed(turns, description, with_more(description.turn)) == []


def test_every_condition_that_is_left_out_is_noticed(turns: list[Turn], description: Description) -> None:
    assert matches(turns, description)
    lines = BENCH_ACCESSES.read_text(encoding="utf-8").splitlines()
    found = [lines[line - 1].strip() for line in unnoticed(turns, description, without_condition(description.turn))]
    assert found == ["- if: own port", "- if: own ones"]  # what crossed always is for the own port


def test_the_simulated_program_gives_loops_and_conditions_their_meaning(
    runs: list[list[Turn]], description: Description
) -> None:
    for (cores, batch, length, _), turns in zip(RUNS, runs, strict=True):
        simulated = ForwardPrograms(description, cores, batch, length)
        for turn in turns:
            assert isinstance(turn.before, ForwardCore)
            assert excess(simulated.turn(turn.before), of_code(turn.traced, description)) == {}, turn.name
