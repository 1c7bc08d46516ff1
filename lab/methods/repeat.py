"""Runs the trials of one method: judges each, repeats the invalid ones, and tells whoever watches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lab.errors import LabError
from lab.methods.failure import Recover, Survivor
from lab.methods.trial import Measurer, TrialRequest, TrialResult
from lab.methods.validity import ValidityLimits, doubts, judge, overwhelmed, require_right_frames
from lab.models import Model


class TooDisturbed(LabError):
    """No attempt at a trial counted: the test host or the generator is not fit to measure now."""

    exit_code = 15


class TrialEvent(Model):
    """One trial that has ended, valid or not, for the journal and for a person who watches.

    ``search`` names the method (``NDR+PDR``, ``throughput``, ``latency`` ...), ``number`` counts its trials from 1, and
    ``remaining_s`` estimates how long the method still takes (None where nobody can know).
    """

    search: str
    number: int
    result: TrialResult
    remaining_s: float | None


Progress = Callable[[TrialEvent], None]
"""Who is told of every trial, of the invalid ones as well: a journal made of this is complete."""


def unwatched(event: TrialEvent) -> None:
    """Take no note: the default of who watches."""


Recall = Callable[[str, TrialRequest], TrialResult | None]
"""Returns what a trial of a search (its name) gave before the run was killed, or None where it is to be run."""


def forgetful(search: str, request: TrialRequest) -> TrialResult | None:
    """Remember no trial: the default of what is remembered."""
    return None


@dataclass(frozen=True)
class Conditions:
    """What is the same for all methods of a run.

    ``attempts`` is how often a trial is tried until one counts; ``overhead_s`` what a trial takes beyond its duration
    (the generator's start, the settling of its counters), for estimates only. A trial that ``recall`` knows is not run.
    ``recover`` is called when the generator or the DUT has failed in a trial, which is then invalid; None: such a
    failure ends the method.
    """

    limits: ValidityLimits = field(default_factory=ValidityLimits)
    attempts: int = 5
    overhead_s: float = 0.6
    progress: Progress = unwatched
    recall: Recall = forgetful
    recover: Recover | None = None


class Trials:
    """A Measurer that repeats what does not count. Keeps every result in ``results``, in order.

    Invariant of ``_doubted``: it maps a loss goal to the least load at which no attempt could tell whether the DUT or
    the test host lost the frames. Such a load is taken as one that does not meet the goal, so that a disturbed host can
    lower what is found and never raise it; the result then says that its upper bound is in doubt. A load is a rate in
    frames a second; of bursts, which all have the same rate, it is the length of a burst in frames.
    """

    def __init__(
        self,
        measurer: Measurer,
        conditions: Conditions,
        search: str,
        *,
        loss_ratios: tuple[float, ...] = (),
        expected_s: float | None = None,
    ) -> None:
        """Begin the trials of a method.

        Args:
            measurer: runs a single trial.
            conditions: of the run.
            search: name of the method, for who watches.
            loss_ratios: goals that a trial must tell apart (see ``validity``).
            expected_s: how long the method will take, where it can say.

        """
        self._measurer = Survivor(measurer, conditions.recover)
        self._conditions = conditions
        self._limits = conditions.limits.telling_apart(*loss_ratios)
        self._search = search
        self._expected_s = expected_s
        self._spent_s = 0.0
        self._doubted: dict[float, float] = {}
        self.results: list[TrialResult] = []

    @property
    def valid(self) -> list[TrialResult]:
        """Results of the trials that counted."""
        return [r for r in self.results if not r.invalid]

    @property
    def invalid_count(self) -> int:
        """Number of trials that did not count."""
        return len(self.results) - len(self.valid)

    def in_doubt(self, loss_ratio: float, load: float | None) -> bool:
        """Say whether a load may have missed a goal for the test host's fault alone; False for None."""
        return load is not None and load >= self._doubted.get(loss_ratio, float("inf"))

    def refuse_nothing(self, loss_ratio: float, lower: float | None) -> None:
        """Refuse the finding that no load met a goal where the test host may have been the reason.

        Raises:
            TooDisturbed: ``lower``, the greatest load that met it, is None and a load is in doubt.

        """
        if lower is None and loss_ratio in self._doubted:
            unit = "frames" if any(r.request.burst_frames for r in self.results) else "pps"
            raise TooDisturbed(
                f"{self._search}: no load met the loss ratio {loss_ratio:g}, but from {self._doubted[loss_ratio]:.0f} "
                f"{unit} on pauses of the test host explain the loss; give the polling cores to the lab alone"
            )

    def measure(self, request: TrialRequest) -> TrialResult:
        """Run a trial until it counts; see Measurer.measure.

        Where no attempt counts and some lost frames that the test host may have cost, without being overwhelmed, the
        one of them that lost least is returned (see the class).

        Raises:
            TooDisturbed: no attempt counted or was in mere doubt; the message gives the reasons of the last one.
            WrongFramesReceived: the DUT sent frames that are not the ones it was sent.
            GeneratorError, DutError: one of them failed and was not to be brought back (see ``Conditions.recover``).
            LabError: the lab failed; this is never turned into a result.

        """
        doubtful: list[TrialResult] = []
        for _ in range(self._conditions.attempts):
            result = self._attempt(request)
            if not result.invalid:
                return result
            goals = doubts(result, self._limits)
            if goals and len(result.invalid) == 1 and not overwhelmed(result, self._limits):
                doubtful.append(result)
                if all(self.in_doubt(goal, _load(request)) for goal in goals):
                    return result
        if doubtful:
            return self._in_doubt(min(doubtful, key=lambda r: r.loss_ratio))
        raise TooDisturbed(
            f"{self._search} at {request.frame_size_bytes} bytes, {request.rate_pps:.0f} pps: none of "
            f"{self._conditions.attempts} attempts was valid; the last: {'; '.join(result.invalid)}"
        )

    def _in_doubt(self, result: TrialResult) -> TrialResult:
        load = _load(result.request)
        for goal in doubts(result, self._limits):
            self._doubted[goal] = min(load, self._doubted.get(goal, load))
        return result

    def _attempt(self, request: TrialRequest) -> TrialResult:
        recalled = self._conditions.recall(self._search, request)
        measured = recalled or self._measurer.measure(request)
        result = measured.model_copy(update={"invalid": judge(measured, self._limits)})
        self.results.append(result)
        self._spent_s += request.total_s + self._conditions.overhead_s
        remaining_s = None if self._expected_s is None else max(0.0, self._expected_s - self._spent_s)
        event = TrialEvent(search=self._search, number=len(self.results), result=result, remaining_s=remaining_s)
        self._conditions.progress(event)
        require_right_frames(result, self._search)
        if recalled is None:
            self._measurer.recover()
        return result


def _load(request: TrialRequest) -> float:
    """Return what a search varies: the frames of a burst, else the rate."""
    return request.rate_pps if request.burst_frames is None else request.burst_frames
