"""TRex's field engine instructions, translated into the engine's variables and actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.vtrex import frames
from lab.vtrex import messages as m
from lab.vtrex import params as p
from lab.vtrex.rpc import INVALID_PARAMS, RpcError, refuse
from lab.vtrex.variables import Variables

MAX_ACTIONS = 256
CAST_SIZES = (1, 2, 4)
ICMPV6 = 58
TRANSPORTS = {11: frames.UDP, 13: frames.TCP, 17: 0}  # TRex's l4_type; 0: the IPv4 header alone
TRANSPORT_BYTES = frames.TRANSPORT_BYTES | {ICMPV6: 4}


@dataclass(frozen=True)
class Write:
    """Bytes of the frame that a program changes."""

    offset: int
    size: int


@dataclass
class FieldProgram:
    """What is done to each frame of a stream.

    ``lengths_bytes`` are the least and the greatest length of a trimmed frame, None when all are whole.
    ``fixes_transport``: the checksum of a UDP, TCP or ICMPv6 header is computed for each frame.
    """

    variables: Variables
    actions: list[bytes] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    lengths_bytes: tuple[int, int] | None = None
    fixes_transport: bool = False

    def counts(self) -> tuple[int, int, int]:
        """Return the numbers of variables, actions and list values, as stream_spec has them."""
        return len(self.variables), len(self.actions), len(self.variables.values)

    def mean_length_bytes(self, whole_bytes: int) -> float:
        """Return the mean length of the frames, for rates; ``whole_bytes`` is that of an untrimmed one.

        TRex takes the middle between the least and the greatest length, whatever the values between are.
        """
        return whole_bytes if self.lengths_bytes is None else sum(self.lengths_bytes) / 2

    def finish_transport(self, at: frames.Headers) -> None:
        """Have the checksum of the UDP or TCP header of each frame computed when all else is done."""
        if not self.fixes_transport and at.protocol in frames.TRANSPORT_BYTES:
            place = {"offset": at.network, "transport": at.transport, "protocol": at.protocol}
            self.actions.append(_action(m.Action.FINISH_TRANSPORT, **place))
            self.fixes_transport = True

    def packed(self) -> bytes:
        """Return the program in the order of stream_spec."""
        lists = b"".join(value.to_bytes(8, "little") for value in self.variables.values)
        return self.variables.packed() + b"".join(self.actions) + lists


def compile_program(vm: p.Params, frame: bytes, seed: int) -> FieldProgram:
    """Translate the ``vm`` of a stream. Its ``cache`` is accepted and not needed: frames are always computed.

    Args:
        vm: as the client sent it.
        frame: the stream's frame without FCS; offsets must lie inside.
        seed: for the random operations; each variable makes its own of it, so that two are not in step.

    Raises:
        RpcError: an instruction is malformed, points outside of the frame, or is one that TRex has not.

    """
    p.integer(vm, "cache", 0)
    instructions = p.array(vm, "instructions", [])
    program = FieldProgram(_declared(instructions, seed))
    for instruction in instructions:
        kind = p.string(instruction, "type")
        if kind in ACTIONS:
            ACTIONS[kind](program, instruction, frame)
    if len(program.actions) > MAX_ACTIONS:
        raise refuse(f"the VM of a stream has {len(program.actions)} writes and the like; {MAX_ACTIONS} are possible")
    return program


def _declared(instructions: Sequence[Any], seed: int) -> Variables:
    """Return the variables that the instructions declare; all are known before one is linked to another."""
    variables = Variables(seed)
    seen: set[str] = set()
    for instruction in instructions:
        if not isinstance(instruction, dict):
            raise RpcError(INVALID_PARAMS, "a VM instruction is an object")
        kind = p.string(instruction, "type")
        if kind in variables.declarations:
            seen.update(variables.declarations[kind](instruction))
        elif kind not in ACTIONS:
            raise refuse(f"VM instruction '{kind}' is none of {', '.join((*variables.declarations, *ACTIONS))}")
        elif "name" in instruction and instruction["name"] not in seen:
            raise refuse(f"{kind} names '{instruction['name']}', which is no flow variable before it")
    variables.order()
    return variables


def _action(kind: m.Action, **fields: int) -> bytes:
    names = ("size", "big_endian", "shift", "variable", "offset", "transport", "protocol", "mask", "add")
    return m.ACTION.pack(kind, *(fields.get(name, 0) for name in names))


def _place(instruction: p.Params, size: int, frame: bytes) -> int:
    """Return the offset at which ``size`` bytes are written."""
    offset = p.integer(instruction, "pkt_offset", high=65535)
    if offset + size > len(frame):
        raise refuse(
            f"write of '{instruction['name']}' at offset {offset} ends outside of the packet of {len(frame)} bytes"
        )
    return offset


def _write(program: FieldProgram, instruction: p.Params, frame: bytes) -> None:
    index, size = program.variables.find(p.string(instruction, "name"))
    offset = _place(instruction, size, frame)
    program.writes.append(Write(offset, size))
    program.actions.append(
        _action(
            m.Action.WRITE, variable=index, size=size, offset=offset,
            big_endian=p.boolean(instruction, "is_big_endian", True),
            add=p.integer(instruction, "add_value", 0, low=-(2**63), high=2**63 - 1),
        )
    )  # fmt: skip


def _write_masked(program: FieldProgram, instruction: p.Params, frame: bytes) -> None:
    """Write some bits: (variable + add_value) shifted to the left (below 0: right), in 32 bits."""
    index, _ = program.variables.find(p.string(instruction, "name"))
    size = p.integer(instruction, "pkt_cast_size")
    if size not in CAST_SIZES:
        raise refuse(f"pkt_cast_size of write_mask_flow_var is {size}, expected 1, 2 or 4")
    offset = _place(instruction, size, frame)
    program.writes.append(Write(offset, size))
    program.actions.append(
        _action(
            m.Action.WRITE_MASKED, variable=index, size=size, offset=offset,
            mask=p.integer(instruction, "mask", high=2**32 - 1),
            shift=p.integer(instruction, "shift", 0, low=-31, high=31),
            big_endian=p.boolean(instruction, "is_big_endian", True),
            add=p.integer(instruction, "add_value", 0, low=-(2**31), high=2**32 - 1),
        )
    )  # fmt: skip


def _trim(program: FieldProgram, instruction: p.Params, frame: bytes) -> None:
    name = p.string(instruction, "name")
    index, _ = program.variables.find(name)
    low, high = program.variables.bounds(name)
    if high > len(frame):
        raise refuse(f"trim_pkt_size: '{name}' may be {high}, but the packet has {len(frame)} bytes")
    if program.lengths_bytes is not None:
        raise refuse("trim_pkt_size: a stream can have one only")
    program.lengths_bytes = (max(low, m.SHORTEST_FRAME_BYTES), max(high, m.SHORTEST_FRAME_BYTES))
    program.actions.append(_action(m.Action.TRIM, variable=index))


def _ipv4_bytes(frame: bytes, offset: int, what: str) -> int:
    """Return the length of the IPv4 header at an offset."""
    words = frame[offset] & 15 if offset < len(frame) else 0
    if words < 5 or frame[offset] >> 4 != 4 or offset + 4 * words > len(frame):
        raise refuse(f"{what} at offset {offset}: no IPv4 header is there")
    return 4 * words


def _fix_ipv4(program: FieldProgram, instruction: p.Params, frame: bytes) -> None:
    offset = p.integer(instruction, "pkt_offset", high=65535)
    size = _ipv4_bytes(frame, offset, "fix_checksum_ipv4")
    program.actions.append(_action(m.Action.FIX_IPV4, offset=offset, size=size))


def _transport(instruction: p.Params, frame: bytes, protocol: int) -> dict[str, int]:
    """Return where the headers of a checksum over a pseudo header stand."""
    what = p.string(instruction, "type")
    ip, ip_bytes = p.integer(instruction, "l2_len", high=65535), p.integer(instruction, "l3_len", high=65535)
    version = frame[ip] >> 4 if ip < len(frame) else 0
    if version not in (4, 6) or (protocol == ICMPV6 and version != 6):
        raise refuse(f"{what}: no {'IPv6' if protocol == ICMPV6 else 'IPv4 or IPv6'} header is at l2_len {ip}")
    least = frames.IPV6_BYTES if version == 6 else _ipv4_bytes(frame, ip, what)
    if ip_bytes < least:
        raise refuse(f"{what}: l3_len is {ip_bytes}, but the header at l2_len {ip} has {least} bytes")
    if ip + ip_bytes + TRANSPORT_BYTES[protocol] > len(frame):
        raise refuse(f"{what}: its header at {ip + ip_bytes} ends outside of the packet of {len(frame)} bytes")
    return {"offset": ip, "transport": ip + ip_bytes, "protocol": protocol}


def _fix_hardware(program: FieldProgram, instruction: p.Params, frame: bytes) -> None:
    """Do what a NIC would as it sends the frame: it covers all writes, wherever the instruction stands."""
    l4_type = p.integer(instruction, "l4_type")
    if l4_type not in TRANSPORTS:
        raise refuse(f"fix_checksum_hw: l4_type is {l4_type}, expected 11 (UDP), 13 (TCP) or 17 (IP)")
    ip = p.integer(instruction, "l2_len", high=65535)
    if ip < len(frame) and frame[ip] >> 4 == 4:
        size = _ipv4_bytes(frame, ip, "fix_checksum_hw")
        program.actions.append(_action(m.Action.FINISH_IPV4, offset=ip, size=size))
    elif TRANSPORTS[l4_type] == 0:
        raise refuse(f"fix_checksum_hw: no IPv4 header is at l2_len {ip}")
    if TRANSPORTS[l4_type] != 0:
        place = _transport(instruction, frame, TRANSPORTS[l4_type])
        program.actions.append(_action(m.Action.FINISH_TRANSPORT, **place))
        program.fixes_transport = True


def _fix_icmpv6(program: FieldProgram, instruction: p.Params, frame: bytes) -> None:
    program.actions.append(_action(m.Action.FIX_TRANSPORT, **_transport(instruction, frame, ICMPV6)))
    program.fixes_transport = True


ACTIONS: dict[str, Callable[[FieldProgram, p.Params, bytes], None]] = {
    "write_flow_var": _write,
    "write_mask_flow_var": _write_masked,
    "trim_pkt_size": _trim,
    "fix_checksum_ipv4": _fix_ipv4,
    "fix_checksum_hw": _fix_hardware,
    "fix_checksum_icmpv6": _fix_icmpv6,
}
