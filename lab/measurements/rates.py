"""Searches for rates, each recorded with its bounds, baselines and verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from lab.measurements.core import Core
from lab.methods import critical_load, mlr, mrr, soak, throughput
from lab.methods.bounds import Bounds
from lab.methods.critical_load import CriticalLoad
from lab.methods.load_limit import LoadLimit
from lab.methods.mlr import MlrPlan
from lab.methods.mrr import Mrr, MrrPlan
from lab.methods.soak import Soak, SoakPlan
from lab.methods.throughput import ThroughputPlan
from lab.simulation.verdict import Measured

Plan = TypeVar("Plan", MlrPlan, ThroughputPlan, MrrPlan)


@dataclass
class Rates(Core):
    """NDR, PDR and throughput. What was found of NDR and PDR is kept: latency is measured at fractions of them."""

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

    def throughput(self, frame_size_bytes: int) -> Bounds:
        """Search the throughput by bisection (RFC 2544 section 26.1).

        Raises:
            LabError: the search came to no result.

        """

        def search() -> tuple[Bounds, LoadLimit]:
            limit = self.limit(frame_size_bytes)
            with self.run.search(self.test, throughput.GOAL, frame_size_bytes) as bounds:
                plan = self._of_mix(self.profile.throughput_plan(frame_size_bytes, limit))
                bounds.append(throughput.search(self.measurer, plan, self.conditions()))
            return bounds[0], limit

        found, limit = self.anew(frame_size_bytes, search)
        self.record_bounds(found, limit)
        self._throughputs[frame_size_bytes] = found
        return found

    def throughput_once(self, frame_size_bytes: int) -> Bounds:
        """Return the throughput that was found, or search it; raises as ``throughput``."""
        return self._throughputs.get(frame_size_bytes) or self.throughput(frame_size_bytes)

    def receive_rate(self, frame_size_bytes: int) -> Mrr:
        """Measure the maximum receive rate (MRR): what arrives while the greatest load is offered.

        Raises:
            LabError: a trial never counted.

        """

        def measure() -> Mrr:
            plan = self._of_mix(self.profile.receive_rate_plan(frame_size_bytes, self.limit(frame_size_bytes)))
            with self.run.search(self.test, mrr.SEARCH, frame_size_bytes):
                return mrr.measure(self.measurer, plan, self.conditions())

        found = self.anew(frame_size_bytes, measure)
        self.record_finding(receive_rate=found)
        reason = f"offered {found.rate_pps / 1e6:.3f} Mpps ({found.limited_by}), {100 * found.loss_ratio:.2g} % lost"
        rate = None
        if min(found.received_pps) > 0:
            upper_pps = max(found.received_pps) if found.loss_ratio else None
            rate = Measured(min(found.received_pps), upper_pps), self.limit(frame_size_bytes)
        self.record_value(mrr.SEARCH, frame_size_bytes, found.mean_pps, "pps", reason, found, rate)
        return found

    def soak(self, frame_size_bytes: int) -> Soak | None:
        """Run for long at a fraction of NDR, and bound the loss ratio.

        Returns:
            The bounds; None where no load met the goal of NDR.

        Raises:
            LabError: a part of it never counted.

        """

        def measure() -> tuple[SoakPlan, Soak] | None:
            plan = self.profile.soak_plan(self.ndr_and_pdr(frame_size_bytes)["NDR"])
            if plan is None:
                return None
            with self.run.search(self.test, soak.SEARCH, frame_size_bytes):
                return plan, soak.measure(self.measurer, plan, self.conditions())

        measured = self.anew(frame_size_bytes, measure)
        if measured is None:
            return None
        plan, found = measured
        self.record_finding(soak=found)
        metric = f"loss ratio over {plan.duration_s:g} s, {plan.load}"
        self.record_value(metric, frame_size_bytes, found.loss_ratio, "1", found.sentence, found)
        return found

    def critical_load(self, frame_size_bytes: int) -> CriticalLoad | None:
        """Search the greatest load at which the DUT can be relied on over a long run, from NDR on.

        Returns:
            Its bounds; None where no load met the goal of NDR.

        Raises:
            LabError: a trial never counted.

        """

        def search() -> CriticalLoad | None:
            ndr = self.ndr_and_pdr(frame_size_bytes)["NDR"]
            plan = self.profile.critical_load_plan(ndr, self.limit(frame_size_bytes))
            if plan is None:
                return None
            with self.run.search(self.test, critical_load.SEARCH, frame_size_bytes):
                return critical_load.search(self.measurer, plan, self.conditions())

        found = self.anew(frame_size_bytes, search)
        if found is None:
            return None
        self.record_finding(critical_load=found)
        reason = f"settled at {found.estimate_pps / 1e6:.3f} Mpps after {found.chunks} trials of {found.chunk_s:g} s"
        rate = None
        if found.lower_pps is not None:
            rate = Measured(found.lower_pps, found.upper_pps), self.limit(frame_size_bytes)
        self.record_value(critical_load.SEARCH, frame_size_bytes, found.lower_pps, "pps", reason, found, rate)
        return found

    def _of_mix(self, plan: Plan) -> Plan:
        return plan.model_copy(update={"mix_bytes": self.mix_bytes})

    def _rates(self, frame_size_bytes: int, goals: set[str]) -> dict[str, Bounds]:
        def search() -> tuple[dict[str, Bounds], LoadLimit]:
            limit = self.limit(frame_size_bytes)
            with self.run.search(self.test, mlr.SEARCH, frame_size_bytes) as bounds:
                plan = self._of_mix(self.profile.mlr_plan(frame_size_bytes, limit, goals))
                found = mlr.search(self.measurer, plan, self.conditions())
                bounds.extend(found.values())
            return found, limit

        found, limit = self.anew(frame_size_bytes, search)
        for one in found.values():
            self.record_bounds(one, limit)
        return found
