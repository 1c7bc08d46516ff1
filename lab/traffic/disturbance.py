"""The disturbance of a polling thread of the DUT during a trial."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from lab.core_time import CoreTime, core_time
from lab.errors import DutError
from lab.methods.trial import Disturbance


@dataclass
class ThreadProbe:
    """Measures the disturbance of one polling thread, pinned to one core, between ``begin`` and ``end``.

    ``tid`` may be a function, for a device that has other threads after a reset. Of a thread that ended meanwhile
    nothing is known.
    """

    who: str
    tid: int | Callable[[], int]
    core: int
    _thread: int = 0
    _before: CoreTime | None = None

    def begin(self) -> None:
        """Note the state before a trial.

        Raises:
            DutError: there is no such thread.

        """
        self._thread = self.tid if isinstance(self.tid, int) else self.tid()
        try:
            self._before = core_time(self._thread, self.core)
        except OSError as error:
            raise DutError(f"the {self.who} has ended: {error}") from error

    def end(self) -> Disturbance:
        """Return what has come since ``begin``."""
        assert self._before is not None, "begin comes first"
        with suppress(OSError):
            lost = core_time(self._thread, self.core).since(self._before)
            return Disturbance(who=self.who, core=self.core, run_delay_ns=lost.run_delay_ns, steal_ns=lost.steal_ns)
        return Disturbance(who=self.who, core=self.core)
