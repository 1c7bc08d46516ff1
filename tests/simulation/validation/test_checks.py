"""The checks of the simulator itself hold, and fail where something is wrong."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from lab.simulation import native
from lab.simulation.scene import Outcome, Scene
from lab.simulation.validation.conservation import conservation
from lab.simulation.validation.kernels import kernels
from lab.simulation.validation.ping_pong import ping_pongs
from lab.simulation.workload import nic_send

simulate = native.simulate


def test_a_ping_pong_returns_its_latency() -> None:
    check = ping_pongs()
    assert check.holds
    assert check.value is not None
    assert 0 < check.value <= 0.08


def test_a_ping_pong_on_caches_that_are_slower_than_they_say_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def slower(scene: Scene) -> Outcome:
        return simulate(replace(scene, transfer_ps=tuple(tuple(2 * each for each in row) for row in scene.transfer_ps)))

    monkeypatch.setattr(native, "simulate", slower)
    assert ping_pongs().holds is False


def test_the_kernels_agree_and_keep_the_invariants() -> None:
    check = kernels(compared=20, watched=8, counting=15)
    assert check.holds, check.detail


def test_a_kernel_that_differs_or_loses_something_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "simulate", lambda scene: replace(simulate(scene), memory=()))
    check = kernels(compared=2, watched=1, counting=1)
    assert check.holds is False
    assert check.value == 3
    assert check.detail[0] == "random scene 0: the kernels differ"


def test_without_a_kernel_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "available", lambda: False)
    assert kernels().holds is None


def test_packets_are_conserved() -> None:
    check = conservation(draws=1)
    assert check.holds, check.detail


def counting(change: int) -> Callable[[Scene], Outcome]:
    """Return a simulation in which the last port has sent so many frames more."""

    def changed(scene: Scene) -> Outcome:
        outcome = simulate(scene)
        last = list(outcome.stats[-1])
        last[nic_send.SENT] += change
        return replace(outcome, stats=(*outcome.stats[:-1], tuple(last)))

    return changed


@pytest.mark.parametrize(("change", "words"), [(-1, "delivered"), (1, "delivered"), (100_000, "line rate allows")])
def test_a_frame_too_few_or_too_many_is_found(change: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "simulate", counting(change))
    check = conservation(draws=1)
    assert check.holds is False
    assert words in " ".join(check.detail)
