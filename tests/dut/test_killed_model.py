"""A DUT that is killed in the middle of a trial with real links: a reason, and never a number."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab import paths
from lab.dut.model import ModelForwarder
from lab.errors import LabError
from lab.methods import throughput
from lab.methods.repeat import Conditions, TooDisturbed, TrialEvent
from lab.methods.trial import Measurer, TrialRequest, TrialResult
from tests.traffic.behind_a_model import measuring

RATE_PPS = 4000.0
KILLED_IN = 1  # trial, counted from 0


class Doing:
    """A measurer during one of whose trials something is done, 0.4 s after its begin."""

    def __init__(self, measurer: Measurer, action: Callable[[], None], number: int) -> None:
        self.measurer = measurer
        self.action = action
        self.number = number
        self.trials = 0

    def measure(self, request: TrialRequest) -> TrialResult:
        timer = threading.Timer(0.4, self.action)
        if self.trials == self.number:
            timer.start()
        self.trials += 1
        try:
            return self.measurer.measure(request)
        finally:
            timer.cancel()


@contextmanager
def killed_in_the_middle(folder: Path) -> Iterator[Doing]:
    if not (paths.NATIVE / "vtrex-engine").exists() or not (paths.NATIVE / "model-dut").exists():
        pytest.skip("native programs are not built: run 'make native'")
    with measuring(folder) as (measurer, model):
        yield Doing(measurer, lambda: os.kill(_pid(model), signal.SIGKILL), KILLED_IN)


def _pid(model: ModelForwarder) -> int:
    return model._process.pid


def search(measurer: Measurer, conditions: Conditions) -> object:
    plan = throughput.ThroughputPlan(
        frame_size_bytes=64, max_rate_pps=RATE_PPS, trial_duration_s=0.6, resolution_ratio=0.05, repetitions=3
    )
    return throughput.search(measurer, plan, conditions)


def test_a_dut_that_is_killed_ends_the_method_with_a_reason(tmp_path: Path) -> None:
    """Steps: SIGKILL to the model in the second trial. Verify: that one and all after it do not count, and say why."""
    told: list[TrialEvent] = []
    with killed_in_the_middle(tmp_path) as doing, pytest.raises(LabError) as failure:
        search(doing, Conditions(progress=told.append, attempts=3))
    assert isinstance(failure.value, TooDisturbed)
    assert "the link of port" in str(failure.value)
    assert len(str(failure.value).splitlines()) == 1
    assert len(told) > KILLED_IN
    for event in told[KILLED_IN:]:
        assert any(reason.startswith("the link of port") for reason in event.result.invalid)
