"""Packet groups: which pg_id is which flow of the engine."""

from __future__ import annotations

from dataclasses import dataclass, field

from lab.vtrex import messages as m
from lab.vtrex.engine import Engine
from lab.vtrex.latency import add_bins, trex_histogram
from lab.vtrex.rpc import refuse
from lab.vtrex.streams import FlowRule
from lab.vtrex.verification import Arrival

FIRST_GENERATION = 2  # 1 means "none" in TRex's latency header
LAST_GENERATION = 255


StreamKey = tuple[int, str, int]
"""Port, profile and id of a stream."""


@dataclass
class Group:
    """A pg_id in use: its flow index in the engine and the streams that carry it."""

    pg_id: int
    kind: m.FlowKind
    hw_id: int
    version: int
    streams: set[StreamKey] = field(default_factory=set)
    generation: int = FIRST_GENERATION - 1
    arrival: Arrival | None = None  # set: its frames are verified
    past_bins: dict[str, int] = field(default_factory=dict)  # TRex's latency histogram of all starts before the last

    @property
    def flow(self) -> int:
        """Index of the flow in the engine."""
        return self.hw_id + (m.STATS_FLOWS if self.kind is m.FlowKind.LATENCY else 0)

    def next_generation(self) -> int:
        """Return the mark of the next start, by which late frames of earlier ones are told apart."""
        self.generation = FIRST_GENERATION if self.generation >= LAST_GENERATION else self.generation + 1
        return self.generation


class FlowTable:
    """All pg_ids.

    Numbers of the engine are handed out in turn, so that frames of a removed group, still on their way, are not counted
    for a new one.
    """

    def __init__(self, engine: Engine) -> None:
        """Begin with no group."""
        self._engine = engine
        self._groups: dict[int, Group] = {}
        self._next = {m.FlowKind.STATS: 0, m.FlowKind.LATENCY: 0}
        self._versions = 0

    def groups(self, kind: m.FlowKind | None = None) -> list[Group]:
        """Return the groups (of a kind) by pg_id."""
        return [group for _, group in sorted(self._groups.items()) if kind in (None, group.kind)]

    def find(self, pg_id: int) -> Group | None:
        """Return a group or None."""
        return self._groups.get(pg_id)

    def add(self, rule: FlowRule, stream: StreamKey) -> None:
        """Let a stream carry a pg_id.

        Raises:
            RpcError: the pg_id is of another kind, or a latency pg_id is taken, or all numbers are in use.

        """
        group = self._groups.get(rule.pg_id)
        if group is not None and rule.kind is m.FlowKind.LATENCY:
            raise refuse(
                "For payload rules: Can't have two streams with same pg_id, or same stream on more than one port"
            )
        if group is not None and group.kind is not rule.kind:
            raise refuse(f"Can't use pg_id {rule.pg_id} for both a flow statistics and a latency stream")
        if group is not None and group.arrival is not None:
            raise refuse(f"pg_id {rule.pg_id} is verified, so no second stream can have it")
        if group is None:
            group = Group(rule.pg_id, rule.kind, self._free_hw_id(rule.kind), self._versions)
            self._engine.set_flow(group.flow, active=True)
            self._versions += 1
            self._groups[rule.pg_id] = group
        group.streams.add(stream)

    def remove(self, rule: FlowRule, stream: StreamKey) -> None:
        """Let a stream carry its pg_id no longer; without streams the group is gone."""
        group = self._groups[rule.pg_id]
        group.streams.discard(stream)
        if not group.streams:
            self._engine.set_flow(group.flow, active=False)
            del self._groups[rule.pg_id]

    def next_start(self, group: Group) -> int:
        """Keep what TRex's histogram has of the last start, for the engine forgets it; returns the new generation."""
        if group.kind is m.FlowKind.LATENCY:
            _, buckets = self._engine.latency(group.hw_id)
            group.past_bins = add_bins(group.past_bins, trex_histogram(buckets))
        return group.next_generation()

    def _free_hw_id(self, kind: m.FlowKind) -> int:
        room = m.LATENCY_FLOWS if kind is m.FlowKind.LATENCY else m.STATS_FLOWS
        used = {group.hw_id for group in self._groups.values() if group.kind is kind}
        for step in range(room):
            hw_id = (self._next[kind] + step) % room
            if hw_id not in used:
                self._next[kind] = (hw_id + 1) % room
                return hw_id
        raise refuse(f"all {room} {kind.name.lower()} pg_ids are in use")
