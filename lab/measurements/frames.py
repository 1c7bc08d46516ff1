"""What becomes of frames at a given load: latency and order, each recorded."""

from __future__ import annotations

import time
from dataclasses import dataclass

from lab.measurements.rates import Rates
from lab.methods import latency, reordering
from lab.methods.latency import LatencyAtLoad, LoadPoint
from lab.methods.reordering import ReorderingAtLoad, ReorderingPlan
from lab.methods.trial import ReorderingRecord
from lab.results.events import LatencyMeasured, ReorderingMeasured
from lab.results.model import Measurement

SHARED_CORES_LOAD = LoadPoint(name="20,000 pps, on shared host cores", rate_pps=20_000.0)
"""Sixteen vCPUs that take turns of some milliseconds on one core leave rings of 1024 descriptors far from full."""


@dataclass
class Frames(Rates):
    """Latency and reordering at loads that a search found."""

    def latency(self, frame_size_bytes: int) -> tuple[LatencyAtLoad, ...]:
        """Measure latency at the profile's fractions of NDR (RFC 2544 section 26.2).

        Returns:
            One record for each load and direction; none where no load met the goal of NDR.

        Raises:
            LabError: a trial never counted.

        """
        floor_us = self.calibration.floor_us(frame_size_bytes) if self.calibration else None

        def measure() -> tuple[LatencyAtLoad, ...]:
            ndr = self.ndr_and_pdr(frame_size_bytes)["NDR"]
            plan = self.profile.latency_plan(ndr, len(self.used.directions), floor_us)
            with self.run.search(self.test, latency.SEARCH, frame_size_bytes):
                return latency.measure(self.measurer, plan, self.conditions())

        found = self.anew(frame_size_bytes, measure)
        for one in found:
            self.run.note(LatencyMeasured(at_s=time.time(), test=self.test, latency=one))
            simulated = self.latency_beside(frame_size_bytes, one.rate_pps)
            for percentile, value_us in one.percentiles_us.items():
                if value_us is not None and percentile in ("50", "99", "99.9"):
                    self.run.record(
                        Measurement(
                            test=self.test,
                            frame_size_bytes=frame_size_bytes,
                            metric=self.named(
                                f"latency p{percentile}, {one.load}, port {one.tx_port} to {one.rx_port}"
                            ),
                            value=value_us,
                            unit="us",
                            latency_baselines=simulated.get(percentile, ()),
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

        def measure() -> ReorderingAtLoad | None:
            plan: ReorderingPlan | None = self.profile.reordering_plan_at(frame_size_bytes, SHARED_CORES_LOAD)
            if not self.used.deployed.sharing:
                plan = self.profile.reordering_plan(self.ndr_and_pdr(frame_size_bytes)[goal], fraction)
            if plan is None:
                return None
            with self.run.search(self.test, reordering.SEARCH, frame_size_bytes):
                return reordering.measure(self.measurer, plan, self.conditions())

        found = self.anew(frame_size_bytes, measure)
        if found is None:
            return None
        self.run.note(ReorderingMeasured(at_s=time.time(), test=self.test, reordering=found))
        for one in found.records:
            self.run.record(
                Measurement(
                    test=self.test,
                    frame_size_bytes=frame_size_bytes,
                    metric=self.named(f"reordered ratio, {found.load}, {_way(one)}"),
                    value=one.ratio,
                    unit="1",
                    trials=1,
                )
            )
        return found


def _way(record: LatencyAtLoad | ReorderingRecord) -> str:
    return f"port {record.tx_port} to {record.rx_port}"
