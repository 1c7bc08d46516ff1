"""Cache lines of the plain-Python reference: who may read or write which line when.

A line is a FIFO of transactions. Its state (owner, sharers) is that after the last transaction queued; each agent has
one interval of time in which its copy may be read and one in which it may be written.

Invariants, for every line at every time:
    - at most one agent may write, and while one may, no other may read;
    - a transaction that invalidates starts when everything before it has ended;
    - the holder keeps its line until the snoop of the next transaction is served, half way through that transaction.
"""

from __future__ import annotations

from lab.simulation.randomness import MASK, SplitMix
from lab.simulation.scene import JITTER_ONE, NEVER, Protocol, Scene

NOBODY = -1
FINGERPRINT_PRIME = 0x100000001B3


class Lines:
    """All lines of a scene."""

    def __init__(self, scene: Scene) -> None:
        count, agents = max(scene.word_lines, default=0) + 1, len(scene.agents)
        self._scene = scene
        self._timing = scene.timing
        self._random = SplitMix(scene.seed)
        self.owner = [NOBODY] * count
        self.supplier = [NOBODY] * count
        self.sharers: list[set[int]] = [set() for _ in range(count)]
        self.free_for_read = [0] * count
        self.free_for_write = [0] * count
        self.read_from = [[0] * count for _ in range(agents)]
        self.read_until = [[0] * count for _ in range(agents)]
        self.write_from = [[0] * count for _ in range(agents)]
        self.write_until = [[0] * count for _ in range(agents)]
        self.transactions = [0] * agents
        self.word_transactions = [0] * len(scene.word_lines)
        self.fingerprint = 0

    def readable(self, agent: int, line: int, now: int) -> bool:
        """Whether agent may read its copy at time now (ps)."""
        return self.read_from[agent][line] <= now < self.read_until[agent][line]

    def writable(self, agent: int, line: int, now: int) -> bool:
        """Whether agent may write its copy at time now (ps)."""
        return self.write_from[agent][line] <= now < self.write_until[agent][line]

    def below(self, bound: int) -> int:
        """Draw from the stream of the lines (jitter and upgrades)."""
        return self._random.below(bound)

    def acquire(self, agent: int, word: int, write: bool, now: int, hold_ps: int) -> int:
        """Queue a transaction and return the time (ps) at which agent gains the line of a word.

        Args:
            agent: the requester.
            word: the word that it is for.
            write: for ownership (True) or to read.
            now: time of the request, ps.
            hold_ps: least time that an exclusive copy stays.

        """
        line = self._scene.word_lines[word]
        holders = self.sharers[line] - {agent}
        exclusive = write or not holders  # a read of a line that nobody has is granted exclusive (E)
        gain = self._take(agent, line, now, holders, hold_ps) if exclusive else self._share(agent, line, now)
        self.transactions[agent] += 1
        if now >= self._scene.warm_ps:
            self.word_transactions[word] += 1
        self.fingerprint = ((self.fingerprint ^ gain) * FINGERPRINT_PRIME + line * 128 + agent * 2 + int(write)) & MASK
        return gain

    def _take(self, agent: int, line: int, now: int, holders: set[int], hold_ps: int) -> int:
        """Make agent the only holder."""
        latency = self._timing.shared_cache_ps
        if holders:
            latency = max(self._scene.transfer_ps[holder][agent] for holder in holders)
        start = max(now, self.free_for_write[line])
        latency = self._jitter(latency)
        gain = start + latency
        for holder in holders:
            self.read_until[holder][line] = min(self.read_until[holder][line], start + latency // 2)
            self.write_until[holder][line] = min(self.write_until[holder][line], start + latency // 2)
        if agent not in self.sharers[line]:  # otherwise an upgrade: the shared copy stays readable meanwhile
            self.read_from[agent][line] = gain
        self.read_until[agent][line] = NEVER
        self.write_from[agent][line], self.write_until[agent][line] = gain, NEVER
        self.owner[line], self.supplier[line], self.sharers[line] = agent, agent, {agent}
        self.free_for_read[line] = self.free_for_write[line] = gain + hold_ps
        if self._scene.agents[agent].device:  # DDIO: the line goes to the shared cache, the device keeps nothing
            self.read_until[agent][line] = self.write_until[agent][line] = gain + 1
            self.owner[line], self.supplier[line], self.sharers[line] = NOBODY, NOBODY, set()
        return gain

    def _share(self, agent: int, line: int, now: int) -> int:
        """Give agent a shared copy; an exclusive holder keeps a shared one."""
        start = max(now, self.free_for_read[line])
        latency = self._jitter(self._supply_ps(agent, line))
        gain = start + latency
        owner = self.owner[line]
        if owner != NOBODY:
            self.write_until[owner][line] = min(self.write_until[owner][line], start + latency // 2)
            self.owner[line] = NOBODY
            self.free_for_read[line] = gain
        if self._timing.protocol is Protocol.MESIF:
            self.supplier[line] = agent  # the newest reader forwards; MOESI leaves it to the old owner
        self.sharers[line].add(agent)
        self.read_from[agent][line], self.read_until[agent][line] = gain, NEVER
        self.write_from[agent][line] = self.write_until[agent][line] = 0
        self.free_for_write[line] = max(self.free_for_write[line], gain)
        return gain

    def _supply_ps(self, agent: int, line: int) -> int:
        """Latency of a copy: from the owner, from the shared cache of the own socket, or from the forwarder."""
        if self.owner[line] != NOBODY:
            return self._scene.transfer_ps[self.owner[line]][agent]
        agents = self._scene.agents
        near = any(agents[holder].socket == agents[agent].socket for holder in self.sharers[line])
        if near and self._timing.protocol is Protocol.MESIF:
            return self._timing.shared_cache_ps
        return self._scene.transfer_ps[self.supplier[line]][agent]

    def _jitter(self, latency_ps: int) -> int:
        """Spread a latency uniformly by the scene's jitter; at least 2 ps, so that hand-overs take time."""
        half = self._timing.jitter
        if half:
            latency_ps = latency_ps * (JITTER_ONE + self._random.below(2 * half + 1) - half) // JITTER_ONE
        return max(latency_ps, 2)
