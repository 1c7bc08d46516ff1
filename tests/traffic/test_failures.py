"""A generator or a DUT that dies in the middle of a method costs it an invalid trial or two: the next one counts."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from lab import paths, session
from lab.dut.reference_model import ModelDut
from lab.dut.subject import known
from lab.methods.repeat import Conditions, TrialEvent, Trials
from lab.methods.trial import TrialRequest
from lab.testbed import load
from lab.testbed.resources import Reference
from lab.traffic import serving
from lab.traffic.restartable import RestartableGenerator
from lab.traffic.trex import TrexGenerator
from lab.traffic.vtrex import VtrexServer
from tests.traffic.test_paused_engine import engine_of
from tests.vtrex.serving import PATIENT

pytestmark = pytest.mark.skipif(
    not (paths.NATIVE / "vtrex-engine").exists() or not (paths.NATIVE / "model-dut").exists(),
    reason="native programs are not built: run 'make native'",
)

REQUEST = TrialRequest(frame_size_bytes=64, rate_pps=2_000.0, duration_s=1.0, tagged=False)


def patient(options: Sequence[str], **more: Any) -> VtrexServer:
    """Start a generator whose trials count whatever else runs on this machine."""
    return VtrexServer([*options, *PATIENT, "--gap-limit-us", "1000000"], **more)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[session.Session]:
    testbed = load("reference-model")
    assert isinstance(testbed.dut.machine, Reference)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "VtrexServer", patient)
        with session.use(testbed, known(testbed.dut.machine), tmp_path_factory.mktemp("failures"), print) as used:
            yield used


def server_of(used: session.Session) -> VtrexServer:
    assert isinstance(used.generator, RestartableGenerator)
    assert isinstance(used.generator._present, TrexGenerator)
    server = used.generator._present._server
    assert isinstance(server, VtrexServer)
    return server


def model_of(used: session.Session) -> ModelDut:
    assert isinstance(used.deployed.dut, ModelDut)
    return used.deployed.dut


def kill_engine(used: session.Session) -> None:
    os.kill(engine_of(server_of(used)), signal.SIGKILL)


def kill_dut(used: session.Session) -> None:
    model_of(used).model._process.kill()


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("kill", "says"),
    [
        (kill_engine, "the generator failed: vtrex ended with exit code 14"),
        (kill_dut, "the DUT failed: model-dut does not answer"),
    ],
)
def test_what_dies_in_a_trial_is_started_anew(
    used: session.Session, kill: Callable[[session.Session], None], says: str
) -> None:
    told: list[TrialEvent] = []
    trials = Trials(used.measurer, Conditions(progress=told.append, recover=used.recover), "test")
    timer = threading.Timer(0.6, kill, [used])  # in the midst of the trial, or a little before: it dies all the same
    timer.start()
    result = trials.measure(REQUEST)
    timer.join()
    assert not result.invalid
    assert result.sent_frames == 2000
    failed = [event.result for event in told[:-1]]
    assert failed
    assert any(reason.startswith(says) for trial in failed for reason in trial.invalid)
    assert all(trial.invalid for trial in failed)
    assert not trials.measure(REQUEST).invalid
