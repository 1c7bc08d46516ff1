"""What Linux knows of a thread's core: how long it was ready without running, how long the host took the core away."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from lab.methods.trial import Disturbance

_STEAL_COLUMN = 8  # /proc/stat: "cpuN user nice system idle iowait irq softirq steal ..." (proc(5))


def run_delay_ns(tid: int) -> int:
    """Return the time that a thread has waited on a run queue, in ns (second field of /proc/TID/schedstat).

    Raises:
        FileNotFoundError: there is no such thread.

    """
    return int(Path(f"/proc/{tid}/schedstat").read_text().split()[1])


def steal_ns(core: int) -> int:
    """Return the time that the host has taken from a core since boot, in ns (/proc/stat counts in clock ticks)."""
    for line in Path("/proc/stat").read_text().splitlines():
        fields = line.split()
        if fields[0] == f"cpu{core}":
            return int(fields[_STEAL_COLUMN]) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    return 0


@dataclass
class ThreadProbe:
    """Measures the disturbance of one polling thread, pinned to one core, between ``begin`` and ``end``."""

    who: str
    tid: int
    core: int
    _run_delay_ns: int = 0
    _steal_ns: int = 0

    def begin(self) -> None:
        """Note the state before a trial."""
        self._run_delay_ns, self._steal_ns = run_delay_ns(self.tid), steal_ns(self.core)

    def end(self) -> Disturbance:
        """Return what has come since ``begin``."""
        return Disturbance(
            who=self.who,
            core=self.core,
            run_delay_ns=run_delay_ns(self.tid) - self._run_delay_ns,
            steal_ns=steal_ns(self.core) - self._steal_ns,
        )
