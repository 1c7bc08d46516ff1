"""What every measurement shares: the testbed in use, the run, how thoroughly, and how a result is recorded."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self, TypeVar

from lab import baselines as simulated
from lab.baselines import Baselines
from lab.errors import LabError
from lab.measurements.greatest_load import greatest_load
from lab.methods import load_limit
from lab.methods.bounds import Bounds
from lab.methods.imix import Imix
from lab.methods.load_limit import LoadLimit
from lab.methods.pacing import Paced, TrialPacing
from lab.methods.profile import Profile
from lab.methods.repeat import Conditions, TooDisturbed
from lab.methods.trial import Measurer
from lab.results.finding import Finding
from lab.results.model import BaselineBand, LatencyBand, Measurement
from lab.run import Run
from lab.session import Session
from lab.simulation.verdict import Measured
from lab.traffic.calibration import Calibration
from lab.traffic.load import Direction
from lab.traffic.modifiers import Modifier
from lab.traffic.router import mesh, one_way

SEARCHES = 3
"""How often a search is begun that the state of the machine ends."""

ATTEMPTS = 8
"""How often a trial is tried until one counts: on a shared host every second one may be disturbed."""

Found = TypeVar("Found")


class Counted(Protocol):
    """The result of a method, as far as it counts its trials."""

    @property
    def trials(self) -> int:
        """All of them."""

    @property
    def invalid_trials(self) -> int:
        """Those that did not count."""


@dataclass
class Core:
    """A testbed in use on which methods run, and the run that their results are recorded in.

    What one test has found serves the next: latency is measured at fractions of NDR, so NDR is searched for once.
    ``test`` is the name of the test that asks, under which results are recorded. ``variant`` says in the name of each
    result what was unlike the plain case; empty there. ``mix_bytes`` are the sizes of frames in turn where they have
    several.
    """

    used: Session
    run: Run
    profile: Profile
    calibration: Calibration | None
    baselines: Baselines | None
    test: str = ""
    variant: str = ""
    mix_bytes: tuple[int, ...] = ()
    _limits: dict[int, LoadLimit] = field(default_factory=dict)
    _found: dict[int, dict[str, Bounds]] = field(default_factory=dict)
    _throughputs: dict[int, Bounds] = field(default_factory=dict)
    _anew: bool = False  # within ``anew``: what is asked for there is not repeated for itself

    def varied(
        self,
        variant: str,
        directions: Sequence[Direction] | None = None,
        modifiers: Sequence[Modifier] = (),
        baselines: Baselines | None = None,
    ) -> Self:
        """Return what measures something else than the plain case, with nothing found yet.

        Args:
            variant: what is unlike, for the names of the results.
            directions: of the traffic; None: as it is.
            modifiers: frames beside the test frames.
            baselines: of other directions, where there are; frames beside the test frames are none of the simulation.

        """
        used = self.used.with_traffic(self.used.directions if directions is None else directions, modifiers)
        beside = self.baselines if directions is None else baselines
        return replace(self, used=used, variant=variant, baselines=beside, _limits={}, _found={}, _throughputs={})

    def in_one_direction(self) -> Self:
        """Return what measures with every second direction silent: simulated as half as many ports."""
        directions = one_way(self.used.router.ports, self.used.deployed.hops)
        half = self.baselines and self.baselines.of_half_the_ports()
        return self.varied("in one direction", directions, baselines=half)

    def of_mix(self, mix: Imix) -> Self:
        """Return what measures with frames of several sizes in turn (RFC 6985), at their mean size."""
        return replace(self.varied(f"IMIX {mix}"), mix_bytes=mix.mix_bytes)

    @contextlib.contextmanager
    def on_cores(self, count: int) -> Iterator[Self]:
        """Deal the DUT's ports to its first ``count`` cores for a while, every port sending to every other.

        Raises:
            DutError: it has not that many, or does not let itself be told.

        """
        dut = self.used.deployed.dut
        dut.use_cores(count)
        try:
            beside = self.baselines and self.baselines.between_all_ports(count)
            directions = mesh(self.used.router.ports)
            yield self.varied(f"between all ports, {count} QGMs", directions, baselines=beside)
        finally:
            dut.use_cores(self.used.testbed.dut.machine.exclusive_cores)

    def named(self, metric: str) -> str:
        """Return the name of a result: the metric, and what was unlike the plain case."""
        return f"{metric}, {self.variant}" if self.variant else metric

    @property
    def measurer(self) -> Measurer:
        """What runs a trial, with the learning frames and the pauses of the profile."""
        pacing = self.profile.pacing
        if pacing == TrialPacing():
            return self.used.measurer
        return Paced(self.used.measurer, self.used.learn, pacing, self.used.wait)

    def conditions(self) -> Conditions:
        """Return what is the same for all methods of the test that asks."""
        return Conditions(
            attempts=ATTEMPTS,
            overhead_s=Conditions.overhead_s + self.profile.pacing.overhead_s,
            progress=self.run.watch(self.test),
            recall=self.run.recall(self.test),
            recover=self.used.recover,
        )

    def anew(self, frame_size_bytes: int, measure: Callable[[], Found]) -> Found:
        """Measure; where no trial counts, forget what was found at this frame size before, and measure anew.

        A cloud machine flips between a fast and a slow state: what the generator could offer a minute ago it may not be
        able to offer now, and every trial at that load, or at a rate that was found then, is invalid.

        Measures that one measure asks for are not repeated for themselves, but with it.

        Args:
            frame_size_bytes: with FCS.
            measure: asks for the limit, and for rates found before, each time that it is called.

        Raises:
            LabError: it came to no result.

        """
        if self._anew:
            return measure()
        self._anew = True
        try:
            for _ in range(SEARCHES - 1):
                try:
                    return measure()
                except TooDisturbed as error:
                    self.run.say(f"measuring anew: {error}")
                    for found in (self._limits, self._found, self._throughputs):
                        found.pop(frame_size_bytes, None)
            return measure()
        finally:
            self._anew = False

    def limit(self, frame_size_bytes: int) -> LoadLimit:
        """Return the greatest load to ask for at a frame size; found once. Raises LabError where none is kept to."""
        if frame_size_bytes not in self._limits:
            with self.run.search(self.test, load_limit.SEARCH, frame_size_bytes):
                self._limits[frame_size_bytes] = greatest_load(
                    self.used, self.measurer, frame_size_bytes, self.calibration, self.conditions(), self.mix_bytes
                )
        return self._limits[frame_size_bytes]

    def record_finding(self, **found: Any) -> None:
        """Note what a method found that is more than one number, by its field of ``Finding``."""
        self.run.record_finding(Finding(test=self.test, variant=self.variant, **found))

    def record_value(
        self,
        metric: str,
        frame_size_bytes: int,
        value: float | None,
        unit: str,
        reason: str,
        counted: Counted,
        rate: tuple[Measured, LoadLimit] | None = None,
    ) -> None:
        """Publish a number that has no bounds; ``reason`` is what there is to say of it, or why there is none.

        Where it is a rate that can be compared with a simulated one, ``rate`` is between what it lies, and the greatest
        load that there was.
        """
        beside: dict[str, Any] = {"reason": reason or None}
        if rate:
            beside = self._beside(frame_size_bytes, rate[0], rate[1], (reason,))
        self.run.record(
            Measurement(
                test=self.test,
                frame_size_bytes=frame_size_bytes,
                metric=self.named(metric),
                value=value,
                unit=unit,
                trials=counted.trials,
                invalid_trials=counted.invalid_trials,
                **beside,
            )
        )

    def record_bounds(self, bounds: Bounds, limit: LoadLimit) -> None:
        """Publish what a search found with what is simulated of it; where it reached the limit, the reason says so."""
        found: Measured | None = None
        said = [bounds.remark]
        if bounds.lower_pps is not None:
            found = Measured(bounds.lower_pps, None if bounds.upper_in_doubt else bounds.upper_pps)
            if bounds.upper_pps is None:
                said.append(f"{limit.words}: every load that could be asked for met the goal")
        self.run.record(
            Measurement(
                test=self.test,
                frame_size_bytes=bounds.frame_size_bytes,
                metric=self.named(bounds.goal),
                value=bounds.lower_pps,
                unit="pps",
                low=bounds.lower_pps,
                high=bounds.upper_pps,
                high_in_doubt=bounds.upper_in_doubt,
                line_rate_pps=limit.line_rate_pps,
                ceiling_pps=limit.ceiling_pps,
                trials=bounds.trials,
                invalid_trials=bounds.invalid_trials,
                **self._beside(bounds.frame_size_bytes, found, limit, said),
            )
        )

    def _beside(
        self, frame_size_bytes: int, found: Measured | None, limit: LoadLimit, said: Sequence[str]
    ) -> dict[str, Any]:
        """Return what stands beside a rate: bands, verdict, and the reason: what there is to say, and the verdict's."""
        bands: tuple[BaselineBand, ...] = ()
        sentence = "no baseline of this case is simulated"
        try:
            if self.baselines:
                bands = self.baselines.bands(frame_size_bytes)
        except LabError as error:  # what cannot be simulated can be measured all the same
            sentence += f": {error}"
        if found is None:
            return {"baselines": bands}
        judged = simulated.verdict(found, bands, limit.ceiling_pps)
        sentence = judged.reason if judged else sentence
        return {
            "baselines": bands,
            "verdict": judged.consistent_with if judged else None,
            "likelihood_ratio": judged.likelihood_ratio if judged else None,
            "reason": ". ".join(text for text in (*said, sentence) if text),
        }

    def latency_beside(self, frame_size_bytes: int, offered_pps: float) -> dict[str, tuple[LatencyBand, ...]]:
        """Return what is simulated of the latency at a load, by percentile; nothing where the case is not simulated."""
        try:
            return self.baselines.latency_bands(frame_size_bytes, offered_pps) if self.baselines else {}
        except LabError as error:  # what cannot be simulated can be measured all the same
            self.run.say(f"no latency of this case is simulated: {error}")
            return {}
