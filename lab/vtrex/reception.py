"""What ports hand to clients beside captures: receive queues and capture ports; both are captures that none sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab.vtrex import captures
from lab.vtrex.captures import CapturedFrame
from lab.vtrex.engine import Engine
from lab.vtrex.messages import CaptureState
from lab.vtrex.rpc import refuse
from lab.vtrex.sinks import PairSink
from lab.vtrex.taps import BUFFERED_FRAMES, Taps

MAX_TAKEN_BYTES = 8 << 20
FETCHED_AT_ONCE = 500


@dataclass(frozen=True)
class _Queue:
    capture_id: int
    size: int


@dataclass(frozen=True)
class _CapturePort:
    capture_id: int
    endpoint: str
    bpf: str


class Reception:
    """The receive queues and capture ports of a server, by port."""

    def __init__(self, engine: Engine, taps: Taps) -> None:
        """Begin with none."""
        self._engine = engine
        self._taps = taps
        self._queues: dict[int, _Queue] = {}
        self._ports: dict[int, _CapturePort] = {}

    def _capture(self, port: int, size: int, bpf: str) -> CaptureState:
        return captures.start(
            self._engine, limit=size, snaplen_bytes=0, tx_ports=0, rx_ports=1 << port, cyclic=True, bpf=bpf
        )

    def set_queue(self, port: int, size: int) -> None:
        """Keep the last ``size`` frames that a port receives from now on."""
        self.remove_queue(port)
        self._queues[port] = _Queue(self._capture(port, size, "").id, size)

    def remove_queue(self, port: int) -> None:
        """Keep no more frames of a port."""
        queue = self._queues.pop(port, None)
        if queue is not None:
            captures.remove(self._engine, queue.capture_id)

    def take(self, port: int) -> list[CapturedFrame]:
        """Take the frames out of a port's queue, oldest first; some stay when they are too long for one answer.

        Raises:
            RpcError: the port has no queue.

        """
        if port not in self._queues:
            raise refuse(f"port {port} has no RX queue")
        taken: list[CapturedFrame] = []
        left, room = 1, MAX_TAKEN_BYTES
        while left and room > 0:
            frames, left = captures.fetch(self._engine, self._queues[port].capture_id, FETCHED_AT_ONCE, 0)
            room -= sum(len(frame.data) for frame in frames)
            taken += frames
            if not frames:
                break
        return taken

    def start_port(self, port: int, endpoint: str, bpf: str) -> None:
        """Send what a port receives to a client's PAIR socket, and what comes from there out of the port.

        Raises:
            RpcError: the port does so already, or the endpoint cannot be used.
            GeneratorError: the filter is none.

        """
        if port in self._ports:
            raise refuse(f"port {port} is a capture port already, to {self._ports[port].endpoint}")
        sink = PairSink(self._taps.context, endpoint)
        try:
            state = self._capture(port, BUFFERED_FRAMES, bpf)
        except BaseException:
            sink.close()
            raise
        self._taps.add(state, sink, back_to=port)
        self._ports[port] = _CapturePort(state.id, endpoint, bpf)

    def filter_port(self, port: int, bpf: str) -> None:
        """Change the filter of a capture port.

        Raises:
            RpcError: the port is none.
            GeneratorError: the filter is none; the present one stays.

        """
        if port not in self._ports:
            raise refuse(f"port {port} is no capture port")
        state = self._capture(port, BUFFERED_FRAMES, bpf)
        old = self._ports[port]
        self._taps.replace(old.capture_id, state)
        captures.remove(self._engine, old.capture_id)
        self._ports[port] = _CapturePort(state.id, old.endpoint, bpf)

    def stop_port(self, port: int) -> None:
        """End a capture port; nothing to do when the port is none."""
        known = self._ports.pop(port, None)
        if known is not None:
            self._taps.end(known.capture_id)
            captures.remove(self._engine, known.capture_id)

    def describe(self, port: int) -> dict[str, Any]:
        """Return what get_port_status says of a port in ``rx_info``."""
        info: dict[str, Any] = {}
        queue, capture_port = self._queues.get(port), self._ports.get(port)
        if queue is not None:
            kept = next(state.kept for state in captures.status(self._engine) if state.id == queue.capture_id)
            info["queue"] = {"is_active": True, "size": queue.size, "count": kept}
        if capture_port is not None:
            info["capture_port"] = {
                "is_active": True, "endpoint": capture_port.endpoint, "bpf_filter": capture_port.bpf
            }  # fmt: skip
        return info
