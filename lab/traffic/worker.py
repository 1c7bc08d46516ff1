"""The process in which TRex's official client lives: ``python -m lab.traffic.worker``.

The client replaces modules of its host program (zmq, scapy) and sends SIGTERM to its own process when its subscriber
fails, so it gets a process of its own. Requests are JSON lines on stdin, answers JSON lines on the original stdout;
whatever the client prints goes to stderr. Nothing here may import lab's users of zmq or scapy.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from lab.traffic.official import official

JsonObject = dict[str, Any]

SETTLE_POLL_S = 0.05
SETTLE_LIMIT_S = 2.0
LOOK_S = 0.5
CLOCK_QUESTIONS = 8
EXTRA_METHODS = "pixlab_get_trial_report"
"""A server that answers this method watches itself and records every arrival (vtrex)."""


class Worker:
    """One session of the official client, driven by the calls of the parent process."""

    def __init__(self, tell: Callable[[JsonObject], None]) -> None:
        self._tell = tell
        self._client: Any = None
        self._api: Any = None
        self._official: Any = None
        self._extras = False
        self._streams: list[JsonObject] = []
        self._capture: int | None = None

    def connect(self, client: str, server: str, sync_port: int, async_port: int) -> JsonObject:
        """Connect, take all ports and bring them into a known state. Returns version, mode, ports and speed."""
        self._official = official(client, server, sync_port, async_port)
        self._api, self._client = self._official.api, self._official.client
        self._client.connect()
        ports = self._client.get_all_ports()
        self._client.reset(ports=ports)
        version = self._client.get_server_version()
        self._extras = self._extra(EXTRA_METHODS, {}) is not None
        return {
            "version": version["version"],
            "mode": version.get("mode", "STL"),
            "client": self._official.name,
            "ports": len(ports),
            "speed_gbps": float(self._client.get_port_info(ports)[0]["speed"]),
            "watches_itself": self._extras,
        }

    def prepare(self, streams: list[JsonObject]) -> None:
        """Give the server ``streams``, instead of those that it has."""
        client = self._client
        # Of all ports: streams of an earlier run would keep their pg_ids.
        client.remove_all_streams(ports=client.get_all_ports())
        for port in _senders(streams):
            client.add_streams([self._stream(s) for s in streams if s["tx_port"] == port], ports=[port])
        if self._extras:
            self._verify([s for s in streams if s["arrival"]])
        client.clear_stats(ports=client.get_all_ports())
        self._streams = streams

    def clock_ahead_s(self) -> float:
        """Return by how much the server's clock is ahead of this host's monotonic one, from the quickest of answers."""
        answers = []
        for _ in range(CLOCK_QUESTIONS):
            asked_s = time.monotonic()
            ts = self._told("ping", {})["ts"]
            took_s = time.monotonic() - asked_s
            answers.append((took_s, ts - (asked_s + took_s / 2)))
        return float(min(answers)[1])

    def run(self, duration_s: float, residual_s: float, start_at_s: float) -> JsonObject:
        """Send the prepared streams for ``duration_s`` and return their counts (shape of TrafficResult, see trex.py).

        They start at ``start_at_s`` of the server's clock; 0: now. Once that is asked an answer ``"started"`` goes
        ahead of the result.
        """
        client, streams = self._client, self._streams
        senders = _senders(streams)
        started_at_s = time.time()
        # Streams with a number of frames end by themselves; a duration could only cut the last ones off.
        endless = any(s["frames"] is None for s in streams)
        with self._starting_at(senders, start_at_s):
            client.start(ports=senders, duration=duration_s if endless else -1, force=True)
        self._tell({"result": "started"})
        self._sleep(duration_s)
        # A TRex whose NICs count has their filters removed some time after the last frame; ours counts on.
        residual_ms = {"rx_delay_ms": int(residual_s * 1000)} if residual_s else {}
        client.wait_on_traffic(ports=senders, timeout=duration_s + 10, **residual_ms)
        settled = self._settle()
        stats = client.get_pgid_stats()
        return {
            "started_at_s": started_at_s,
            "duration_s": duration_s,
            "settled": settled,
            "streams": [self._count(stats, s) for s in streams],
            "tagged": [self._tagged(stats, s) for s in streams if s["tagged"]],
            "losses": self._told("pixlab_get_losses", {})["streams"] if self._extras else [],
            "report": self._extra(EXTRA_METHODS, {}) if self._extras else None,
        }

    @contextlib.contextmanager
    def _starting_at(self, ports: list[int], start_at_s: float) -> Iterator[None]:
        """Have the client's next start of ``ports`` name a moment, for which it has no argument of its own."""
        if start_at_s:
            for port in ports:
                self._client.ports[port].start = _at(self._client.ports[port].start, start_at_s)
        try:
            yield
        finally:
            if start_at_s:
                for port in ports:
                    del self._client.ports[port].start

    def _sleep(self, duration_s: float) -> None:
        """Wait while frames are sent, or until the server is gone.

        Every wake-up of this process takes the core away from a generator on the same host; so it wakes up no more
        often than the client does anyway, and not at all where its parent stops it.
        """
        end_s = time.monotonic() + duration_s
        while (left_s := end_s - time.monotonic()) > 0:
            time.sleep(min(left_s, LOOK_S))
            if not self._client.is_connected():
                raise RuntimeError("the server is gone")

    def exchange(
        self, frames: list[JsonObject], capture_ports: list[int], wait_s: float, expect: int
    ) -> list[JsonObject]:
        """Send single frames and return what the capture ports receive within ``wait_s``."""
        self.begin_capture(capture_ports)
        try:
            self.send(frames)
            deadline = time.monotonic() + wait_s
            while time.monotonic() < deadline:
                if expect and self.captured() >= expect:
                    break
                time.sleep(0.02)
        finally:
            packets = self.end_capture()
        return packets

    def begin_capture(self, ports: list[int]) -> None:
        """Get ready to send single frames, and keep what ``ports`` receive from now on."""
        self._client.set_service_mode(ports=self._client.get_all_ports(), enabled=True)
        self._capture = self._client.start_capture(rx_ports=ports, limit=1000)["id"] if ports else None

    def send(self, frames: list[JsonObject]) -> None:
        """Send single frames."""
        for frame in frames:
            wrap = self._official.packet_buffer
            buffer = wrap(bytes.fromhex(frame["hex"]), port_src=False, port_dst=False)
            self._client.push_packets(buffer, ports=[frame["port"]], force=True)

    def captured(self) -> int:
        """Return how many frames were received so far."""
        return 0 if self._capture is None else int(self._client.get_capture_status()[self._capture]["count"])

    def end_capture(self) -> list[JsonObject]:
        """Return what was received."""
        packets: list[JsonObject] = []
        if self._capture is not None:
            self._client.stop_capture(self._capture, packets)
        self._client.set_service_mode(ports=self._client.get_all_ports(), enabled=False)
        return [{"port": p["port"], "time_s": p["ts"], "hex": p["binary"].hex()} for p in packets]

    def links_down(self, limit_s: float) -> list[int]:
        """Wait until all links are up; returns the ports whose links are down at the end of the time."""
        deadline = time.monotonic() + limit_s
        while True:
            down = [port for port in self._client.get_all_ports() if not self._link_is_up(port)]
            if not down or time.monotonic() > deadline:
                return down
            time.sleep(LOOK_S)

    def _link_is_up(self, port: int) -> bool:
        answer = self._client._transmit("get_port_status", {"port_id": port})
        return bool(answer) and bool(answer.data()["attr"]["link"]["up"])

    def close(self) -> None:
        """Release the ports and disconnect."""
        if self._client is not None:
            self._client.disconnect()

    def _stream(self, s: JsonObject) -> Any:
        api = self._api
        instructions: list[Any] = []
        for sweep in s["sweeps"]:
            instructions += [
                self._variable(sweep),
                api.STLVmWrFlowVar(fv_name=sweep["name"], pkt_offset=sweep["offset_bytes"]),
            ]
        if instructions:
            instructions.append(_checksums(api, bytes.fromhex(s["hex"])))
        stats = api.STLFlowLatencyStats if s["tagged"] else api.STLFlowStats
        return api.STLStream(
            name=f"pg{s['pg_id']}",
            packet=api.STLPktBuilder(pkt_buffer=bytes.fromhex(s["hex"]), vm=instructions or None, remove_fcs=False),
            mode=self._mode(s),
            isg=s["begin_s"] * 1e6,
            flow_stats=stats(pg_id=s["pg_id"]),
            mac_src_override_by_pkt=True,
            mac_dst_override_mode=api.STLStreamDstMAC_PKT,
            random_seed=s["pg_id"],
        )

    def _mode(self, s: JsonObject) -> Any:
        if s["frames"] is None:
            return self._api.STLTXCont(pps=s["rate_pps"])
        return self._api.STLTXSingleBurst(pps=s["rate_pps"], total_pkts=s["frames"])

    def _variable(self, sweep: JsonObject) -> Any:
        op = "random" if sweep["random"] else "inc"
        if sweep["values"]:
            if not self._official.has_value_lists:
                raise RuntimeError(f"{self._official.name} has no lists of values: take a TRex from v2.94 on")
            return self._api.STLVmFlowVar(name=sweep["name"], value_list=sweep["values"], size=4, op=op)
        last = sweep["first"] + sweep["count"] - 1
        return self._api.STLVmFlowVar(name=sweep["name"], min_value=sweep["first"], max_value=last, size=4, op=op)

    def _settle(self) -> bool:
        """Wait until two successive readings of the receive counters agree. Returns False at the time limit."""
        deadline = time.monotonic() + SETTLE_LIMIT_S
        last: Any = None
        while time.monotonic() < deadline:
            flows = self._client.get_pgid_stats()["flow_stats"]
            now = {key: flow["rx_pkts"] for key, flow in flows.items() if key != "global"}
            if now == last:
                return True
            last = now
            time.sleep(SETTLE_POLL_S)
        return False

    def _count(self, stats: JsonObject, s: JsonObject) -> JsonObject:
        flow = stats["flow_stats"][s["pg_id"]]
        return {
            "pg_id": s["pg_id"],
            "sent_frames": flow["tx_pkts"][s["tx_port"]],
            "received_frames": flow["rx_pkts"][s["rx_port"]],
        }

    def _tagged(self, stats: JsonObject, s: JsonObject) -> JsonObject:
        pg_id = s["pg_id"]
        record: JsonObject = {"pg_id": pg_id, "trex": stats["latency"].get(pg_id)}
        if self._extras:
            record["latency"] = self._told("pixlab_get_latency", {"pg_id": pg_id})
            record["sequence"] = self._told("pixlab_get_sequence", {"pg_id": pg_id})
            record["arrivals"] = self._arrivals(pg_id)
        return record

    def _arrivals(self, pg_id: int) -> JsonObject:
        """Fetch the log of arrivals of a stream, in as many parts as it takes; each array is base64 of one of zlib."""
        names, sizes = ("seqs", "delays_ns", "times_ns"), (4, 4, 8)
        arrays = {name: bytearray() for name in names}
        while True:
            have = len(arrays["seqs"]) // sizes[0]
            part: JsonObject = self._told("pixlab_get_arrivals", {"pg_id": pg_id, "offset": have})
            pieces = {name: zlib.decompress(base64.b64decode(part[name])) for name in names}
            for name, piece in pieces.items():
                arrays[name] += piece
            if not pieces["seqs"] or len(arrays["seqs"]) // sizes[0] >= part["recorded"]:
                break
        return part | {name: base64.b64encode(zlib.compress(array, 1)).decode() for name, array in arrays.items()}

    def _verify(self, streams: list[JsonObject]) -> None:
        """Have the received frames of these streams compared with the sent ones."""
        asked = [{"pg_id": s["pg_id"], "rx_port": s["rx_port"], **s["arrival"]} for s in streams]
        answer = self._client._transmit("pixlab_verify", {"streams": asked})
        if not answer:
            raise RuntimeError(f"frames cannot be verified: {answer}")

    def _extra(self, method: str, params: JsonObject) -> Any:
        """Call a method that is not TRex's; None when the server does not know it."""
        answer = self._client._transmit(method, params)
        return answer.data() if answer else None

    def _told(self, method: str, params: JsonObject) -> Any:
        """Call a method that a server which watches itself has."""
        answer = self._client._transmit(method, params)
        if not answer:
            raise RuntimeError(f"{method} failed: {answer.err()}")
        return answer.data()


def _senders(streams: list[JsonObject]) -> list[int]:
    return sorted({s["tx_port"] for s in streams})


def _at(start: Callable[..., Any], start_at_s: float) -> Callable[..., Any]:
    def start_at(mul: Any, duration: Any, force: Any, mask: Any = None, *_: Any, **named: Any) -> Any:
        return start(mul, duration, force, mask, **{**named, "start_at_ts": start_at_s})

    return start_at


def _checksums(api: Any, frame: bytes) -> Any:
    """Return the instruction that makes the checksums of a test frame right after a change of its addresses."""
    if frame[12:14] == b"\x86\xdd":  # IPv6: UDP's covers the addresses
        return api.STLVmFixChecksumHw(l3_offset=14, l4_offset=54, l4_type=api.CTRexVmInsFixHwCs.L4_TYPE_UDP)
    return api.STLVmFixIpv4(offset=14)


def _describe(error: BaseException) -> str:
    """One line for an exception of the official client, whose texts run over several."""
    try:
        text = str(error)
    except ValueError:  # trex-stl-lib's own exceptions, where they have a traceback
        text = str(getattr(error, "msg", ""))
    text = " ".join(text.replace("*", " ").split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def serve(requests: TextIO, answers: TextIO) -> None:
    """Answer requests until stdin ends or ``close`` is called.

    Each request is ``{"call": name, "args": {...}}``, each answer ``{"result": ...}`` or ``{"error": "one line"}``.
    """

    def tell(answer: JsonObject) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    worker = Worker(tell)
    calls: dict[str, Callable[..., Any]] = {
        call.__name__: call
        for call in (
            *(worker.connect, worker.prepare, worker.clock_ahead_s, worker.run, worker.exchange, worker.begin_capture),
            *(worker.send, worker.captured, worker.end_capture, worker.links_down, worker.close),
        )
    }
    for line in requests:
        request = json.loads(line)
        try:
            answer = {"result": calls[request["call"]](**request["args"])}
        except Exception as error:
            answer = {"error": _describe(error)}
        tell(answer)
        if request["call"] == "close":
            return
    with contextlib.suppress(Exception):  # the parent has gone: leave the ports to the next client if we can
        worker.close()


def main() -> None:
    """Run the worker on stdin and stdout."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(sys.stdin, answers)
    # The client's subscriber thread may still be blocked in zmq; nothing is left to be saved.
    os._exit(0)


if __name__ == "__main__":
    main()
