"""The trial report: what was intended and sent, and what disturbed the engine meanwhile."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from lab.core_time import CoreTime, core_time
from lab.vtrex import verification
from lab.vtrex.engine import Engine
from lab.vtrex.judgement import clock_warnings, reasons

JOIN_S = 0.1  # a start this soon after the last end still belongs to the trial


class TrialWatch:
    """Decides which starts form a trial and keeps the disturbance of the engine's core meanwhile."""

    def __init__(self, engine: Engine, gap_limit_us: float) -> None:
        """Watch this engine, whose polling threads may be away from their loops for so long in a trial that counts."""
        self._engine = engine
        self._gap_limit_us = gap_limit_us
        self._clock_warnings = clock_warnings()
        self._ports: set[int] = set()
        self._ended_s: float | None = None
        self._begin: list[CoreTime] | None = None
        self._end: list[CoreTime] | None = None

    def joins(self, port_id: int, now_s: float, *, active: Set[int]) -> bool:
        """Tell whether a start of this port belongs to the present trial; ``active`` ports have traffic now."""
        recent = bool(active) or (self._ended_s is not None and now_s - self._ended_s < JOIN_S)
        return recent and (port_id not in self._ports or port_id in active)

    def started(self, port_id: int, *, joined: bool, before: list[CoreTime]) -> None:
        """Note a start; ``before`` is the disturbance just before it."""
        if not joined:
            self._ports = set()
            self._begin = before
        self._ports.add(port_id)
        self._end = None

    def ended(self, now_s: float) -> None:
        """Note that no port transmits any more."""
        self._ended_s = now_s
        self._end = self.snapshot()

    def snapshot(self) -> list[CoreTime]:
        """Read the disturbance of the engine's threads and their cores."""
        return [core_time(polling.tid, polling.core) for polling in self._engine.cores]

    def report(self) -> dict[str, Any]:
        """Return the result of pixlab_get_trial_report."""
        counters, ports, cores = self._engine.trial()
        disturbed = [CoreTime(0, 0)] * len(cores)
        if self._begin is not None:
            after = self._end or self.snapshot()
            disturbed = [end.since(begin) for end, begin in zip(after, self._begin, strict=True)]
        return {
            "trial": counters.number,
            "running": bool(counters.running),
            "duration_ns": counters.duration_ns,
            "ports": [
                {
                    "port_id": port.port_id,
                    "intended_packets": port.intended_packets,
                    "sent_packets": port.sent_packets,
                    "queue_full": port.queue_full,
                    "too_late": port.late,
                    "rx_packets": port.rx_packets,
                    "rx_unknown": port.rx_unknown,
                    "lateness_ns": port.lateness_ns._asdict(),
                    "jitter_ns": port.jitter_ns._asdict(),
                    "sending_ns": port.sending_ns,
                    "link_downs": port.link_downs,
                    "link_down_at_ns": port.link_down_at_ns,
                }
                for port in ports
            ],
            "gaps": {
                "over_10us": counters.gaps_over_10us,
                "over_50us": counters.gaps_over_50us,
                "over_100us": counters.gaps_over_100us,
                "over_1ms": counters.gaps_over_1ms,
                "max_ns": counters.gap_max_ns,
                "total_ns": counters.gap_total_ns,
            },
            "cores": [
                {
                    "id": seen.core,
                    "tid": polling.tid,
                    "gaps_over_100us": seen.gaps_over_100us,
                    "gap_max_ns": seen.gap_max_ns,
                    "gap_max_at_ns": seen.gap_max_at_ns,
                    "gap_total_ns": seen.gap_total_ns,
                    "run_delay_ns": lost.run_delay_ns,
                    "steal_ns": lost.steal_ns,
                }
                for seen, lost, polling in zip(cores, disturbed, self._engine.cores, strict=True)
            ],
            "verification": verification.report(self._engine),
            "invalid": reasons(counters, ports, cores, self._gap_limit_us),
            "warnings": self._clock_warnings,
        }
