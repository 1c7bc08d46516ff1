"""TRex's field engine instructions, translated into the engine's variables, writes and checksums."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.vtrex import messages as m
from lab.vtrex import params as p
from lab.vtrex.rpc import INVALID_PARAMS, RpcError, refuse

MAX_FIELDS = 16
MAX_LIST_VALUES = 65536
SIZES = (1, 2, 4, 8)
OPS = {"inc": m.VariableOp.INC, "dec": m.VariableOp.DEC, "random": m.VariableOp.RANDOM}


@dataclass
class FieldProgram:
    """Packed variables, writes and checksums of one stream, and the values of its lists."""

    variables: list[bytes] = field(default_factory=list)
    writes: list[bytes] = field(default_factory=list)
    checksums: list[bytes] = field(default_factory=list)
    values: list[int] = field(default_factory=list)
    names: dict[str, tuple[int, int]] = field(default_factory=dict)  # name -> index, size in bytes

    def packed(self) -> bytes:
        """Return the program in the order of stream_spec."""
        lists = b"".join(value.to_bytes(8, "little") for value in self.values)
        return b"".join([*self.variables, *self.writes, *self.checksums, lists])


def compile_program(instructions: Sequence[Any], frame: bytes, seed: int) -> FieldProgram:
    """Translate the ``vm.instructions`` of a stream.

    Args:
        instructions: as the client sent them.
        frame: the stream's frame without FCS; offsets must lie inside.
        seed: for the random operations; each variable makes its own of it, so that two are not in step.

    Raises:
        RpcError: an instruction is malformed, points outside of the frame, or is one that this generator has not.

    """
    program = FieldProgram()
    for instruction in instructions:
        if not isinstance(instruction, dict):
            raise RpcError(INVALID_PARAMS, "a VM instruction is an object")
        kind = p.string(instruction, "type")
        if kind == "flow_var":
            _add_variable(program, instruction, seed)
        elif kind == "flow_var_rand_limit":
            _add_limited_random(program, instruction)
        elif kind == "write_flow_var":
            _add_write(program, instruction, frame)
        elif kind == "fix_checksum_ipv4":
            _add_checksum(program, instruction, frame)
        else:
            raise refuse(f"VM instruction '{kind}' is not supported by this generator")
    if max(len(program.variables), len(program.writes), len(program.checksums)) > MAX_FIELDS:
        raise refuse(f"a stream may have {MAX_FIELDS} variables, {MAX_FIELDS} writes and {MAX_FIELDS} checksums")
    return program


def _declare(program: FieldProgram, instruction: p.Params) -> int:
    """Check name, size and next_var of a variable; returns the largest value of its size."""
    name, size = p.string(instruction, "name"), p.integer(instruction, "size")
    if size not in SIZES:
        raise refuse(f"size of flow variable '{name}' is {size}, expected 1, 2, 4 or 8")
    if name in program.names:
        raise refuse(f"flow variable '{name}' is declared twice")
    if instruction.get("next_var") is not None:
        raise refuse(f"flow variable '{name}': next_var is not supported by this generator")
    program.names[name] = (len(program.variables), size)
    return int(2 ** (8 * size) - 1)


def _add_variable(program: FieldProgram, instruction: p.Params, seed: int) -> None:
    seed = (seed + (len(program.variables) << 32)) % 2**64
    top = _declare(program, instruction)
    op = OPS.get(p.string(instruction, "op"))
    if op is None:
        raise refuse(f"flow variable op '{instruction['op']}' is none of {', '.join(OPS)}")
    step = p.integer(instruction, "step", 1, low=1, high=top)
    listed = p.array(instruction, "value_list", None)
    if listed is not None:
        _add_list(program, [_within(value, top) for value in listed], op, step, seed)
        return
    low = p.integer(instruction, "min_value", high=top)
    high = p.integer(instruction, "max_value", low=low, high=top)
    first = low if op is m.VariableOp.RANDOM else p.integer(instruction, "init_value", low=low, high=high)
    if op is m.VariableOp.RANDOM:
        first = random.Random(seed).randint(low, high)
    program.variables.append(m.VARIABLE.pack(low, high, step, first, seed, 0, 0, op))


def _within(value: object, top: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= top:
        raise refuse(f"value_list has {value!r}, expected an integer from 0 to {top}")
    return value


def _add_list(program: FieldProgram, values: list[int], op: m.VariableOp, step: int, seed: int) -> None:
    if not values or len(program.values) + len(values) > MAX_LIST_VALUES:
        raise refuse(f"the value lists of a stream must have 1 to {MAX_LIST_VALUES} values")
    last = len(values) - 1
    first = last if op is m.VariableOp.DEC else 0
    offset = len(program.values)
    program.values += values
    program.variables.append(m.VARIABLE.pack(0, last, step, first, seed, offset, len(values), op))


def _add_limited_random(program: FieldProgram, instruction: p.Params) -> None:
    """``limit`` random values from a seed, repeated in the same order for ever."""
    top = _declare(program, instruction)
    low = p.integer(instruction, "min_value", 0, high=top)
    high = p.integer(instruction, "max_value", top, low=low, high=top)
    limit = p.integer(instruction, "limit", low=1, high=MAX_LIST_VALUES)
    dice = random.Random(p.integer(instruction, "seed", 0))
    _add_list(program, [dice.randint(low, high) for _ in range(limit)], m.VariableOp.INC, 1, 0)


def _add_write(program: FieldProgram, instruction: p.Params, frame: bytes) -> None:
    name = p.string(instruction, "name")
    if name not in program.names:
        raise refuse(f"write_flow_var names '{name}', which is no flow variable before it")
    index, size = program.names[name]
    offset = p.integer(instruction, "pkt_offset", high=65535)
    if offset + size > len(frame):
        raise refuse(f"write of '{name}' at offset {offset} ends outside of the packet of {len(frame)} bytes")
    add = p.integer(instruction, "add_value", 0, low=-(2**63), high=2**63 - 1)
    program.writes.append(m.WRITE.pack(offset, index, size, p.boolean(instruction, "is_big_endian", True), add))


def _add_checksum(program: FieldProgram, instruction: p.Params, frame: bytes) -> None:
    offset = p.integer(instruction, "pkt_offset", high=65535)
    words = frame[offset] & 15 if offset < len(frame) else 0
    if words < 5 or frame[offset] >> 4 != 4 or offset + 4 * words > len(frame):
        raise refuse(f"fix_checksum_ipv4 at offset {offset}: no IPv4 header is there")
    program.checksums.append(m.CHECKSUM.pack(offset))
