"""The disturbance of a polling thread of the DUT during a trial."""

from __future__ import annotations

from dataclasses import dataclass

from lab.core_time import CoreTime, core_time
from lab.methods.trial import Disturbance


@dataclass
class ThreadProbe:
    """Measures the disturbance of one polling thread, pinned to one core, between ``begin`` and ``end``."""

    who: str
    tid: int
    core: int
    _before: CoreTime | None = None

    def begin(self) -> None:
        """Note the state before a trial."""
        self._before = core_time(self.tid, self.core)

    def end(self) -> Disturbance:
        """Return what has come since ``begin``."""
        assert self._before is not None, "begin comes first"
        lost = core_time(self.tid, self.core).since(self._before)
        return Disturbance(who=self.who, core=self.core, run_delay_ns=lost.run_delay_ns, steal_ns=lost.steal_ns)
