"""The tests of RFC 2544 that are neither a search for a rate nor a look at single frames, each recorded."""

from __future__ import annotations

from dataclasses import dataclass

from lab.dut.reset import ResetRecord
from lab.measurements.frames import Frames
from lab.methods import back_to_back, loss_rate, recovery, reset
from lab.methods.back_to_back import BackToBack
from lab.methods.load_limit import LoadLimit
from lab.methods.loss_rate import LossCurve
from lab.methods.recovery import SystemRecovery
from lab.methods.reset import ResetTime


@dataclass
class Rfc2544(Frames):
    """Frame loss rate, back-to-back frames, system recovery and reset (RFC 2544 sections 26.3 to 26.6)."""

    def loss_rate(self, frame_size_bytes: int) -> LossCurve:
        """Measure the frame loss rate from the greatest load down (section 26.3).

        Raises:
            LabError: a trial never counted.

        """

        def measure() -> tuple[LossCurve, LoadLimit]:
            limit = self.limit(frame_size_bytes)
            plan = self.profile.loss_rate_plan(frame_size_bytes, limit)
            with self.run.search(self.test, loss_rate.SEARCH, frame_size_bytes):
                return loss_rate.measure(self.measurer, plan, self.conditions()), limit

        curve, limit = self.anew(frame_size_bytes, measure)
        self.record_finding(loss_curve=curve)
        first = curve.points[0]
        self.record_value(
            f"{loss_rate.SEARCH} at {limit.limited_by}", frame_size_bytes, first.loss_ratio, "1", first.reason, curve
        )
        return curve

    def back_to_back(self, frame_size_bytes: int) -> BackToBack:
        """Search the longest burst without loss (section 26.4, RFC 9004).

        Raises:
            LabError: a trial never counted.

        """

        def search() -> BackToBack:
            throughput = self.throughput_once(frame_size_bytes)
            plan = self.profile.back_to_back_plan(throughput, self.limit(frame_size_bytes), len(self.used.directions))
            with self.run.search(self.test, back_to_back.SEARCH, frame_size_bytes):
                return back_to_back.measure(self.measurer, plan, self.conditions())

        found = self.anew(frame_size_bytes, search)
        self.record_finding(back_to_back=found)
        self.record_value("back-to-back frames", frame_size_bytes, found.burst_frames, "frames", found.limit, found)
        self.record_value("corrected buffer time", frame_size_bytes, found.corrected_buffer_s, "s", found.reason, found)
        return found

    def recovery(self, frame_size_bytes: int) -> SystemRecovery | None:
        """Measure how long frames are lost after an overload (section 26.5).

        Returns:
            The times; None where no load was forwarded without loss.

        Raises:
            LabError: a trial never counted.

        """

        def measure() -> SystemRecovery | None:
            plan = self.profile.recovery_plan(self.throughput_once(frame_size_bytes), self.limit(frame_size_bytes))
            if plan is None:
                return None
            with self.run.search(self.test, recovery.SEARCH, frame_size_bytes):
                return recovery.measure(self.measurer, plan, self.conditions())

        found = self.anew(frame_size_bytes, measure)
        if found is None:
            return None
        self.record_finding(recovery=found)
        self.record_value(recovery.SEARCH, frame_size_bytes, found.recovery_s, "s", found.reason, found)
        return found

    def reset(self, kind: str, frame_size_bytes: int) -> ResetTime | None:
        """Reset the DUT under its throughput and measure how long frames are lost (section 26.6, RFC 6201).

        Returns:
            The times; None where no load was forwarded without loss.

        Raises:
            UsageError: it has no such reset.
            LabError: a trial never counted, or the DUT did not come back.

        """
        rate_pps = self.throughput_once(frame_size_bytes).lower_pps
        if rate_pps is None:
            return None
        records: list[ResetRecord] = []
        plan = self.profile.reset_plan(kind, frame_size_bytes, rate_pps)
        with self.run.search(self.test, f"{reset.SEARCH} ({kind})", frame_size_bytes):
            found = reset.measure(
                self.used.measurer,  # without learning frames: the reset is timed from the request of the trial
                lambda chosen: records.append(self.used.deployed.reset(chosen)),
                plan,
                self.conditions(),
            )
        self.record_finding(reset=found)
        phases = ", ".join(f"{phase} {time_s:.1f} s" for one in records[-1:] for phase, time_s in one.phases_s.items())
        for way, value_s in (("lost frames", found.by_loss_s), ("time stamps", found.by_time_s)):
            self.record_value(f"{kind} reset by {way}", frame_size_bytes, value_s, "s", found.reason or phases, found)
        return found
