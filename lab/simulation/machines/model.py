"""What a machine file says: the schema of the files beside this one."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, JsonValue, StringConstraints, ValidationInfo, field_validator, model_validator

from lab.document import Misplaced, Record
from lab.simulation.machine import PRIORS, Machine, Nics, Range
from lab.simulation.scene import Protocol
from lab.simulation.topology import Topology

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Value = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)]
Count = Annotated[int, Field(ge=1, le=1024, strict=True)]


class Number(Record):
    """A number: ``low``, ``median`` and ``high``, or ``exactly`` where it is known; always with unit and source."""

    low: Value | None = None
    median: Value | None = None
    high: Value | None = None
    exactly: Value | None = None
    unit: Text
    source: Text

    @model_validator(mode="after")
    def _complete_and_ordered(self) -> Self:
        points = {"low": self.low, "median": self.median, "high": self.high}
        if self.exactly is not None:
            if any(value is not None for value in points.values()):
                raise ValueError("give low, median and high, or exactly, not both")
            return self
        for name, value in points.items():
            if value is None:
                raise ValueError(f"{name} is missing: give low, median and high, or exactly")
        low, median, high = self.points
        if not low <= median <= high:
            raise ValueError(f"{low:g}, {median:g}, {high:g}: must be low <= median <= high")
        return self

    @property
    def points(self) -> tuple[float, float, float]:
        """Low, median and high."""
        low, median, high = (self.exactly if each is None else each for each in (self.low, self.median, self.high))
        assert low is not None and median is not None and high is not None  # as validated
        return low, median, high


def number(unit: str, description: str, most: float | None = None, *, needed: bool = False) -> Any:
    """Return a field of one number.

    Args:
        unit: the only unit that the simulation takes it in.
        description: what it is.
        most: greatest value; a number with one may be zero, others not.
        needed: whether every machine must have it; if not, PRIORS may, or only some workloads ask for it.

    """
    extra: dict[str, JsonValue] = {"unit": unit}
    if most is not None:
        extra["most"] = most
    default: Any = ... if needed else None
    return Field(default=default, description=description, json_schema_extra=extra)


class Topic(Record):
    """Numbers of one topic; the name of a field is the name of the number everywhere."""

    @field_validator("*")
    @classmethod
    def _as_declared(cls, value: Any, info: ValidationInfo) -> Any:
        """Each number is in the unit of its field and in reach."""
        if isinstance(value, Number):
            extra = cls.model_fields[info.field_name or ""].json_schema_extra
            assert isinstance(extra, dict)
            if value.unit != extra["unit"]:
                raise Misplaced(f"unknown unit {value.unit!r}: this number must be in {extra['unit']!r}", "unit")
            most = extra.get("most")
            if isinstance(most, float) and value.points[2] > most:
                raise ValueError(f"{value.points[2]:g} is too high: it must be at most {most:g}")
            if most is None and value.points[0] == 0:
                raise ValueError("it must be above zero")
        return value

    def ranges(self) -> dict[str, Range]:
        """Return the numbers that are given, by name."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {
            name: Range(*each.points, each.unit, each.source)
            for name, each in found.items()
            if isinstance(each, Number)
        }


class Core(Topic):
    """One core."""

    clock: Number = number("GHz", "clock while forwarding", needed=True)
    window: Number = number("cycles", "how far the core runs past a miss: its reorder buffer", needed=True)
    misses: Number = number("lines", "misses under way at once: line fill buffers", needed=True)
    store_buffer: Number = number("stores", "entries of the store buffer", needed=True)
    together: Number | None = number("stores", "stores to one line, one after the other, that commit in a cycle")
    locked: Number | None = number("cycles", "locked read-modify-write that hits the core's own cache")


class Caches(Topic):
    """Caches of a core and the shared one."""

    l1: Number = number("cycles", "load that hits the first level", needed=True)
    shared_cache: Number = number("cycles", "load that hits the shared level", needed=True)
    memory: Number | None = number("ns", "load that no cache has, from memory of the own socket")
    remote: Number | None = number("ns", "how much longer from memory or the shared cache of another socket", 1000.0)
    pair: Number | None = number("64 or 128 bytes", "from 0.5 on, lines move in prefetched pairs", 1.0)


class Transfers(Topic):
    """One-way transfers of a line between the caches of two cores: half a CAS ping-pong."""

    near: Number = number("ns", "within a core complex", needed=True)
    complex: Number | None = number("ns", "between two complexes of a socket")
    far: Number | None = number("ns", "between two sockets")
    home: Number | None = number("ns", "how much longer between sockets when the home is not the holder's", 1000.0)
    jitter: Number | None = number("of a transfer", "spread of the transfers", 1.0)
    hold: Number | None = number("ns", "least time that a line stays with its new holder", 1000.0)
    snoop: Number | None = number("ns", "from a transaction's beginning until the holder loses its line", 1000.0)


class Speculation(Topic):
    """What the core does beyond its program."""

    overlap: Number | None = number("of the window", "work overlapped with index loads", 1.0)
    restart: Number | None = number("cycles", "a wrongly predicted jump: restart of the pipeline")
    upgrade: Number | None = number("of increments", "load fetches the line shared first, the store asks again", 1.0)


class Software(Topic):
    """What the image does where nothing better is known."""

    work: Number | None = number("cycles", "private work a packet on one core without sharing")
    tx_work: Number | None = number("cycles", "private work of a frame that is only sent, besides its accesses")


class Cards(Topic):
    """Network cards, all of one kind."""

    model: Text
    cards: Count
    ports_per_card: Count
    line_rate_gbps: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    pcie: Text
    doorbell: Number = number("ns", "how long a posted register write occupies the store buffer", needed=True)
    pcie_read: Number | None = number("ns", "how long a read over PCIe takes, there and back")
    card: Number = number("Mpps", "64-byte frames a card moves both ways", needed=True)
    card_tx: Number | None = number("Mpps", "64-byte frames a card sends, one doorbell for a batch")
    card_tx_single: Number | None = number("Mpps", "64-byte frames a card sends, one doorbell for each")
    card_bytes: Number = number("GB/s", "what the card's slot moves in a direction", needed=True)
    nic_port: Number | None = number("Mpps", "frames a port sends or receives, whatever their size")
    device: Number | None = number("Mpps", "frames a card's device forwards, all ports together, whatever their size")


class Layers(Record):
    """Sockets, core complexes and cores."""

    sockets: Count
    complexes_per_socket: Count
    cores_per_complex: Count
    protocol: Literal["MESIF", "MOESI"]


class MachineFile(Record):
    """A machine: what it is, how its cores are grouped, and its numbers by topic."""

    description: Text
    topology: Layers
    core: Core
    caches: Caches
    transfers: Transfers
    speculation: Speculation = Speculation()
    software: Software = Software()
    nics: Cards | None = None

    @model_validator(mode="after")
    def _each_distance_has_a_time(self) -> Self:
        for key, count, between in (
            ("complex", self.topology.complexes_per_socket, "core complexes of a socket"),
            ("far", self.topology.sockets, "sockets"),
        ):
            if count > 1 and getattr(self.transfers, key) is None:
                problem = f"the key is missing: add the transfer time between the {count} {between}"
                raise Misplaced(problem, "transfers", key)
        return self

    def machine(self, name: str) -> Machine:
        """Return it as the simulation takes it."""
        ranges = dict(PRIORS)
        for topic in (self.core, self.caches, self.transfers, self.speculation, self.software, self.nics):
            ranges.update(topic.ranges() if topic is not None else {})
        layers, nics = self.topology, None
        if self.nics is not None:
            cards = self.nics
            nics = Nics(cards.model, cards.cards, cards.ports_per_card, cards.line_rate_gbps)
        return Machine(
            name=name,
            description=self.description,
            protocol=Protocol[layers.protocol],
            topology=Topology(layers.sockets, layers.complexes_per_socket, layers.cores_per_complex),
            nics=nics,
            ranges=ranges,
        )
