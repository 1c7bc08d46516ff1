"""The measurements of a suite: methods on a testbed in use, each recorded with its bounds, baselines and verdict."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from lab.dut.deployed import DeployedDut
from lab.errors import LabError
from lab.machines import exits
from lab.measurements.rfc2544 import Rfc2544
from lab.methods.meanwhile import Meanwhile
from lab.methods.repeat import TooDisturbed, Trials, forgetful
from lab.methods.trial import TrialRequest, TrialResult
from lab.methods.validity import ValidityLimits
from lab.models import Model
from lab.results.model import Measurement

EXITS_TRIAL_S = 1.0
"""How long frames are forwarded while exits are counted."""

CHANGES_TRIAL_S = 1.0
"""How long frames are forwarded while the DUT is changed."""


class ExitsWhileForwarding(Model):
    """Exits of all exclusive vCPUs in a trial, by the tracepoint that tells most and by each, and frames forwarded."""

    frames: int
    exits: int
    duration_s: float
    by_event: dict[str, int]


@dataclass
class Measurements(Rfc2544):
    """Runs the methods of RFC 2544 and RFC 9971, and what is special to a router, and records what comes of them.

    What one test has found serves the next: latency is measured at fractions of NDR, so NDR is searched for once.
    """

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
        search = self.named("changes under load")
        with self.run.search(self.test, search, frame_size_bytes):
            # How far the generator fell short of the rate is no matter: no frame that it did send may be lost.
            limits = ValidityLimits(shortfall_ratio=1.0)
            conditions = replace(self.conditions(), limits=limits, recall=forgetful)  # changes cannot be recalled
            trials = Trials(changing, conditions, search, loss_ratios=(0.0,))
            request = TrialRequest(
                frame_size_bytes=frame_size_bytes, rate_pps=rate_pps, duration_s=CHANGES_TRIAL_S, tagged=False
            )
            result = trials.measure(request)
            if result.lost_frames and result.invalid:
                raise TooDisturbed(f"{search}: {result.lost_frames} frames lost: {'; '.join(result.invalid)}")
        return result, changing.done

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
