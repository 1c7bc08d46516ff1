"""The TRex driver: one code for vtrex and a real TRex, through the official client in a worker process."""

from __future__ import annotations

import contextlib
import json
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import zmq

from lab.errors import GeneratorError
from lab.methods.trial import DelayVariation, Disturbance, WrongFrames
from lab.process import dying_with_parent, on_core
from lab.traffic import histogram
from lab.traffic.lines import LineReader
from lab.traffic.models import (
    CapturedFrame,
    EngineReport,
    GeneratorInfo,
    LossRecord,
    PortReport,
    SentFrame,
    SequenceRecord,
    Stream,
    StreamCount,
    TaggedRecord,
    TrafficResult,
    VerifiedDirection,
)

OLDEST_VERSION = (2, 94)
"""First release with STL API 5.1, which lbr-trex-client 3.4.0 needs."""

CALL_GRACE_S = 30.0

WAKE_BEFORE_END_S = 0.05
LONGEST_STOP_S = 5.0
"""Half of the 10 s after which TRex drops a session's events."""
WAKE_S = 0.1

SERVER_END_S = 1.0
"""How long a server that ends takes to be gone after its client noticed."""


def server_version(server: str, sync_port: int, timeout_s: float = 3.0) -> str:
    """Ask a server for its release; the only question that comes before any check of API versions.

    Returns:
        Such as ``v3.08``.

    Raises:
        GeneratorError: nobody answers in ``timeout_s``, or what answers is no TRex.

    """
    where = f"tcp://{server}:{sync_port}"
    context = zmq.Context()
    socket = context.socket(zmq.REQ)
    socket.setsockopt(zmq.LINGER, 0)
    try:
        socket.connect(where)
        socket.send_json({"jsonrpc": "2.0", "id": "1", "method": "get_version", "params": {}})
        if not socket.poll(int(timeout_s * 1000)):
            raise GeneratorError(
                f"no TRex answers at {where} within {timeout_s:g} s: start it (t-rex-64 -i) or correct the testbed"
            )
        answer: Any = json.loads(socket.recv())
        return str(answer["result"]["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise GeneratorError(f"what answers at {where} is no TRex server: {error}") from error
    finally:
        context.destroy()


def check_version(version: str) -> None:
    """Refuse a server that the official client cannot talk to.

    Raises:
        GeneratorError: the release is older than v2.94.

    """
    numbers = re.match(r"v?(\d+)\.(\d+)", version)
    if numbers and (int(numbers[1]), int(numbers[2])) < OLDEST_VERSION:
        raise GeneratorError(
            f"TRex server {version} is older than v2.94, the first that lbr-trex-client 3.4.0 speaks to: update it"
        )


class ServerProcess(Protocol):
    """A server on this host, whose end is seen at once and not when its client has given up waiting."""

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when the process has ended."""
        ...

    def last_words(self) -> str:
        """Say in a clause how the process ended."""
        ...


class TrexGenerator:
    """A TrafficGenerator: the official client in a process of its own."""

    def __init__(
        self,
        server: str,
        sync_port: int,
        async_port: int,
        log: Path,
        *,
        housekeeping_core: int | None = None,
        process: ServerProcess | None = None,
    ) -> None:
        """Connect and take all ports.

        Args:
            server: host name or address.
            sync_port: of the RPC (4501 on a stock TRex).
            async_port: of the publisher (4500).
            log: file for what the client prints.
            housekeeping_core: host core of the client, which must not wake up on one that polls; None: any.
            process: the server's, where it runs on this host.

        Raises:
            GeneratorError: the server cannot be reached, is too old, or refuses.

        """
        self._server = process
        check_version(server_version(server, sync_port))
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                dying_with_parent(on_core(housekeeping_core, [sys.executable, "-m", "lab.traffic.worker"])),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                bufsize=0,
            )
        self._lines = LineReader(self._process.stdout)
        self._log = log
        self._closed = False
        self._shares_cores = housekeeping_core is not None
        try:
            answer = self._call("connect", {"server": server, "sync_port": sync_port, "async_port": async_port})
        except GeneratorError:
            self.close()
            raise
        self._info = GeneratorInfo(**answer)

    def info(self) -> GeneratorInfo:
        """Return who generates."""
        return self._info

    def run(self, streams: Sequence[Stream], duration_s: float, *, residual_s: float = 0.0) -> TrafficResult:
        """Send the streams for ``duration_s`` and return the settled counts; see TrafficGenerator.run."""
        asked = [
            {
                "pg_id": s.pg_id,
                "tx_port": s.tx_port,
                "rx_port": s.rx_port,
                "hex": s.frame.hex(),
                "rate_pps": s.rate_pps,
                "tagged": s.tagged,
                "sweeps": [sweep.model_dump() for sweep in s.sweeps],
                "arrival": s.arrival.model_dump() if s.arrival else None,
                "begin_s": s.begin_s,
                "frames": s.frames,
            }
            for s in streams
        ]
        args = {"streams": asked, "duration_s": duration_s, "residual_s": residual_s}
        self._call("run", args)  # answered when the traffic has been started
        if self._shares_cores:
            self._stand_still(duration_s)
        answer = self._receive("run", duration_s + residual_s + CALL_GRACE_S)
        return TrafficResult(
            started_at_s=answer["started_at_s"],
            duration_s=answer["duration_s"],
            settled=answer["settled"],
            streams=tuple(StreamCount(**count) for count in answer["streams"]),
            tagged=tuple(_tagged_record(record) for record in answer["tagged"]),
            losses=tuple(_loss_record(found) for found in answer["losses"]),
            engine=_engine_report(answer["report"]) if answer["report"] else None,
        )

    def exchange(
        self, frames: Sequence[SentFrame], capture_ports: Sequence[int], *, wait_s: float = 0.3, expect: int = 0
    ) -> tuple[CapturedFrame, ...]:
        """Send single frames and return what arrives; see TrafficGenerator.exchange."""
        asked = [{"port": f.port, "hex": f.frame.hex()} for f in frames]
        args = {"frames": asked, "capture_ports": list(capture_ports), "wait_s": wait_s, "expect": expect}
        answer = self._call("exchange", args, wait_s + CALL_GRACE_S)
        return tuple(CapturedFrame(port=p["port"], time_s=p["time_s"], frame=bytes.fromhex(p["hex"])) for p in answer)

    def await_links(self, limit_s: float) -> None:
        """Wait until the links of all ports are up.

        Raises:
            GeneratorError: one is down after ``limit_s``.

        """
        down = self._call("links_down", {"limit_s": limit_s}, limit_s + CALL_GRACE_S)
        if down:
            raise GeneratorError(f"the link of the generator's port {down[0]} is still down after {limit_s:g} s")

    def close(self) -> None:
        """Release the ports and end the worker. May be called twice."""
        if self._closed:
            return
        self._closed = True
        if self._process.poll() is None:
            try:
                self._call("close", {}, 5.0)
                self._process.wait(5.0)
            except (GeneratorError, subprocess.TimeoutExpired):
                self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):  # what could not be flushed to a dead worker
                    stream.close()

    def _stand_still(self, duration_s: float) -> None:
        """Stop the worker for most of a trial.

        The client wakes up twice a second to ask for events; where it shares a core with the generator's polling loop,
        each of these is a gap of a millisecond or two in the trial. It is let run for a moment every few seconds, as a
        server forgets a client that is silent for long. Ends early when the server or the worker has ended.
        """
        watched = [one for one in (self._server, self._process.stdout) if one is not None]
        left_s = duration_s - WAKE_BEFORE_END_S
        while left_s > 0:
            piece_s = min(left_s, LONGEST_STOP_S)
            self._process.send_signal(signal.SIGSTOP)
            ended = select.select(watched, [], [], piece_s)[0]
            self._process.send_signal(signal.SIGCONT)
            if ended:
                return
            left_s -= piece_s
            if left_s > 0:
                time.sleep(WAKE_S)
                left_s -= WAKE_S

    def _call(self, name: str, args: dict[str, Any], timeout_s: float = CALL_GRACE_S) -> Any:
        stdin = self._process.stdin
        assert stdin is not None
        with contextlib.suppress(BrokenPipeError):  # then nothing will be received
            stdin.write(json.dumps({"call": name, "args": args}).encode() + b"\n")
        return self._receive(name, timeout_s)

    def _receive(self, name: str, timeout_s: float) -> Any:
        line = self._lines.read(timeout_s, self._server.fileno() if self._server else None)
        answer = json.loads(line) if line else {}
        if "result" in answer:
            return answer["result"]
        # A client may see the end of its server before we do: what it says then is only that.
        if self._server and select.select([self._server], [], [], SERVER_END_S)[0]:
            self._process.kill()  # it would wait for a server that is gone
            raise GeneratorError(f"{self._server.last_words()} during '{name}'")
        if not line:
            raise GeneratorError(
                f"the TRex client ended or hung during '{name}' (exit code {self._process.poll()}): see {self._log}"
            )
        raise GeneratorError(f"TRex refused '{name}': {answer['error']}")


def _tagged_record(record: dict[str, Any]) -> TaggedRecord:
    """Make one record of what the server's own extra methods told or, failing these, TRex's statistics."""
    trex = record["trex"] or {}
    errors = trex.get("err_cntrs", {})
    counts = {"out_of_order": errors.get("out_of_order", 0), "duplicates": errors.get("dup", 0)}
    exact = record.get("latency")
    if exact is not None:
        arrivals, sequence = record["arrivals"], record["sequence"]
        return TaggedRecord(
            pg_id=record["pg_id"],
            count=exact["count"],
            min_ns=exact["min_ns"],
            max_ns=exact["max_ns"],
            mean_ns=exact["mean_ns"],
            latency_hdr=exact["hdr"],
            latency_source="vtrex-tsc",
            variation=_variation(exact["variation"]),
            arrivals=arrivals["seqs"],
            arrival_times=arrivals["times_ns"],
            arrival_delays=arrivals["delays_ns"],
            arrivals_recorded=arrivals["recorded"],
            arrivals_received=arrivals["received"],
            sequence=SequenceRecord(
                numbered_frames=sequence["numbered"],
                distinct_frames=sequence["received"],
                lost_frames=sequence["lost"],
                duplicates=sequence["duplicates"],
                reordered=sequence["reordered"],
                too_old=sequence["too_old"],
                never_sent=sequence["never_sent"],
                extent_max=sequence["extent"]["max"],
                extent_mean=sequence["extent"]["mean"],
                extent_unknown=sequence["extent"]["unknown"],
            ),
            **counts,
        )
    latency = trex.get("latency", {})
    count, encoded = histogram.from_trex(latency.get("histogram", {}))
    return TaggedRecord(
        pg_id=record["pg_id"],
        count=count,
        min_ns=int(latency.get("total_min") or 0) * 1000,
        max_ns=int(latency.get("total_max") or 0) * 1000,
        mean_ns=float(latency.get("average") or 0.0) * 1000,
        latency_hdr=encoded,
        latency_source="trex-histogram",
        **counts,
    )


def _variation(found: dict[str, Any]) -> DelayVariation | None:
    if not found["count"]:
        return None
    return DelayVariation(
        count=found["count"],
        min_ns=found["min_ns"],
        max_ns=found["max_ns"],
        mean_abs_ns=found["mean_abs_ns"],
        hdr=found["hdr"],
    )


def _loss_record(found: dict[str, Any]) -> LossRecord:
    nothing: dict[str, Any] = {"number": None, "at_ns": None, "frames": 0}
    first, last, longest = (found[name] or nothing for name in ("first", "last", "longest"))
    return LossRecord(
        pg_id=found["pg_id"],
        tx_port=found["tx_port"],
        rx_port=found["rx_port"],
        numbered_frames=found["numbered"],
        lost_frames=found["lost"],
        first_lost=first["number"],
        last_lost=last["number"],
        longest_first=longest["number"],
        longest_frames=longest["frames"],
        first_lost_at_s=_seconds(first["at_ns"]),
        last_lost_at_s=_seconds(last["at_ns"]),
        longest_at_s=_seconds(longest["at_ns"]),
        first_due_s=found["first_due_ns"] / 1e9,
        frame_time_s=found["frame_time_ns"] / 1e9,
        exact=found["times_exact"],
    )


def _seconds(time_ns: float | None) -> float | None:
    return None if time_ns is None else time_ns / 1e9


def _engine_report(report: dict[str, Any]) -> EngineReport:
    return EngineReport(
        ports=tuple(
            PortReport(
                port=p["port_id"],
                intended_frames=p["intended_packets"],
                sent_frames=p["sent_packets"],
                refused_frames=p["queue_full"],
                unknown_frames=p["rx_unknown"],
                sending_s=p["sending_ns"] / 1e9,
            )
            for p in report["ports"]
        ),
        invalid=tuple(report["invalid"]),
        cores=tuple(
            Disturbance(
                who="generator",
                core=core["id"],
                gap_max_ns=core["gap_max_ns"],
                gap_total_ns=core["gap_total_ns"],
                gaps_over_100us=core["gaps_over_100us"],
                run_delay_ns=core["run_delay_ns"],
                steal_ns=core["steal_ns"],
            )
            for core in report["cores"]
        ),
        verification=tuple(_verified(direction) for direction in report["verification"]),
    )


def _verified(direction: dict[str, Any]) -> VerifiedDirection:
    wrong = [
        WrongFrames(
            kind=kind,
            frames=found["frames"],
            port=found["first"]["port"],
            reason=found["first"]["reason"],
            first_hex=found["first"]["hex"],
        )
        for kind, found in direction["wrong"].items()
    ]
    return VerifiedDirection(
        tx_port=direction["tx_port"],
        rx_port=direction["rx_port"],
        reordered_frames=direction["reordered"],
        wrong=tuple(wrong),
    )
