"""Several TRex servers as one generator: their ports are numbered one after the other.

Frames are counted by the server that sent them, and latency is a difference of readings of one clock: traffic of a
trial goes between ports of one server (that is how the pairs of RFC 2544 section 14 are cabled). Single frames, as
functional tests exchange them, go between any two ports.

The servers begin together: each tells its clock (``ping``), and gets the same moment on its own clock as its start. The
skew that is left is at most half the round trip of the question to each of the two (tens of microseconds in a rack's
network), and what TRex itself takes from its start to the first frame.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TypeVar

from lab.errors import GeneratorError
from lab.traffic.models import (
    CapturedFrame,
    EngineReport,
    GeneratorInfo,
    LossRecord,
    SentFrame,
    Stream,
    StreamCount,
    TaggedRecord,
    TrafficResult,
)
from lab.traffic.trex import TrexGenerator

OfStream = TypeVar("OfStream", StreamCount, TaggedRecord, LossRecord)

START_AHEAD_S = 0.3
"""From when the first server is told to start until all do: each is told in some milliseconds."""
POLL_S = 0.02


class CombinedGenerator:
    """A TrafficGenerator over connections to servers, by the names of their nodes."""

    def __init__(self, generators: Mapping[str, TrexGenerator]) -> None:
        """Number the ports of the generators one after the other, in the order of the mapping."""
        self._generators = dict(generators)
        self._first: dict[str, int] = {}
        ports = 0
        for name, generator in self._generators.items():
            self._first[name] = ports
            ports += generator.info().ports

    def info(self) -> GeneratorInfo:
        """Return who generates: versions of all, joined where they differ, and the speed of the slowest."""
        all_of = [generator.info() for generator in self._generators.values()]
        return GeneratorInfo(
            version=_joined(info.version for info in all_of),
            mode=_joined(info.mode for info in all_of),
            client=_joined(info.client for info in all_of),
            ports=sum(info.ports for info in all_of),
            speed_gbps=min(info.speed_gbps for info in all_of),
            watches_itself=all(info.watches_itself for info in all_of),
        )

    def run(self, streams: Sequence[Stream], duration_s: float, *, residual_s: float = 0.0) -> TrafficResult:
        """Send streams from all servers at once; see TrafficGenerator.run.

        Raises:
            GeneratorError: a stream goes from one server to another, or a server fails.

        """
        shares = self._shares(streams)
        for name, share in shares.items():
            self._generators[name].prepare(share)
        # Of all the clocks before the first start, so that nothing is asked meanwhile.
        ahead_s = {name: self._generators[name].clock_ahead_s() for name in shares}
        start_s = time.monotonic() + START_AHEAD_S
        for name in shares:
            start_at_s = start_s + ahead_s[name] if len(shares) > 1 else 0.0
            self._generators[name].begin(duration_s, residual_s=residual_s, start_at_s=start_at_s)
        results = {name: self._generators[name].finish(duration_s, residual_s=residual_s) for name in shares}
        return self._joined_result(results, [stream.pg_id for stream in streams], duration_s)

    def exchange(
        self, frames: Sequence[SentFrame], capture_ports: Sequence[int], *, wait_s: float = 0.3, expect: int = 0
    ) -> tuple[CapturedFrame, ...]:
        """Send single frames between any ports and return what arrives; see TrafficGenerator.exchange.

        The frames are in order for each server; ``time_s`` is on the clock of the lab, and comparable to about a
        millisecond between servers.
        """
        watching = {name: self._local(name, capture_ports) for name in self._generators}
        sending = {name for name in self._generators if any(self._owner(frame.port) == name for frame in frames)}
        taking = [name for name in self._generators if watching[name] or name in sending]
        captured: list[CapturedFrame] = []
        for name in taking:
            self._generators[name].begin_capture(watching[name])
        try:
            for frame in frames:
                name = self._owner(frame.port)
                self._generators[name].send([frame.model_copy(update={"port": frame.port - self._first[name]})])
            deadline_s = time.monotonic() + wait_s
            while time.monotonic() < deadline_s:
                if expect and sum(self._generators[name].captured() for name in taking) >= expect:
                    break
                time.sleep(POLL_S)
        finally:
            for name in taking:
                ahead_s = self._generators[name].clock_ahead_s()
                captured += [
                    found.model_copy(update={"port": found.port + self._first[name], "time_s": found.time_s - ahead_s})
                    for found in self._generators[name].end_capture()
                ]
        return tuple(sorted(captured, key=lambda found: found.time_s))

    def await_links(self, limit_s: float) -> None:
        """Wait until the links of all ports are up; GeneratorError where one is down after ``limit_s`` each."""
        for name, generator in self._generators.items():
            try:
                generator.await_links(limit_s)
            except GeneratorError as error:
                raise GeneratorError(f"{name}: {error}") from error

    def close(self) -> None:
        """Release all ports and end all sessions. May be called twice."""
        for generator in self._generators.values():
            generator.close()

    def _owner(self, port: int) -> str:
        return max((name for name, first in self._first.items() if first <= port), key=lambda name: self._first[name])

    def _local(self, name: str, ports: Sequence[int]) -> list[int]:
        return [port - self._first[name] for port in ports if self._owner(port) == name]

    def _shares(self, streams: Sequence[Stream]) -> dict[str, list[Stream]]:
        """Return each server's streams, with its own numbers of ports."""
        shares: dict[str, list[Stream]] = {}
        for stream in streams:
            owner, other = self._owner(stream.tx_port), self._owner(stream.rx_port)
            if owner != other:
                raise GeneratorError(
                    f"traffic from port {stream.tx_port} of {owner} to port {stream.rx_port} of {other} cannot be "
                    "measured: two TRex servers have two clocks, and each counts only its own streams: cable the DUT's "
                    "ports 0 and 1, 2 and 3, ... to ports of the same TRex host"
                )
            first = self._first[owner]
            local = {"tx_port": stream.tx_port - first, "rx_port": stream.rx_port - first}
            shares.setdefault(owner, []).append(stream.model_copy(update=local))
        return shares

    def _joined_result(
        self, results: Mapping[str, TrafficResult], pg_ids: Sequence[int], duration_s: float
    ) -> TrafficResult:
        losses: list[LossRecord] = []
        for name, result in results.items():
            first = self._first[name]
            losses += [
                found.model_copy(update={"tx_port": found.tx_port + first, "rx_port": found.rx_port + first})
                for found in result.losses
            ]
        return TrafficResult(
            started_at_s=min(result.started_at_s for result in results.values()),
            duration_s=duration_s,
            settled=all(result.settled for result in results.values()),
            streams=_in_order(chain.from_iterable(result.streams for result in results.values()), pg_ids),
            tagged=_in_order(chain.from_iterable(result.tagged for result in results.values()), pg_ids),
            losses=_in_order(losses, pg_ids),
            engine=self._joined_report(results),
        )

    def _joined_report(self, results: Mapping[str, TrafficResult]) -> EngineReport | None:
        """Return the reports of all as one; None unless every server watches itself."""
        reports = {name: result.engine for name, result in results.items()}
        if any(report is None for report in reports.values()):
            return None
        ports, cores, invalid, verification = [], [], [], []
        for name, report in reports.items():
            assert report is not None
            first = self._first[name]
            ports += [port.model_copy(update={"port": port.port + first}) for port in report.ports]
            cores += [core.model_copy(update={"who": f"{core.who} {name}"}) for core in report.cores]
            invalid += [f"{name}: {reason}" for reason in report.invalid]
            verification += [
                found.model_copy(
                    update={
                        "tx_port": found.tx_port + first,
                        "rx_port": found.rx_port + first,
                        "wrong": tuple(w.model_copy(update={"port": w.port + first}) for w in found.wrong),
                    }
                )
                for found in report.verification
            ]
        return EngineReport(
            ports=tuple(ports), cores=tuple(cores), invalid=tuple(invalid), verification=tuple(verification)
        )


def _joined(words: Iterable[str]) -> str:
    return " and ".join(dict.fromkeys(words))


def _in_order(records: Iterable[OfStream], pg_ids: Sequence[int]) -> tuple[OfStream, ...]:
    """Return records of streams in the order in which the streams were asked for."""
    return tuple(sorted(records, key=lambda record: pg_ids.index(record.pg_id)))
