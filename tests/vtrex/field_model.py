"""What TRex's documents say that a field engine program does to its frames, computed here a second time and plainly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.packet import Packet

SHORTEST = 60


def cycle(low: int, high: int, step: int, first: int, op: str) -> Iterator[tuple[int, bool]]:
    """Yield (value, whether the next one has wrapped around); the range is padded to whole steps."""
    padded = -(-(high - low + 1) // step) * step
    at = first - low if op == "inc" else high - first
    while True:
        wrapped, after = divmod(at + step, padded)
        yield (low + at if op == "inc" else high - at), bool(wrapped)
        at = after


class Model:
    """The variables of a program, without random ones."""

    def __init__(self, instructions: list[dict[str, Any]]) -> None:
        self.instructions = instructions
        self.declared = [one for one in instructions if one["type"] == "flow_var"]
        self.running = {one["name"]: self._run(one) for one in self.declared}
        self.now = {name: next(running) for name, running in self.running.items()}

    @staticmethod
    def _run(one: dict[str, Any]) -> Iterator[tuple[int, bool]]:
        values = one.get("value_list")
        if values is None:
            yield from cycle(one["min_value"], one["max_value"], one["step"], one["init_value"], one["op"])
        else:
            last = len(values) - 1
            for index, wrapped in cycle(0, last, one["step"], last if one["op"] == "dec" else 0, one["op"]):
                yield values[index], wrapped

    def advance(self) -> None:
        followers = {one["next_var"] for one in self.declared}
        for one in self.declared:
            name = one["name"]
            while name is not None and (name in followers) == (name != one["name"]):
                wrapped = self.now[name][1]
                self.now[name] = next(self.running[name])
                name = next(other for other in self.declared if other["name"] == name)["next_var"] if wrapped else None

    def frame(self, template: bytes) -> bytes:
        """Return the next frame."""
        frame, length = bytearray(template), len(template)
        sizes = {one["name"]: one["size"] for one in self.declared}
        for one in self.instructions:
            value = self.now[one["name"]][0] if one.get("name") in self.now else 0
            at = one.get("pkt_offset", 0)
            order: Literal["big", "little"] = "big" if one.get("is_big_endian", True) else "little"
            if one["type"] == "write_flow_var":
                size = sizes[one["name"]]
                value = (value + one["add_value"]) % 2 ** (8 * size)
                frame[at : at + size] = value.to_bytes(size, order)
            elif one["type"] == "write_mask_flow_var":
                size, shift = one["pkt_cast_size"], one["shift"]
                value = (value + one["add_value"]) % 2**32
                value = value << shift if shift > 0 else value >> -shift
                there = int.from_bytes(frame[at : at + size], order)
                mask = one["mask"] % 2 ** (8 * size)
                frame[at : at + size] = (there & ~mask | value & mask).to_bytes(size, order)
            elif one["type"] == "trim_pkt_size":
                length = max(value, SHORTEST)
        self.advance()
        return bytes(frame[:length])


def with_right_checksums(packet: Packet) -> bytes:
    """Return the packet with all checksums of its headers computed by scapy; lengths stay as they are."""
    fresh = packet.copy()
    layer = fresh
    while layer:
        if "chksum" in layer.fields:
            del layer.chksum
        if "cksum" in layer.fields:
            del layer.cksum
        layer = layer.payload
    return bytes(fresh)


def checksums_right(packet: Packet) -> bool:
    """Tell whether scapy would have written the same checksums."""
    assert IP in packet or IPv6 in packet
    return with_right_checksums(packet) == bytes(packet)
