"""The variables of TRex's field engine: how each goes on from frame to frame, and which waits for which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from lab.vtrex import messages as m
from lab.vtrex import params as p
from lab.vtrex.rpc import refuse

MAX_LIST_VALUES = 65535  # of one list, as the clients have it
MAX_VALUES = 1 << 20  # of all lists of a stream together
SIZES = (1, 2, 4, 8)
OPS = ("inc", "dec", "random")
UNLIMITED_FLOWS = 1  # flag of tuple_flow_var: the ports are not the given ones, and the flows not limited
UNLIMITED_PORTS = (1025, 65535)
IP_BYTES, PORT_BYTES = 4, 2


@dataclass(frozen=True)
class Variable:
    """One variable of the engine: variable_spec with names instead of numbers.

    ``low`` and ``high`` bound what is written. ``wraps`` names the variable whose wrap around is taken for this one's.
    """

    name: str
    size: int
    op: m.VariableOp
    first: int
    last: int
    step: int
    initial: int
    low: int
    high: int
    list_offset: int = 0
    list_length: int = 0
    advanced_by: str | None = None
    restarted_by: str | None = None
    next_var: str | None = None
    wraps: str = ""


def stepping(name: str, size: int, low: int, high: int, step: int, initial: int, *, down: bool = False) -> Variable:
    """Return a variable that goes through ``low`` to ``high`` in steps and around.

    TRex pads the range at its far end to a whole number of steps, so a cycle has always as many.

    Raises:
        RpcError: there is no room to pad it.

    """
    turns = (high - low) // step
    if down:
        first = high - (high - initial) % step
        last = first - turns * step
    else:
        first = low + (initial - low) % step
        last = first + turns * step
    if not 0 <= last < 2**64:
        raise refuse(f"flow variable '{name}': the range {low} to {high} cannot be padded to whole steps of {step}")
    step = step if turns else 1
    bounds = (min(first, last), max(first, last))
    return Variable(name, size, m.VariableOp.STEP, first, last, (-step if down else step) % 2**64, initial, *bounds)


class Variables:
    """All variables of a stream, and the values of their lists."""

    def __init__(self, seed: int) -> None:
        """Begin with none; random ones without a seed of their own get theirs from ``seed``."""
        self.values: list[int] = []
        self.declarations: dict[str, Callable[[p.Params], list[str]]] = {
            "flow_var": self._flow_var,
            "flow_var_rand_limit": self._rand_limit,
            "tuple_flow_var": self._tuple,
        }
        self._seed = seed
        self._all: dict[str, Variable] = {}
        self._order: list[str] = []

    def __len__(self) -> int:
        """Return how many the engine gets."""
        return len(self._all)

    def find(self, name: str) -> tuple[int, int]:
        """Return number and size of a variable."""
        return self._order.index(name), self._all[name].size

    def bounds(self, name: str) -> tuple[int, int]:
        """Return the least and the greatest value of a variable."""
        return self._all[name].low, self._all[name].high

    def packed(self) -> bytes:
        """Return all of them as variable_spec, in their order."""
        number = {name: index for index, name in enumerate(self._order)} | {None: m.NO_VARIABLE}
        return b"".join(
            m.VARIABLE.pack(
                one.first, one.last, one.step, one.initial, one.list_offset, one.list_length,
                number[one.advanced_by], number[one.restarted_by], one.op,
            )
            for one in map(self._all.__getitem__, self._order)
        )  # fmt: skip

    def order(self) -> None:
        """Link variables to their ``next_var``, and number them so that each comes after what it waits for.

        Raises:
            RpcError: a link leads nowhere, two lead to the same variable, or they form a loop; or there are too many.

        """
        for one in list(self._all.values()):
            if one.next_var is not None:
                self._link(one, one.next_var)
        for name in self._all:
            self._number(name, [])
        if len(self._order) > m.MAX_VARIABLES:
            raise refuse(f"the VM of a stream has {len(self._order)} variables; {m.MAX_VARIABLES} are possible")

    def _link(self, one: Variable, name: str) -> None:
        following = self._all.get(name)
        if following is None or following.wraps == "":
            raise refuse(f"flow variable '{one.name}': next_var '{name}' is no flow variable of this stream")
        if following.advanced_by not in (None, following.wraps):
            raise refuse(f"flow variable '{name}' is the next_var of two variables")
        counter = following.wraps
        for changed in {name, counter}:
            self._all[changed] = replace(self._all[changed], advanced_by=one.wraps)

    def _number(self, name: str, waiting: list[str]) -> None:
        if name in self._order:
            return
        if name in waiting:
            raise refuse(f"flow variables {', '.join(waiting)} wait for each other: their next_var form a loop")
        for before in (self._all[name].advanced_by, self._all[name].restarted_by):
            if before is not None:
                self._number(before, [*waiting, name])
        self._order.append(name)

    def _add(self, variable: Variable) -> str:
        if variable.name in self._all:
            raise refuse(f"flow variable '{variable.name}' is declared twice")
        self._all[variable.name] = variable
        return variable.name

    def _flow_var(self, instruction: p.Params) -> list[str]:
        name, size, top = _declaration(instruction)
        op, next_var = p.string(instruction, "op"), _next_var(instruction)
        if op not in OPS:
            raise refuse(f"flow variable op '{op}' is none of {', '.join(OPS)}")
        if op == "random" and next_var is not None:
            raise refuse(f"flow variable '{name}' is random and never wraps around, so it cannot have a next_var")
        step = p.integer(instruction, "step", 1, low=1, high=top)
        listed = p.array(instruction, "value_list", None)
        if listed is not None:
            low, high = 0, len(self._keep_list(name, listed, top)) - 1
        else:
            low = p.integer(instruction, "min_value", high=top)
            high = p.integer(instruction, "max_value", low=low, high=top)
        seed = (self._seed + (len(self._all) << 32)) % 2**64
        if op == "random":
            variable = Variable(name, size, m.VariableOp.RANDOM, low, high, 0, seed, low, high)
        else:
            usual = high if op == "dec" else low
            initial = usual if listed is not None else p.integer(instruction, "init_value", usual, low=low, high=high)
            variable = stepping(name, size, low, high, step, initial, down=op == "dec")
        if listed is not None:
            offset = len(self.values) - len(listed)
            variable = replace(variable, low=min(listed), high=max(listed), list_offset=offset, list_length=len(listed))
        return [self._add(replace(variable, next_var=next_var, wraps=name))]

    def _keep_list(self, name: str, values: list[int], top: int) -> list[int]:
        if not 0 < len(values) <= MAX_LIST_VALUES or len(self.values) + len(values) > MAX_VALUES:
            raise refuse(
                f"flow variable '{name}': the value_list has {len(values)} values, expected 1 to {MAX_LIST_VALUES}, "
                f"and {MAX_VALUES} in all lists of the stream"
            )
        for value in values:
            if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= top:
                raise refuse(f"flow variable '{name}': value_list has {value!r}, expected an integer from 0 to {top}")
        self.values += values
        return values

    def _rand_limit(self, instruction: p.Params) -> list[str]:
        """Declare ``limit`` random values from a seed, repeated in the same order for ever."""
        name, size, top = _declaration(instruction)
        low = p.integer(instruction, "min_value", 0, high=top)
        high = p.integer(instruction, "max_value", top, low=low, high=top)
        limit, seed = p.integer(instruction, "limit", low=1), p.integer(instruction, "seed", 0)
        counter = self._add(stepping(f"{name}#", 8, 0, limit - 1, 1, 0))
        self._add(
            Variable(
                name, size, m.VariableOp.RANDOM, low, high, 0, seed, low, high,
                restarted_by=counter, next_var=_next_var(instruction), wraps=counter,
            )
        )  # fmt: skip
        return [name]

    def _tuple(self, instruction: p.Params) -> list[str]:
        """Declare an address and a port, which changes after the last address; both begin anew after the limit."""
        name, flags = p.string(instruction, "name"), p.integer(instruction, "flags", 0, high=2**16 - 1)
        low = p.integer(instruction, "ip_min", high=2**32 - 1)
        high = p.integer(instruction, "ip_max", low=low, high=2**32 - 1)
        low_port = p.integer(instruction, "port_min", high=65535)
        high_port = p.integer(instruction, "port_max", low=low_port, high=65535)
        limit = p.integer(instruction, "limit_flows", high=2**32 - 1)
        if flags & UNLIMITED_FLOWS:
            (low_port, high_port), limit = UNLIMITED_PORTS, 0
        counter = self._add(stepping(f"{name}#", 8, 0, limit - 1, 1, 0)) if limit else None
        address = stepping(f"{name}.ip", IP_BYTES, low, high, 1, low)
        port = stepping(f"{name}.port", PORT_BYTES, low_port, high_port, 1, low_port)
        return [
            self._add(replace(address, restarted_by=counter)),
            self._add(replace(port, advanced_by=address.name, restarted_by=counter)),
        ]


def _declaration(instruction: p.Params) -> tuple[str, int, int]:
    """Return name and size of a variable, and the largest value of that size."""
    name, size = p.string(instruction, "name"), p.integer(instruction, "size")
    if size not in SIZES:
        raise refuse(f"size of flow variable '{name}' is {size}, expected 1, 2, 4 or 8")
    p.boolean(instruction, "split_to_cores", True)  # one core sends a stream, so there is nothing to split
    return name, size, int(2 ** (8 * size) - 1)


def _next_var(instruction: p.Params) -> str | None:
    return None if instruction.get("next_var") is None else p.string(instruction, "next_var")
