"""Answers a question: all its draws simulated, and summarized with intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from lab.simulation.prediction.draw import draws
from lab.simulation.prediction.model import Band, Parameter, Prediction, StructureCost
from lab.simulation.prediction.parallel import in_parallel
from lab.simulation.prediction.quantiles import band, rate_band
from lab.simulation.prediction.question import Question
from lab.simulation.prediction.sample import PERCENTILES, Sample, simulate
from lab.simulation.version import MODEL_VERSION

FEWEST_MISSES = 0.001  # of an operation; structures below are left out


def predict(question: Question, jobs: int = 1) -> Prediction:
    """Simulate a question.

    Args:
        question: equal questions have equal answers, whatever ``jobs`` is.
        jobs: simulations at a time; give as many as there are cores to spare, 1 beside a measurement.

    Raises:
        SimulationError: the case does not fit the workload, the machine or the layout.
        UsageError: jobs is below 1.

    """
    return summary(question, samples(question, jobs), {})


def samples(question: Question, jobs: int = 1) -> tuple[Sample, ...]:
    """Simulate all draws of a question; raises as :func:`predict`."""
    return tuple(in_parallel(partial(simulate, question), draws(question), jobs))


def summary(question: Question, found: Sequence[Sample], gains_pps: Mapping[str, Band]) -> Prediction:
    """Summarize the samples of a question.

    Args:
        question: that they answer.
        found: one for each draw.
        gains_pps: what each structure would gain if it shared no line, where that was simulated.

    """
    return Prediction(
        machine=question.machine.name,
        workload=question.workload,
        layout=question.layout.name,
        case=question.case,
        unit=found[0].unit,
        rate_pps=rate_band(found, question.log_error),
        limited_by=_most_common(found),
        latency_us=_latencies(found),
        structures=_structures(found, gains_pps),
        parameters=_parameters(question),
        frozen=None if question.frozen is None else question.frozen.digest,
        draws=len(found),
        model_version=MODEL_VERSION,
    )


def _most_common(found: Sequence[Sample]) -> str:
    return Counter(each.limited_by for each in found).most_common(1)[0][0]


def _latencies(found: Sequence[Sample]) -> dict[str, Band]:
    """Return the percentiles of latency that every draw has."""
    return {
        name: band([each.latency_us[name] for each in found])
        for name in PERCENTILES
        if all(name in each.latency_us for each in found)
    }


def _structures(found: Sequence[Sample], gains_pps: Mapping[str, Band]) -> tuple[StructureCost, ...]:
    """Return the structures that cost misses, dearest first."""
    costs = [
        StructureCost(
            structure=name,
            misses_per_operation=band([each.misses.get(name, 0.0) for each in found]),
            gain_pps=gains_pps.get(name),
        )
        for name in sorted({name for each in found for name in each.misses})
    ]
    kept = [each for each in costs if each.misses_per_operation.high >= FEWEST_MISSES]
    return tuple(sorted(kept, key=lambda each: -each.misses_per_operation.median))


def _parameters(question: Question) -> dict[str, Parameter]:
    parameters = {
        name: Parameter(value=each.median, low=each.low, high=each.high, unit=each.unit, source=each.source)
        for name, each in question.machine.ranges.items()
    }
    parameters |= _fitted(question)
    parameters["layout"] = Parameter(value=question.layout.name, source=question.layout.source)
    seeds = ", ".join(map(str, question.seeds))
    parameters["seeds"] = Parameter(value=f"{seeds}; {question.draws_per_seed} draws each", source="question")
    return parameters


def _fitted(question: Question) -> dict[str, Parameter]:
    """Return what a calibration left of the numbers that it fitted, as far as it was drawn."""
    if question.frozen is None:
        return {}
    ranges = question.machine.ranges
    source = f"fitted: pixlab calibrate of {question.frozen.measured_at}, {question.frozen.digest[:12]}"
    names = sorted({name for sample in question.frozen.samples for name in sample.numbers} & ranges.keys())
    found = {name: band([draw.numbers[name] for draw in draws(question)]) for name in names}
    fitted = {
        name: Parameter(value=each.median, low=each.low, high=each.high, unit=ranges[name].unit, source=source)
        for name, each in found.items()
    }
    error = question.frozen.rms_log_error
    return fitted | {"log_error": Parameter(value=error, unit="of the logarithm of a rate", source=source)}
