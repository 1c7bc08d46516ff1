"""What a simulation is given (a scene) and what it returns (an outcome). All times are integer picoseconds.

Integers make the C kernel and the Python reference identical to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from lab.simulation.program import STATS, Code

NEVER = 1 << 60
LONGEST_PS = 1 << 56  # 20 hours: every simulation ends then at the latest
PS_PER_NS = 1000
JITTER_ONE = 1024
FIRST_TOUCH = -1


class Protocol(IntEnum):
    """Who supplies a clean shared line: the shared cache or a forwarder (MESIF), or the old owner (MOESI)."""

    MESIF = 0
    MOESI = 1


@dataclass(frozen=True)
class Agent:
    """One program on one place of the machine.

    Attributes:
        code: its program.
        socket: socket it sits on.
        device: True for a NIC: its writes go to the shared cache and invalidate (DDIO), its loads read its own
            registers without coherence, it has no store buffer.
        complex: core complex within the socket, those that share a shared cache: on Intel 0 for all, on AMD the CCX.
            A device that writes to memory and not to a shared cache (no DDIO) has one of its own.

    """

    code: Code
    socket: int = 0
    device: bool = False
    complex: int = 0

    @property
    def place(self) -> tuple[int, int]:
        """Which shared cache it uses."""
        return self.socket, self.complex


@dataclass(frozen=True)
class Timing:
    """Times and sizes of the cores, the same for all.

    Attributes:
        l1_ps: load that hits the private caches.
        issue_ps: front-end time of any access that does not wait.
        shared_cache_ps: line supplied by the shared cache of the own complex.
        commit_ps: store buffer to L1, an owned line.
        locked_ps: execution of a locked read-modify-write; the line cannot be taken meanwhile.
        hold_ps: least time that a line stays with its new holder (at least 1).
        window_ps: how far a core runs on past an outstanding miss (reorder buffer).
        overlap_ps: work that a waiting load overlaps with at most (speculation past index loads).
        concurrent_misses: line fill buffers.
        store_buffer_entries: stores between retirement and L1.
        jitter: half width of the uniform jitter of every transfer, in 1/1024.
        upgrade: share of increments whose load fetches the line shared first, so that its store needs a second
            transaction, in 1/1024.
        protocol: MESIF or MOESI.
        home_ps: how much longer a transfer between sockets takes when the line's home is not the holder's socket than
            when it is; half of it is added or taken off, as what is published is the mean of both ways.
        remote_ps: what memory or the shared cache of another socket costs more than that of the own one.
        snoop_ps: from the beginning of a transaction until its snoop reaches the holder, which keeps the line until
            then (at least 1 ps, at most the whole transfer).
        together: stores of one line that commit at once, where they follow each other.
        restart_ps: what a jump costs that a core running ahead predicted wrongly, beside what it did beyond it.
        memory_ps: line supplied by memory; None: as the shared cache, for memory that was touched before.

    """

    l1_ps: int
    issue_ps: int
    shared_cache_ps: int
    commit_ps: int
    locked_ps: int
    hold_ps: int
    window_ps: int
    overlap_ps: int
    concurrent_misses: int
    store_buffer_entries: int
    jitter: int
    upgrade: int
    protocol: Protocol = Protocol.MESIF
    home_ps: int = 0
    remote_ps: int = 0
    memory_ps: int | None = None
    snoop_ps: int = 5_000
    together: int = 1
    restart_ps: int = 0

    @property
    def hit_ps(self) -> int:
        """What a load that hits takes: what overlaps with a load that misses overlaps with this one, too."""
        return max(self.l1_ps - self.overlap_ps, self.issue_ps)

    @property
    def from_memory_ps(self) -> int:
        """What a line from memory of the own socket takes."""
        return self.shared_cache_ps if self.memory_ps is None else self.memory_ps


@dataclass(frozen=True)
class Scene:
    """Everything that determines a simulation.

    Attributes:
        agents: the programs, at most 64.
        timing: times of the cores.
        transfer_ps: transfer_ps[holder][requester], cache-to-cache, without the locked instruction.
        word_lines: line index of each word of memory (lines numbered from 0).
        seed: of jitter and of RAND.
        warm_ps: statistics are also copied at this time.
        end_ps: the simulation stops when every agent has passed this time (or LONGEST_PS).
        line_homes: socket of the memory of each line, FIRST_TOUCH for that of the agent that asks first; none: all so.

    """

    agents: tuple[Agent, ...]
    timing: Timing
    transfer_ps: tuple[tuple[int, ...], ...]
    word_lines: tuple[int, ...]
    seed: int
    warm_ps: int
    end_ps: int
    line_homes: tuple[int, ...] = ()

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return max(self.word_lines, default=0) + 1


@dataclass(frozen=True)
class Outcome:
    """What happened.

    Attributes:
        stats: stats[agent][i], what the programs counted until the end.
        warm_stats: the same at warm_ps.
        memory: final value of each word.
        clocks_ps: clock of each agent's program when it stopped.
        accesses: loads, prefetches, stores and increments of all agents.
        transactions: line transactions of each agent.
        word_transactions: line transactions by the word that caused them, of all agents, from warm_ps on.
        latency_counts: samples (Op.SAMPLE) of all agents in each bucket (buckets.py), from warm_ps on.
        fingerprint: hash of all transactions in order; equal fingerprints mean the same simulation.

    """

    stats: tuple[tuple[int, ...], ...]
    warm_stats: tuple[tuple[int, ...], ...]
    memory: tuple[int, ...]
    clocks_ps: tuple[int, ...]
    accesses: int
    transactions: tuple[int, ...]
    word_transactions: tuple[int, ...]
    latency_counts: tuple[int, ...]
    fingerprint: int

    def window(self, agent: int, stat: int) -> int:
        """Return what agent counted as statistic stat between warm-up and end.

        Raises:
            IndexError: no such agent or statistic.

        """
        if not 0 <= stat < STATS:
            raise IndexError(f"statistic {stat} of 0..{STATS - 1}")
        return self.stats[agent][stat] - self.warm_stats[agent][stat]
