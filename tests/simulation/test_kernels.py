"""The C kernel does what the plain-Python reference does, and both keep the invariants of coherence."""

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings

from lab.simulation import native, reference
from lab.simulation.errors import SimulationError
from lab.simulation.program import Assembler, Op
from lab.simulation.scene import NEVER, Agent, Outcome, Scene
from lab.simulation.validation.invariants import broken_invariant
from lab.simulation.validation.random_scenes import random_scene
from tests.simulation.scenes import COUNTED, TIMING, counting_scenes, scenes


def one_core(*instructions: tuple[Op, int, int, int], **changes: object) -> Scene:
    program = Assembler()
    for op, a, b, c in instructions:
        program.emit(op, a, b, c)
    scene = Scene((Agent(program.code()),), TIMING, ((0,),), (0, 0), 1, 0, 1_000_000)
    return replace(scene, **changes)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=40)
@given(scenes())
def test_the_kernel_equals_the_reference(scene: Scene) -> None:
    assert native.simulate(scene) == reference.simulate(scene)


@settings(deadline=None, max_examples=20)
@given(scenes())
def test_one_writer_and_time_that_never_goes_back(scene: Scene) -> None:
    assert not broken_invariant(scene)


@settings(deadline=None, max_examples=100)
@given(counting_scenes())
def test_no_store_is_lost(scene: Scene) -> None:
    outcome = native.simulate(scene)
    counted = tuple(stats[COUNTED] for stats in outcome.stats)
    assert min(counted) > 0
    assert outcome.memory == counted


def test_a_modified_line_takes_one_transfer() -> None:
    writer, reader = Assembler(), Assembler()
    writer.emit(Op.MOVI, 0, 5)
    writer.access(Op.STORE, 0, 0)
    writer.emit(Op.HALT)
    reader.emit(Op.MOVI, 1, 100_000)
    reader.emit(Op.TILL, 1)
    reader.access(Op.LOAD, 0, 0)
    reader.emit(Op.COUNT, 0, 0)
    reader.emit(Op.HALT)
    scene = Scene(
        (Agent(writer.code()), Agent(reader.code())),
        replace(TIMING, jitter=0),
        ((0, 50_000), (50_000, 0)),
        (0,),
        1,
        0,
        NEVER,
    )
    outcome = native.simulate(scene)
    assert outcome.stats[1][0] == 5
    assert outcome.clocks_ps[1] == 100_000 + 50_000 + 1  # the load itself was done while it waited


def test_a_core_sees_its_own_stores_before_they_are_committed() -> None:
    program = ((Op.MOVI, 0, 9, 0), (Op.STORE, 0, 0, -1), (Op.LOAD, 1, 0, -1), (Op.COUNT, 0, 1, 0), (Op.HALT, 0, 0, 0))
    outcome = native.simulate(one_core(*program))
    assert outcome.stats[0][0] == 9
    assert outcome.clocks_ps[0] < TIMING.shared_cache_ps  # the line itself was not there yet


def test_a_fence_waits_for_doorbells() -> None:
    program = ((Op.BELL, 80_000, -1, 0), (Op.FENCE, 0, 0, 0), (Op.HALT, 0, 0, 0))
    assert native.simulate(one_core(*program)).clocks_ps[0] >= 80_000
    assert native.simulate(one_core(program[0], program[2])).clocks_ps[0] < 80_000


def test_without_the_kernel_the_reference_runs_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = one_core((Op.INC, 3, 1, -1), (Op.HALT, 0, 0, 0))
    expected = native.simulate(scene)
    monkeypatch.setattr(native, "LIBRARY", tmp_path / "missing.so")
    with pytest.warns(RuntimeWarning, match="make native"):
        assert native.simulate(scene) == expected


@pytest.mark.parametrize("simulate", [native.simulate, reference.simulate])
def test_programs_that_misbehave_are_refused(simulate: Callable[[Scene], Outcome]) -> None:
    with pytest.raises(SimulationError, match="without time passing"):
        simulate(one_core((Op.MOVI, 0, 1, 0), (Op.JMP, 0, 0, 0)))
    with pytest.raises(SimulationError, match="word"):
        simulate(one_core((Op.MOVI, 0, 99, 0), (Op.LOAD, 1, 0, 0), (Op.HALT, 0, 0, 0)))
    with pytest.raises(SimulationError, match="register"):
        simulate(one_core((Op.MOVI, 0, 999, 0), (Op.GETR, 1, 0, 0), (Op.HALT, 0, 0, 0)))


@pytest.mark.parametrize(
    ("scene", "words"),
    [
        (one_core((Op.JMP, 0, 0, 7)), "a position in the program, 0 to 0"),
        (
            one_core((Op.MOVI, 500, 0, 0), (Op.HALT, 0, 0, 0)),
            r"MOVI 500 0 0\): a is 500; it must be a register, 0 to 127",
        ),
        (one_core((Op.MOVI, 0, 1 << 63, 0), (Op.HALT, 0, 0, 0)), "64 bits"),
        (one_core((Op.LOAD, 0, 2, -1), (Op.HALT, 0, 0, 0)), "b is 2; it must be a word, 0 to 1"),
        (one_core((Op.CAS, 0, 0, 127), (Op.HALT, 0, 0, 0)), "c is 127; it must be a register with another behind it"),
        (one_core((Op.HALT, 0, 0, 0), (Op.BELL, -1, -1, 0), (Op.HALT, 0, 0, 0)), "instruction 1 .*a is -1.*duration"),
        (replace(one_core(), agents=(Agent(((99, 0, 0, 0), (0, 0, 0, 0))),)), r"\(99 0 0 0\): there is no such"),
        (replace(one_core(), agents=(Agent(((Op.INC, 0, 0, -1), (0, 0, 0, 0)), device=True),)), "a device has no"),
        (one_core(), "must end"),
        (one_core((Op.MOVI, 0, 0, 0)), "must end"),
        (one_core((Op.HALT, 0, 0, 0), transfer_ps=((-1,),)), "below zero"),
        (one_core((Op.HALT, 0, 0, 0), timing=replace(TIMING, l1_ps=0)), "time would stand still"),
    ],
)
def test_scenes_that_are_not_well_formed_are_refused(scene: Scene, words: str) -> None:
    with pytest.raises(SimulationError, match=words):
        native.simulate(scene)


def test_a_kernel_of_other_sources_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, old = tmp_path / "old.c", tmp_path / "old.so"
    source.write_text("int pixsim_run(const void *scene, void *outcome) { return scene != outcome; }\n")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(old), str(source)], check=True)
    monkeypatch.setattr(native, "LIBRARY", old)
    with pytest.raises(SimulationError, match="make native"):
        native.simulate(one_core((Op.HALT, 0, 0, 0)))


def test_threads_that_simulate_at_once_do_not_disturb_each_other() -> None:
    scenes = [random_scene(Random(seed)) for seed in range(8)]
    alone = [native.simulate(scene) for scene in scenes]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(native.simulate, scenes)) == alone


def test_the_holder_loses_its_line_when_the_snoop_arrives() -> None:
    """A core that stores without end is asked for its line once: it goes on until the snoop reaches it, or the line
    has arrived elsewhere."""
    writer, reader = Assembler(), Assembler()
    writer.emit(Op.MOVI, 1, 1)
    writer.label("again")
    writer.emit(Op.ADDI, 0, 0, 1)
    writer.access(Op.STORE, 0, 0)
    writer.emit(Op.WORK, 1000)
    writer.emit(Op.JMP, c="again")
    reader.emit(Op.MOVI, 1, 100_000)
    reader.emit(Op.TILL, 1)
    reader.access(Op.LOAD, 0, 0)
    reader.emit(Op.COUNT, 0, 0)
    reader.emit(Op.HALT)

    def seen(snoop_ps: int) -> int:
        timing = replace(TIMING, jitter=0, snoop_ps=snoop_ps)
        transfers = ((0, 50_000), (50_000, 0))
        agents = (Agent(writer.code()), Agent(reader.code()))
        return native.simulate(Scene(agents, timing, transfers, (0,), 1, 0, 200_000)).stats[1][0]

    each_ps = 1000 + TIMING.issue_ps
    assert seen(25_000) - seen(0) == pytest.approx(25_000 / each_ps, abs=1)
    assert seen(50_000) - seen(0) == pytest.approx(50_000 / each_ps, abs=1)
    assert seen(80_000) == seen(50_000)


@pytest.mark.parametrize("together", [1, 2, 3])
def test_stores_of_a_line_that_follow_each_other_commit_together(together: int) -> None:
    """12 stores to three words, a fence behind them: with one line all go together, with lines in turn none does."""
    commit_ps = 40_000
    fence, halt = (Op.FENCE, 0, 0, -1), (Op.HALT, 0, 0, 0)
    owning = (*((Op.STORE, 0, word, -1) for word in range(3)), fence)
    stores = tuple((Op.STORE, 0, word, -1) for _ in range(4) for word in range(3))
    timing = replace(TIMING, jitter=0, commit_ps=commit_ps, store_buffer_entries=20, together=together)

    def ended_ps(word_lines: tuple[int, ...], *rest: tuple[int, int, int, int]) -> int:
        scene = Scene((Agent((*owning, *rest, halt)),), timing, ((0,),), word_lines, 1, 0, 10**9)
        assert native.simulate(scene) == reference.simulate(scene)
        return native.simulate(scene).clocks_ps[0]

    def drained_ps(*word_lines: int) -> int:
        return ended_ps(word_lines, *stores, fence) - ended_ps(word_lines)

    assert drained_ps(0, 0, 0) == pytest.approx(12 / together * commit_ps, rel=0.15)
    assert drained_ps(0, 1, 2) == pytest.approx(12 * commit_ps, rel=0.15)


def test_a_load_that_hits_overlaps_with_what_follows_as_one_that_misses() -> None:
    fence = (Op.FENCE, 0, 0, 0)  # nothing runs ahead of it
    program = ((Op.LOAD, 0, 0, -1), fence, (Op.LOAD, 0, 0, -1), (Op.HALT, 0, 0, 0))

    def hit_ps(overlap_ps: int) -> int:
        scene = one_core(*program, timing=replace(TIMING, jitter=0, overlap_ps=overlap_ps))
        alone = one_core(*program[:2], program[3], timing=scene.timing)
        return native.simulate(scene).clocks_ps[0] - native.simulate(alone).clocks_ps[0]

    found = [hit_ps(overlap) for overlap in (0, 600, 5000)]
    assert found == pytest.approx([TIMING.l1_ps, TIMING.l1_ps - 600, TIMING.issue_ps], abs=1)  # time goes on
