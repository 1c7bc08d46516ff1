"""Requests to a vtrex server without the official client, whose process would wake up on a core that is measured."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import zmq

from lab.errors import GeneratorError
from lab.traffic.vtrex import VtrexServer

ANSWER_LIMIT_S = 10.0


class Remote:
    """A session that owns all ports of a server."""

    def __init__(self, server: VtrexServer, ports: int) -> None:
        """Connect and take the ports 0 to ``ports - 1``.

        Raises:
            GeneratorError: the server does not answer, or refuses.

        """
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.REQ)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.connect(f"tcp://{server.host}:{server.rpc_port}")
        self.ports = range(ports)
        self._handles: dict[str, Any] = {}
        self._handlers: list[str] = []
        self._handles["api_h"] = self.call("api_sync_v2", name="STL", major=5, minor=1)["api_h"]
        self._handlers = [
            self.call("acquire", port_id=port, user="bench", session_id=1, force=True) for port in self.ports
        ]

    def call(self, method: str, **params: Any) -> Any:
        """Return the result of a method.

        Raises:
            GeneratorError: no answer, or a refusal.

        """
        if params.get("port_id") in self.ports and self._handlers:
            params = {"handler": self._handlers[params["port_id"]]} | params
        self._socket.send_json({"jsonrpc": "2.0", "id": "1", "method": method, "params": self._handles | params})
        if not self._socket.poll(int(ANSWER_LIMIT_S * 1000)):
            raise GeneratorError(f"vtrex does not answer '{method}' within {ANSWER_LIMIT_S:g} s")
        answer: Any = self._socket.recv_json()
        if "error" in answer:
            raise GeneratorError(f"vtrex refused '{method}': {answer['error'].get('specific_err', answer['error'])}")
        return answer["result"]

    def define(self, streams: Mapping[int, Mapping[str, Any]]) -> None:
        """Have just these streams, by port."""
        for port in self.ports:
            self.call("remove_all_streams", port_id=port)
        for port, stream in streams.items():
            self.call("add_stream", port_id=port, stream_id=1, stream=stream)

    def start(self, duration_s: float = -1) -> None:
        """Start the streams of all ports; below 0: until stopped."""
        mul = {"type": "raw", "value": 1, "op": "abs"}
        for port in self.ports:
            if self.call("get_port_status", port_id=port)["state"] == "STREAMS":
                self.call("start_traffic", port_id=port, mul=mul, duration=duration_s, force=True)

    def stop(self) -> None:
        """Stop all ports."""
        for port in self.ports:
            self.call("stop_traffic", port_id=port)

    def counters(self) -> tuple[int, int]:
        """Return (frames sent, frames received) by all ports since the server was started."""
        stats = [self.call("get_port_stats", port_id=port) for port in self.ports]
        return sum(port["opackets"] for port in stats), sum(port["ipackets"] for port in stats)

    def report(self) -> Any:
        """Return the report of the last trial."""
        return self.call("pixlab_get_trial_report")

    def close(self) -> None:
        """Disconnect."""
        self._socket.close()
        self._context.term()


def stream(frame: bytes, rate_pps: float, *, pg_id: int | None = None, fields: bool = False) -> dict[str, Any]:
    """Return a continuous stream as TRex's clients write it.

    Args:
        frame: without FCS, UDP over IPv4.
        rate_pps: frames a second.
        pg_id: of its flow statistics; None: it has none.
        fields: let source and destination address step through 65536 values each, with the checksum kept right.

    """
    instructions: list[dict[str, Any]] = []
    for name, offset in (("src", 26), ("dst", 30)) if fields else ():
        first = int.from_bytes(frame[offset : offset + 4], "big") & 0xFFFF0000
        instructions += [
            {"type": "flow_var", "name": name, "size": 4, "op": "inc", "step": 1, "init_value": first,
             "min_value": first, "max_value": first + 0xFFFF, "next_var": None},
            {"type": "write_flow_var", "name": name, "pkt_offset": offset, "add_value": 0, "is_big_endian": True},
        ]  # fmt: skip
    if fields:
        instructions.append({"type": "fix_checksum_ipv4", "pkt_offset": 14})
    flow = {"enabled": False} if pg_id is None else {"enabled": True, "stream_id": pg_id, "rule_type": "stats"}
    return {
        "flags": 3, "action_count": 0, "enabled": True, "self_start": True, "start_paused": False, "isg": 0.0,
        "next_stream_id": -1, "packet": {"binary": base64.b64encode(frame).decode(), "meta": ""},
        "mode": {"type": "continuous", "rate": {"type": "pps", "value": rate_pps}},
        "vm": {"instructions": instructions}, "flow_stats": flow,
    }  # fmt: skip
