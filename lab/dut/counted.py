"""A Measurer that has the DUT count, too: before and after each trial, never during one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol

from lab.errors import LabError
from lab.methods.trial import Measurer, TrialRequest, TrialResult
from lab.metrics.hops import Tally, balances, losses, restart

SETTLE_S = 0.02
SETTLE_LIMIT_S = 2.0
"""PIX gives up a neighbour that it holds frames for after seven seconds: they are then still held, and said to be."""


class Countable(Protocol):
    """A deployed device, as far as it counts."""

    def tally(self) -> Tally:
        """Return what it has counted; see lab.dut.protocol. While it is being reset this waits for the end of that."""
        ...

    def restore(self) -> None:
        """Bring it back to the state that it was deployed and then configured in, where it has lost that."""
        ...


class Counted:
    """Runs the trials of another Measurer and says where frames were lost and whether all counts add up.

    Invariant: after a restart that nobody asked for the DUT is restored before the next trial.
    """

    def __init__(self, measurer: Measurer, device: Countable, dut_ports: Mapping[int, int]) -> None:
        """Bind a measurer to the device that it measures.

        Args:
            measurer: runs a trial.
            device: what its frames pass.
            dut_ports: the device's port on the link of each port of the generator.

        """
        self._measurer = measurer
        self._device = device
        self._dut_ports = dict(dut_ports)
        self._in_doubt = False

    def measure(self, request: TrialRequest) -> TrialResult:
        """Run one trial; see Measurer.measure.

        Raises:
            DutError: the DUT does not answer before the trial, or cannot be restored.

        """
        if self._in_doubt:
            self._device.restore()
        self._in_doubt = True
        before = self._device.tally()
        result = self._measurer.measure(request)
        try:
            after = self._settled(before, result)
        except LabError as error:
            what = str(error).partition(";")[0]  # without the last lines of its console, which are for a person
            return result.model_copy(update={"dut_restart": f"it does not answer: {what}"})
        restarted = restart(before, after)
        if restarted:
            return result.model_copy(update={"dut_restart": restarted})
        self._in_doubt = False
        counted = after.since(before)
        return result.model_copy(
            update={
                "hop_losses": losses(result.directions, counted, self._dut_ports),
                "balances": balances(result.directions, counted, self._dut_ports),
            }
        )

    def _settled(self, before: Tally, result: TrialResult) -> Tally:
        """Read what the DUT has counted, until all adds up and nothing is held, or nothing moves any more."""
        end_s = time.monotonic() + SETTLE_LIMIT_S
        last: Tally | None = None
        while True:
            now = self._device.tally()
            if now == last or self._at_rest(before, now, result) or time.monotonic() > end_s:
                return now
            last = now
            time.sleep(SETTLE_S)

    def _at_rest(self, before: Tally, now: Tally, result: TrialResult) -> bool:
        if restart(before, now):
            return True
        if not now.complete:  # nothing tells whether all has arrived, and without a loss nobody asks
            return result.lost_frames == 0 or not now.ports
        sides = balances(result.directions, now.since(before), self._dut_ports)
        return now.held == 0 and all(side.adds_up for side in sides)
