"""Cache lines of the plain-Python reference: who may read or write which line when, and who supplies it.

A line is a FIFO of transactions. Its state (owner, sharers) is that after the last transaction queued; each agent has
one interval of time in which its copy may be read and one in which it may be written. docs/simulation.md, "The rules",
has the table of who supplies and which time counts.

Invariants, for every line at every time:
    - at most one agent may write, and while one may, no other may read;
    - a transaction that invalidates starts when everything before it has ended;
    - the holder keeps its line until the snoop of the next transaction is served, snoop_ps after that begins.
"""

from __future__ import annotations

from lab.simulation.randomness import MASK, SplitMix
from lab.simulation.scene import FIRST_TOUCH, JITTER_ONE, NEVER, Protocol, Scene

NOBODY = -1
FINGERPRINT_PRIME = 0x100000001B3


class Lines:
    """All lines of a scene.

    ``supplier`` of a shared line is the forwarder (F, MESIF) or the old owner (O, MOESI); ``depot`` is
    the device that wrote it last, NOBODY when none did: where it is found when no private cache has it.
    """

    def __init__(self, scene: Scene) -> None:
        count, agents = scene.lines, len(scene.agents)
        self._scene = scene
        self._timing = scene.timing
        self._random = SplitMix(scene.seed)
        self._mates = [
            {number for number, other in enumerate(scene.agents) if other.place == agent.place}
            for agent in scene.agents
        ]
        self.home = list(scene.line_homes) or [FIRST_TOUCH] * count
        self.owner = [NOBODY] * count
        self.supplier = [NOBODY] * count
        self.depot = [NOBODY] * count
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
        if self.home[line] == FIRST_TOUCH:
            self.home[line] = self._scene.agents[agent].socket
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
        if holders:  # the last acknowledgement counts
            latency = max(self._transfer_ps(holder, agent, line) for holder in holders)
        else:
            latency = self._fetch_ps(agent, line)
        start = max(now, self.free_for_write[line])
        latency = self._jitter(latency)
        gain = start + latency
        for holder in holders:
            self.read_until[holder][line] = min(
                self.read_until[holder][line], start + self._kept_ps(holder, agent, latency)
            )
            self.write_until[holder][line] = min(
                self.write_until[holder][line], start + self._kept_ps(holder, agent, latency)
            )
        if agent not in self.sharers[line]:  # otherwise an upgrade: the shared copy stays readable meanwhile
            self.read_from[agent][line] = gain
        self.read_until[agent][line] = NEVER
        self.write_from[agent][line], self.write_until[agent][line] = gain, NEVER
        self.owner[line], self.supplier[line], self.sharers[line] = agent, agent, {agent}
        self.free_for_read[line] = self.free_for_write[line] = gain + hold_ps
        if self._scene.agents[agent].device:  # DDIO: the line goes to the shared cache, the device keeps nothing
            self.read_until[agent][line] = self.write_until[agent][line] = gain + 1
            self.owner[line], self.supplier[line], self.sharers[line] = NOBODY, NOBODY, set()
            self.depot[line] = agent
        return gain

    def _share(self, agent: int, line: int, now: int) -> int:
        """Give agent a shared copy; an exclusive holder keeps a shared one."""
        start = max(now, self.free_for_read[line])
        latency = self._jitter(self._supply_ps(agent, line))
        gain = start + latency
        owner = self.owner[line]
        if owner != NOBODY:
            self.write_until[owner][line] = min(
                self.write_until[owner][line], start + self._kept_ps(owner, agent, latency)
            )
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
        """Time of a copy that others have: from the owner, the own shared cache, or the forwarder or old owner."""
        if self.owner[line] == NOBODY and not self.sharers[line].isdisjoint(self._mates[agent]):
            return self._timing.shared_cache_ps
        return self._transfer_ps(self.supplier[line], agent, line)

    def _fetch_ps(self, agent: int, line: int) -> int:
        """Time of a line that no private cache has: from a shared cache, else from memory."""
        requester, timing = self._scene.agents[agent], self._timing
        depot = None if self.depot[line] == NOBODY else self._scene.agents[self.depot[line]]
        if requester.device or (depot and depot.place == requester.place):
            return timing.shared_cache_ps
        if depot and depot.socket != requester.socket:
            return timing.shared_cache_ps + timing.remote_ps
        return timing.from_memory_ps + (timing.remote_ps if self.home[line] != requester.socket else 0)

    def _transfer_ps(self, holder: int, requester: int, line: int) -> int:
        """Time from one private cache to another; between sockets the request goes by the line's home."""
        agents, half = self._scene.agents, self._timing.home_ps // 2
        latency = self._scene.transfer_ps[holder][requester]
        if agents[holder].socket != agents[requester].socket:
            latency += -half if self.home[line] == agents[holder].socket else half
        return max(latency, 0)

    def _kept_ps(self, holder: int, requester: int, latency_ps: int) -> int:
        """Return how long the holder keeps its line from the beginning of a transfer: it is gone before it arrives.

        Between sockets either the request or its snoop has crossed the link by then.
        """
        agents = self._scene.agents
        link_ps = self._timing.remote_ps // 2 if agents[holder].socket != agents[requester].socket else 0
        return max(min(self._timing.snoop_ps + link_ps, latency_ps), 1)

    def _jitter(self, latency_ps: int) -> int:
        """Spread a latency uniformly by the scene's jitter; at least 2 ps, so that hand-overs take time."""
        half = self._timing.jitter
        if half:
            latency_ps = latency_ps * (JITTER_ONE + self._random.below(2 * half + 1) - half) // JITTER_ONE
        return max(latency_ps, 2)
