"""The measurements of a suite: methods on a testbed in use, each recorded with its bounds, baselines and verdict."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from lab.baselines import Baselines
from lab.dut.deploy import DeployedDut
from lab.errors import LabError
from lab.machines import exits
from lab.methods import latency, mlr, reordering, throughput
from lab.methods.bounds import Bounds
from lab.methods.latency import LatencyAtLoad, LoadPoint
from lab.methods.load_limit import LoadLimit, load_limit, offerable
from lab.methods.meanwhile import Meanwhile
from lab.methods.profile import Profile
from lab.methods.reordering import ReorderingAtLoad, ReorderingPlan
from lab.methods.repeat import Conditions, TooDisturbed, Trials, forgetful
from lab.methods.trial import ReorderingRecord, TrialRequest, TrialResult
from lab.methods.validity import ValidityLimits
from lab.models import Model
from lab.results.events import LatencyMeasured, ReorderingMeasured
from lab.results.model import Measurement
from lab.run import Run
from lab.session import Session
from lab.traffic.calibration import Calibration
from lab.traffic.load import Direction
from lab.traffic.router import mesh

SEARCHES = 3
"""How often a search is begun that the state of the machine ends."""

ATTEMPTS = 8
"""How often a trial is tried until one counts: on a shared host every second one may be disturbed."""

SHARED_CORES_LOAD = LoadPoint(name="20,000 pps, on shared host cores", rate_pps=20_000.0)
"""Sixteen vCPUs that take turns of some milliseconds on one core leave rings of 1024 descriptors far from full."""

EXITS_TRIAL_S = 1.0
"""How long frames are forwarded while exits are counted."""

CHANGES_TRIAL_S = 1.0
"""How long frames are forwarded while the DUT is changed."""

Found = TypeVar("Found")


class ExitsWhileForwarding(Model):
    """Exits of all exclusive vCPUs in a trial, by the tracepoint that tells most and by each, and frames forwarded."""

    frames: int
    exits: int
    duration_s: float
    by_event: dict[str, int]


@dataclass
class Measurements:
    """Runs the methods of RFC 2544 and RFC 9971 and records what comes of them.

    What one test has found serves the next: latency is measured at fractions of NDR, so NDR is searched for once.
    ``test`` is the name of the test that asks, under which results are recorded. ``variant`` says in the name of each
    result what was unlike the plain case; empty there.
    """

    used: Session
    run: Run
    profile: Profile
    calibration: Calibration | None
    baselines: Baselines | None
    test: str = ""
    variant: str = ""
    _limits: dict[int, LoadLimit] = field(default_factory=dict)
    _found: dict[int, dict[str, Bounds]] = field(default_factory=dict)

    def varied(self, variant: str, directions: Sequence[Direction] | None = None) -> Measurements:
        """Return what measures something else than the plain case, with nothing found yet and no baseline beside it.

        Args:
            variant: what is unlike, for the names of the results.
            directions: of the traffic; None: as it is.

        """
        used = self.used if directions is None else self.used.with_traffic(directions)
        return replace(self, used=used, variant=variant, baselines=None, _limits={}, _found={})

    @contextlib.contextmanager
    def on_cores(self, count: int) -> Iterator[Measurements]:
        """Deal the DUT's ports to its first ``count`` cores for a while, every port sending to every other.

        Raises:
            DutError: it has not that many, or does not let itself be told.

        """
        dut = self.used.deployed.dut
        dut.use_cores(count)
        try:
            yield self.varied(f"between all ports, {count} QGMs", mesh(self.used.router.ports))
        finally:
            dut.use_cores(self.used.testbed.dut.machine.exclusive_cores)

    def ndr_and_pdr(self, frame_size_bytes: int) -> dict[str, Bounds]:
        """Search NDR and PDR (RFC 9971) at a frame size, or return what was found before.

        Returns:
            The bounds by name, ``NDR`` and ``PDR``.

        Raises:
            LabError: the search came to no result.

        """
        if frame_size_bytes not in self._found:
            self._found[frame_size_bytes] = self._rates(frame_size_bytes, {"NDR", "PDR"})
        return self._found[frame_size_bytes]

    def pdr(self, frame_size_bytes: int) -> Bounds:
        """Search PDR alone (RFC 9971), for a comparison of many cases: with fewer trials than ``ndr_and_pdr``.

        Raises:
            LabError: the search came to no result.

        """
        return self._rates(frame_size_bytes, {"PDR"})["PDR"]

    def while_changing(
        self, frame_size_bytes: int, rate_pps: float, change: Callable[[], None], pause_s: float
    ) -> tuple[TrialResult, int]:
        """Run a trial during which the DUT is changed over and over, until one counts (see lab.methods.repeat).

        Args:
            frame_size_bytes: with FCS.
            rate_pps: of all directions.
            change: what is done to the DUT, from a thread.
            pause_s: after each change.

        Returns:
            The trial, and how many changes were made during it.

        Raises:
            TooDisturbed: frames were lost, and pauses of the test host explain it in every attempt.
            LabError: a change failed.

        """
        changing = Meanwhile(self.used.measurer, change, pause_s)
        search = self._named("changes under load")
        with self.run.search(self.test, search, frame_size_bytes):
            # How far the generator fell short of the rate is no matter: no frame that it did send may be lost.
            limits = ValidityLimits(shortfall_ratio=1.0)
            conditions = replace(self._conditions(), limits=limits, recall=forgetful)  # changes cannot be recalled
            trials = Trials(changing, conditions, search, loss_ratios=(0.0,))
            request = TrialRequest(
                frame_size_bytes=frame_size_bytes, rate_pps=rate_pps, duration_s=CHANGES_TRIAL_S, tagged=False
            )
            result = trials.measure(request)
            if result.lost_frames and result.invalid:
                raise TooDisturbed(f"{search}: {result.lost_frames} frames lost: {'; '.join(result.invalid)}")
        return result, changing.done

    def throughput(self, frame_size_bytes: int) -> Bounds:
        """Search the throughput by bisection (RFC 2544 section 26.1).

        Raises:
            LabError: the search came to no result.

        """

        def search(limit: LoadLimit) -> Bounds:
            with self.run.search(self.test, throughput.GOAL, frame_size_bytes) as bounds:
                plan = self.profile.throughput_plan(frame_size_bytes, limit)
                bounds.append(throughput.search(self.used.measurer, plan, self._conditions()))
            return bounds[0]

        found, limit = self._below_limit(frame_size_bytes, search)
        self._record(found, limit)
        return found

    def latency(self, frame_size_bytes: int) -> tuple[LatencyAtLoad, ...]:
        """Measure latency at the profile's fractions of NDR (RFC 2544 section 26.2).

        Returns:
            One record for each load and direction; none where no load met the goal of NDR.

        Raises:
            LabError: a trial never counted.

        """
        ndr = self.ndr_and_pdr(frame_size_bytes)["NDR"]
        with self.run.search(self.test, latency.SEARCH, frame_size_bytes):
            found = latency.measure(self.used.measurer, self.profile.latency_plan(ndr), self._conditions())
        for one in found:
            self.run.note(LatencyMeasured(at_s=time.time(), test=self.test, latency=one))
            for percentile, value_us in one.percentiles_us.items():
                if value_us is not None and percentile in ("50", "99", "99.9"):
                    self.run.record(
                        Measurement(
                            test=self.test,
                            frame_size_bytes=frame_size_bytes,
                            metric=self._named(
                                f"latency p{percentile}, {one.load}, port {one.tx_port} to {one.rx_port}"
                            ),
                            value=value_us,
                            unit="us",
                            trials=one.trials,
                        )
                    )
        return found

    def reordering(
        self, frame_size_bytes: int, goal: str = "NDR", fraction: float | None = None
    ) -> ReorderingAtLoad | None:
        """Measure the order of frames at a fraction of NDR or PDR (RFC 4737); None: at the profile's.

        Where polling loops share host cores, there is neither to find: then at a load that they surely bear.

        Returns:
            One record for each direction; None where no load met the goal.

        Raises:
            LabError: the trial never counted.

        """
        plan: ReorderingPlan | None = self.profile.reordering_plan_at(frame_size_bytes, SHARED_CORES_LOAD)
        if not self.used.deployed.sharing:
            plan = self.profile.reordering_plan(self.ndr_and_pdr(frame_size_bytes)[goal], fraction)
        if plan is None:
            return None
        with self.run.search(self.test, reordering.SEARCH, frame_size_bytes):
            found = reordering.measure(self.used.measurer, plan, self._conditions())
        self.run.note(ReorderingMeasured(at_s=time.time(), test=self.test, reordering=found))
        for one in found.records:
            self.run.record(
                Measurement(
                    test=self.test,
                    frame_size_bytes=frame_size_bytes,
                    metric=self._named(f"reordered ratio, {found.load}, {_way(one)}"),
                    value=one.ratio,
                    unit="1",
                    trials=1,
                )
            )
        return found

    def exits(self, frame_size_bytes: int) -> ExitsWhileForwarding:
        """Count how often the exclusive vCPUs leave their guest while frames are forwarded at NDR, on a host with KVM.

        Raises:
            LabError: no load met the goal of NDR, or the host does not let exits be counted: not even those of the core
                that answers on the console, where each character is one.

        """
        deployed = self.used.deployed
        if not isinstance(deployed, DeployedDut):
            raise LabError("exits while forwarding: nothing is booted that could leave its guest")
        tids = deployed.vcpu_tids
        with exits.counting(tids[0]) as of_console:
            deployed.dut.version()
        if of_console.total == 0:
            raise LabError("exits while forwarding: KVM of this host tells of none, not even of console output")
        load_pps = self.ndr_and_pdr(frame_size_bytes)["NDR"].lower_pps
        if load_pps is None:
            raise LabError("exits while forwarding: no load was forwarded without loss")
        request = TrialRequest(
            frame_size_bytes=frame_size_bytes, rate_pps=load_pps, duration_s=EXITS_TRIAL_S, tagged=False
        )
        with contextlib.ExitStack() as stack:
            counts = [stack.enter_context(exits.counting(tids[v])) for v in deployed.exclusive_cores]
            result = self.used.measurer.measure(request)
        found = ExitsWhileForwarding(
            frames=sum(direction.received_frames for direction in result.directions),
            exits=sum(count.total for count in counts),
            duration_s=result.duration_s,
            by_event={event: sum(count.by_event[event] for count in counts) for event in counts[0].by_event},
        )
        self.run.record(
            Measurement(
                test=self.test,
                frame_size_bytes=frame_size_bytes,
                metric=f"exits of the exclusive vCPUs while forwarding {load_pps / 1e6:.3f} Mpps",
                value=found.exits / found.duration_s,
                unit="exits/s",
                reason=", ".join(f"{event}: {count}" for event, count in found.by_event.items()),
                trials=1,
            )
        )
        return found

    def _rates(self, frame_size_bytes: int, goals: set[str]) -> dict[str, Bounds]:
        def search(limit: LoadLimit) -> dict[str, Bounds]:
            with self.run.search(self.test, mlr.SEARCH, frame_size_bytes) as bounds:
                plan = self.profile.mlr_plan(frame_size_bytes, limit, goals)
                found = mlr.search(self.used.measurer, plan, self._conditions())
                bounds.extend(found.values())
            return found

        found, limit = self._below_limit(frame_size_bytes, search)
        for one in found.values():
            self._record(one, limit)
        return found

    def _named(self, metric: str) -> str:
        return f"{metric}, {self.variant}" if self.variant else metric

    def _conditions(self) -> Conditions:
        return Conditions(attempts=ATTEMPTS, progress=self.run.watch(self.test), recall=self.run.recall(self.test))

    def _below_limit(self, frame_size_bytes: int, search: Callable[[LoadLimit], Found]) -> tuple[Found, LoadLimit]:
        """Search up to what the generator can offer; search anew where that has changed meanwhile.

        A cloud machine flips between a fast and a slow state: what the generator could offer a minute ago it may not be
        able to offer now, and every trial near that load is then invalid.
        """
        for _ in range(SEARCHES - 1):
            limit = self._limit(frame_size_bytes)
            try:
                return search(limit), limit
            except TooDisturbed as error:
                self.run.say(f"searching anew: {error}")
                del self._limits[frame_size_bytes]
        limit = self._limit(frame_size_bytes)
        return search(limit), limit

    def _limit(self, frame_size_bytes: int) -> LoadLimit:
        if frame_size_bytes not in self._limits:
            ceiling_pps = self.calibration.ceiling_pps(frame_size_bytes) if self.calibration else None
            limit = load_limit(frame_size_bytes, self.used.speed_gbps, len(self.used.directions), ceiling_pps)
            with self.run.search(self.test, "offerable", frame_size_bytes):
                limit = offerable(self.used.measurer, limit, frame_size_bytes, self._conditions())
            self._limits[frame_size_bytes] = limit
        return self._limits[frame_size_bytes]

    def _record(self, bounds: Bounds, limit: LoadLimit) -> None:
        """Publish what a search found; where it reached the limit, the word of its verdict says so."""
        verdict, reason = None, None
        if bounds.lower_pps is not None:
            reason = "no baseline of this case is simulated"
            if self.baselines is not None:
                judged = self.baselines.verdict(bounds.lower_pps, bounds.frame_size_bytes, limit.ceiling_pps)
                verdict, reason = judged.consistent_with, judged.reason
            if bounds.upper_pps is None:
                reason = f"{limit.words}: every load that could be asked for met the goal. {reason}"
        self.run.record(
            Measurement(
                test=self.test,
                frame_size_bytes=bounds.frame_size_bytes,
                metric=self._named(bounds.goal),
                value=bounds.lower_pps,
                unit="pps",
                low=bounds.lower_pps,
                high=bounds.upper_pps,
                high_in_doubt=bounds.upper_in_doubt,
                verdict=verdict,
                reason=reason,
                line_rate_pps=limit.line_rate_pps,
                ceiling_pps=limit.ceiling_pps,
                baselines=self.baselines.bands(bounds.frame_size_bytes) if self.baselines else (),
                trials=bounds.trials,
                invalid_trials=bounds.invalid_trials,
            )
        )


def _way(record: LatencyAtLoad | ReorderingRecord) -> str:
    return f"port {record.tx_port} to {record.rx_port}"
