"""Predictions of forwarding for many frame sizes from one simulation.

Cores look at headers only, so what they can do does not depend on the size; line rate, PCIe and devices do. A draw is
simulated with the smallest frames, which bring the most packets, and bounded by the caps of the size asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from lab.simulation.caps import SMALLEST_FRAME_BYTES, caps_pps
from lab.simulation.prediction.draw import Draw, draws
from lab.simulation.prediction.model import Prediction
from lab.simulation.prediction.predictor import samples, summary
from lab.simulation.prediction.question import Question
from lab.simulation.prediction.sample import Sample

REMEMBERED = 64


def predict_forwarding(question: Question) -> Prediction:
    """Predict a forwarding workload under full load; without latencies, which are those of the smallest frames.

    Questions that differ in the frame size only are simulated once a process, one draw after the other.

    Raises:
        SimulationError: the case does not fit the workload, the machine or the layout.

    """
    smallest = replace(question, case=question.case.model_copy(update={"frame_size_bytes": SMALLEST_FRAME_BYTES}))
    found = _simulated(smallest)
    return summary(question, _bounded(question, draws(question), found), {})


@lru_cache(maxsize=REMEMBERED)
def _simulated(question: Question) -> tuple[Sample, ...]:
    return samples(question)


def forget() -> None:
    """Drop what was simulated, so that the next question is simulated anew."""
    _simulated.cache_clear()


def _bounded(question: Question, drawn: Sequence[Draw], found: Sequence[Sample]) -> list[Sample]:
    case, machine = question.case, question.machine
    bounded = []
    for draw, sample in zip(drawn, found, strict=True):
        caps = caps_pps(draw.numbers, case.ports, machine.ports_per_card, case.line_rate_gbps, case.frame_size_bytes)
        least = min(caps, key=lambda name: caps[name])
        limited_by = least if caps[least] < sample.rate_pps else sample.limited_by
        bounded.append(replace(sample, cap_pps=min(caps[least], sample.cap_pps), limited_by=limited_by, latency_us={}))
    return bounded
