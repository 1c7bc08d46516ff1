"""Two images compared in turns on one testbed: each is deployed anew whenever it is its turn."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

from lab import session
from lab.images import Manifest
from lab.measurements.greatest_load import greatest_load
from lab.methods import interleaved
from lab.methods.interleaved import InterleavedComparison, InterleavedPlan
from lab.methods.profile import Profile
from lab.methods.repeat import Conditions
from lab.methods.trial import Measurer, TrialRequest
from lab.testbed import Testbed
from lab.traffic.calibration import Calibration

Progress = Callable[[str], None]


class Turns:
    """Deploys the image whose turn it is; close it when all turns are over."""

    def __init__(self, testbed: Testbed, images: Mapping[str, Manifest], run_dir: Path, say: Progress) -> None:
        """Say what there is to deploy.

        Args:
            testbed: leased by the caller.
            images: by the names of the sides.
            run_dir: existing folder, for a folder of logs for each turn.
            say: told what happens.

        """
        self._testbed = testbed
        self._images = images
        self._run_dir = run_dir
        self._say = say
        self._stack = contextlib.ExitStack()
        self._side = ""
        self._count = 0
        self.used: session.Session | None = None

    def at(self, side: str) -> Measurer:
        """Return the measurer of a side, which is deployed where it is not; LabError where it does not come up."""
        if side != self._side or self.used is None:
            self.close()
            self._count += 1
            folder = self._run_dir / f"turn-{self._count}-{side}"
            folder.mkdir(exist_ok=True)
            self.used = self._stack.enter_context(session.use(self._testbed, self._images[side], folder, self._say))
            self._side = side
        return self.used.measurer

    def close(self) -> None:
        """Let go of what is deployed. May be called twice."""
        self.used = None
        self._stack.close()


def compare(
    taken: Turns,
    sides: tuple[str, str],
    frame_size_bytes: int,
    profile: Profile,
    calibration: Calibration | None,
    conditions: Conditions,
) -> InterleavedComparison:
    """Compare what two images forward of the greatest load that the generator keeps to, in turns A B B A.

    Args:
        taken: gives the turns.
        sides: names of both; the second is judged by the first.
        frame_size_bytes: with FCS.
        profile: how long a trial lasts, and how many blocks there are.
        calibration: of the generator.
        conditions: of the run.

    Raises:
        LabError: an image does not come up, or a trial never counted.

    """
    measurer = taken.at(sides[0])
    used = taken.used
    assert used is not None, "a side is deployed"
    limit = greatest_load(used, measurer, frame_size_bytes, calibration, conditions)
    request = TrialRequest(
        frame_size_bytes=frame_size_bytes,
        rate_pps=limit.rate_pps,
        duration_s=profile.receive_rate.trial_s,
        tagged=False,
    )
    plan = InterleavedPlan(first=sides[0], second=sides[1], request=request, blocks=profile.comparison_blocks)
    return interleaved.measure(taken.at, plan, conditions)
