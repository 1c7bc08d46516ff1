"""What Linux says about the time that the engine's thread and core did not get."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STEAL_FIELD = 8  # of a cpu line in /proc/stat, counted from the name (proc_stat(5))


@dataclass(frozen=True)
class CoreSnapshot:
    """Counters of one moment; differences of two are what happened between them.

    ``run_delay_ns``: time the thread was ready and waited for its core; ``steal_ticks``: time the hypervisor took
    from the core, in units of 1/SC_CLK_TCK s; ``nonvoluntary_switches``: how often the thread was preempted.
    """

    run_delay_ns: int
    steal_ticks: int
    nonvoluntary_switches: int

    def since(self, earlier: CoreSnapshot) -> CoreSnapshot:
        """Return the differences."""
        return CoreSnapshot(
            self.run_delay_ns - earlier.run_delay_ns,
            self.steal_ticks - earlier.steal_ticks,
            self.nonvoluntary_switches - earlier.nonvoluntary_switches,
        )


def snapshot(pid: int, tid: int, core: int) -> CoreSnapshot:
    """Read the counters of a thread and a core.

    Raises:
        OSError: the thread is gone.

    """
    task = Path(f"/proc/{pid}/task/{tid}")
    run_delay_ns = int((task / "schedstat").read_text().split()[1])
    switches = 0
    for line in (task / "status").read_text().splitlines():
        if line.startswith("nonvoluntary_ctxt_switches:"):
            switches = int(line.split()[1])
    steal_ticks = 0
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{core} "):
            steal_ticks = int(line.split()[STEAL_FIELD])
    return CoreSnapshot(run_delay_ns, steal_ticks, switches)
