"""What Linux knows of the time that a thread and its core did not get: the one reader of these figures of /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_STEAL_COLUMN = 8  # /proc/stat: "cpuN user nice system idle iowait irq softirq steal ..." (proc_stat(5))


@dataclass(frozen=True)
class CoreTime:
    """Counters of one moment, or the differences of two.

    ``run_delay_ns``: the thread was ready and waited for its core (schedstat); ``steal_ns``: the host took the core
    away, which Linux counts in clock ticks, so in steps of 10 ms as a rule.
    """

    run_delay_ns: int
    steal_ns: int

    def since(self, earlier: CoreTime) -> CoreTime:
        """Return the differences."""
        return CoreTime(self.run_delay_ns - earlier.run_delay_ns, self.steal_ns - earlier.steal_ns)


def core_time(tid: int, core: int) -> CoreTime:
    """Read the counters of a thread and a core.

    Raises:
        FileNotFoundError: there is no such thread.

    """
    return CoreTime(int(Path(f"/proc/{tid}/schedstat").read_text().split()[1]), _steal_ns(core))


def _steal_ns(core: int) -> int:
    for line in Path("/proc/stat").read_text().splitlines():
        fields = line.split()
        if fields[0] == f"cpu{core}":
            return int(fields[_STEAL_COLUMN]) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    return 0
