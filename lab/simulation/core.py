"""A core (or device) of the plain-Python reference: it runs a program and drains its store buffer in order.

Invariants:
    - clock and drain_clock never decrease while they are finite; drain_clock is NEVER exactly when the buffer is empty;
    - stores commit in program order, each at a time at which its line is writable;
    - at most ``concurrent_misses`` line requests are outstanding.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from lab.simulation.buckets import bucket_of_ps
from lab.simulation.errors import SimulationError
from lab.simulation.jumps import Jumps
from lab.simulation.lines import Lines
from lab.simulation.program import CONDITIONAL, NO_REGISTER, REGISTERS, STATS, TIMED, Op
from lab.simulation.randomness import SplitMix
from lab.simulation.scene import JITTER_ONE, NEVER, Scene
from lab.simulation.speculation import Speculation

MAX_STILL = 100_000  # instructions without time passing, before a program is taken to hang
AGENT_SEED = 0x51A7E5


@dataclass
class Pending:
    """One store buffer entry.

    ready_ps is when it may commit at the earliest (an increment: when its load part arrives); occupies_ps is how long
    it holds up the buffer once it is at its head (a doorbell).
    """

    op: Op
    word: int
    value: int
    ready_ps: int
    occupies_ps: int = 0


class Core:
    """One agent of a scene."""

    def __init__(self, number: int, scene: Scene, lines: Lines, memory: list[int], latency_counts: list[int]) -> None:
        self.number = number
        self.clock = 0
        self.drain_clock = NEVER
        self.halted = False
        self.stopped_ps = 0
        self.stats = [0] * STATS
        self.accesses = 0
        self.registers = [0] * REGISTERS
        self.buffer: deque[Pending] = deque()
        self.code = scene.agents[number].code
        self.timing = scene.timing
        self.memory = memory
        self.random = SplitMix(scene.seed + AGENT_SEED * (number + 1))
        self.pc = 0
        self.credit = 0  # work that is already done, ps
        self.speculation: Speculation | None = None
        self.jumps = Jumps(len(self.code))
        self._device = scene.agents[number].device
        self._word_lines = scene.word_lines
        self._lines = lines
        self._latency_counts = latency_counts
        self._warm_ps = scene.warm_ps
        self._last_commit = 0
        self._misses: list[tuple[int, int]] = []  # (issued, gained), oldest first; issued NEVER: holds up nothing

    def step(self) -> None:
        """Run until one instruction has used time or has to wait.

        Raises:
            SimulationError: the program loops without time passing, or leaves its memory.

        """
        if self.speculation is not None:
            self.speculation.step()
            return
        for _ in range(MAX_STILL):
            op, a, b, c = self.code[self.pc]
            if op in TIMED:
                if self._timed(op, a, b, c):
                    self.pc += 1
                return
            next_pc = self.still(op, a, b, c)
            surprise = op in CONDITIONAL and self.jumps.surprise(self.pc, next_pc != self.pc + 1)
            self.pc = next_pc
            if surprise:  # the pipeline starts anew, and what was done beyond the jump is lost
                self.credit = 0
                self.clock += self.timing.restart_ps
                return
        raise SimulationError(f"agent {self.number}: {MAX_STILL} instructions without time passing, at {self.pc}")

    def still(self, op: int, a: int, b: int, c: int) -> int:
        """Run an instruction that takes no time of its own; return where the program continues."""
        r = self.registers
        if op == Op.MOVI:
            r[a] = b
        elif op == Op.ADD:
            r[a] = r[b] + r[c]
        elif op == Op.SUB:
            r[a] = r[b] - r[c]
        elif op == Op.ADDI:
            r[a] = r[b] + c
        elif op == Op.ANDI:
            r[a] = r[b] & c
        elif op == Op.MULI:
            r[a] = r[b] * c
        elif op == Op.RAND:
            r[a] = self.random.below(b)
        elif op == Op.GETR:
            r[a] = r[self.register(b + r[c])]
        elif op == Op.SETR:
            r[self.register(b + r[c])] = r[a]
        elif op == Op.COUNT:
            self.stats[a] += r[b]
        elif op == Op.NOW:
            r[a] = self.clock
        elif op == Op.PEEK:
            r[a] = self.memory[self.word(b, c)]
        elif op == Op.POKE:
            self.memory[self.word(b, c)] = r[a]
        elif op == Op.SAMPLE:
            self._sample(r[a])
        elif (
            op == Op.JMP
            or (op == Op.BLT and r[a] < r[b])
            or (op == Op.BGE and r[a] >= r[b])
            or (op == Op.BEQ and r[a] == r[b])
            or (op == Op.BNE and r[a] != r[b])
        ):
            return c
        return self.pc + 1

    def _sample(self, since_ps: int) -> None:
        """Count the time that has passed since a moment, from warm-up on."""
        try:
            bucket = bucket_of_ps(self.clock - since_ps)
        except ValueError:
            raise SimulationError(f"agent {self.number}: a sample that begins in the future, at {self.pc}") from None
        if self.clock >= self._warm_ps:
            self._latency_counts[bucket] += 1

    def _timed(self, op: int, a: int, b: int, c: int) -> bool:
        """Run an instruction that takes time; False when it waits and has to be tried again."""
        if op == Op.LOAD:
            return self._load(a, self.word(b, c))
        if op == Op.STORE:
            if self._device:
                return self._device_store(self.word(b, c), self.registers[a])
            return self._store(self.word(b, c), self.registers[a])
        if op == Op.INC:
            return self._increment(self.word(b, c), a)
        if op == Op.PREF:
            return self._prefetch(self.word(b, c), a != 0)
        if op == Op.CAS:
            return self._compare_and_swap(a, b, c)
        if op == Op.BELL:
            return self._enqueue(Pending(Op.BELL, b, self.registers[c], self.clock, occupies_ps=a))
        if op == Op.SFENCE:  # what occupies nothing and writes nothing still takes its turn
            return self._enqueue(Pending(Op.BELL, NO_REGISTER, 0, self.clock))
        if op == Op.FENCE:
            return self._fence()
        if op == Op.WORK:
            self._work(a)
        elif op == Op.TILL:
            self.clock = max(self.clock + 1, self.registers[a])
        else:
            self.halted, self.stopped_ps, self.clock = True, self.clock, NEVER
        return True

    def word(self, base: int, index: int) -> int:
        """Return the word that an instruction names.

        Raises:
            SimulationError: there is no such word.

        """
        word = base if index == NO_REGISTER else base + self.registers[index]
        if not 0 <= word < len(self.memory):
            raise SimulationError(f"agent {self.number}: word {word} of {len(self.memory)}, at {self.pc}")
        return word

    def register(self, number: int) -> int:
        """Return the number of a register that an instruction names by another one.

        Raises:
            SimulationError: there is no such register.

        """
        if not 0 <= number < REGISTERS:
            raise SimulationError(f"agent {self.number}: register {number} of {REGISTERS}, at {self.pc}")
        return number

    def _left(self, duration_ps: int) -> int:
        """Return what is left to do of work or of an access: what a waiting load overlapped with is already done."""
        used = min(self.credit, max(duration_ps - 1, 0))
        self.credit -= used
        return max(duration_ps - used, 1)

    def _work(self, duration_ps: int) -> None:
        """Spend time on private work; outstanding misses hold it up where the window ends."""
        left, now = self._left(duration_ps), self.clock
        for issued, gained in self._misses:
            limit = issued + self.timing.window_ps
            if gained <= now or now + left <= limit:
                continue
            left -= max(0, limit - now)
            now = max(now, gained)
        self.clock = now + left

    def miss_free(self) -> bool:
        """Whether a line fill buffer is free."""
        self._misses = [miss for miss in self._misses if miss[1] > self.clock]
        return len(self._misses) < self.timing.concurrent_misses

    def outstanding(self) -> int:
        """Return how many line requests are under way."""
        return sum(gained > self.clock for _, gained in self._misses)

    def _miss_allowed(self) -> bool:
        """Whether a line fill buffer is free; otherwise wait until the first one is."""
        if self.miss_free():
            return True
        self.clock = min(gained for _, gained in self._misses)
        return False

    def request(self, word: int, write: bool, issued: int) -> None:
        """Ask for the line of a word; ``issued`` is when the window began to fill behind it, or NEVER."""
        gained = self._lines.acquire(self.number, word, write, self.clock, self.timing.hold_ps)
        self._misses.append((issued, gained))

    def asks_to_own(self) -> bool:
        """Draw whether the load of an increment asks for its line to own it, or shared first."""
        return self._lines.below(JITTER_ONE) >= self.timing.upgrade

    def readable(self, word: int) -> bool:
        """Whether the line of a word may be read now."""
        return self._lines.readable(self.number, self._word_lines[word], self.clock)

    def present(self, word: int) -> bool:
        """Whether the line of a word may be read now, or is on its way."""
        lines, number, line = self._lines, self.number, self._word_lines[word]
        return lines.read_from[number][line] > self.clock or lines.readable(number, line, self.clock)

    def _lacks_to_write(self, word: int) -> bool:
        """Whether the line of a word may not be written now, and is not on its way."""
        lines, number, line = self._lines, self.number, self._word_lines[word]
        pending = max(lines.write_from[number][line], lines.read_from[number][line]) > self.clock
        return not pending and not lines.writable(number, line, self.clock)

    def _load(self, register: int, word: int) -> bool:
        if self._device:
            return self._loaded(register, self.memory[word])
        pending = self._newest_store(word)
        if pending:
            if pending.op == Op.INC:
                self.clock = self.drain_clock
                return False
            return self._loaded(register, pending.value)
        line = self._word_lines[word]
        if self._lines.readable(self.number, line, self.clock):
            return self._loaded(register, self.memory[word])
        if self._lines.read_from[self.number][line] <= self.clock:
            if not self._miss_allowed():
                return False
            self.request(word, False, NEVER)
        arrives = self._lines.read_from[self.number][line]
        if self.timing.overlap_ps:
            self.speculation = Speculation(self, register, word, arrives)
        else:
            self.clock = arrives
        return False

    def _newest_store(self, word: int) -> Pending | None:
        """Return the youngest store of the own buffer to a word; a load takes its value and needs no line."""
        for pending in reversed(self.buffer):
            if pending.op != Op.BELL and pending.word == word:
                return pending
        return None

    def _loaded(self, register: int, value: int) -> bool:
        self.registers[register] = value
        self.clock += self._left(self.timing.hit_ps)
        self.accesses += 1
        return True

    def _prefetch(self, word: int, to_write: bool) -> bool:
        """Touch a line: a load that nobody waits for, or a prefetch, which retires at once and asks to own the line."""
        if self._lacks_to_write(word) if to_write else not self.present(word) and not self._newest_store(word):
            if not self._miss_allowed():
                return False
            self.request(word, to_write, NEVER if to_write else self.clock)
        self.clock += self._left(self.timing.issue_ps)
        self.accesses += 1
        return True

    def _increment(self, word: int, amount: int) -> bool:
        """Load part now, store part through the buffer; the program waits for neither."""
        if self._buffer_full():
            return False
        if self._newest_store(word):
            return self._enqueue(Pending(Op.INC, word, amount, self.clock))
        if not self.present(word):
            if not self._miss_allowed():
                return False
            self.request(word, self.asks_to_own(), self.clock)
        ready = max(self.clock, self._lines.read_from[self.number][self._word_lines[word]])
        return self._enqueue(Pending(Op.INC, word, amount, ready))

    def _store(self, word: int, value: int) -> bool:
        """Enter the store buffer, and ask for the line if a line fill buffer is free (prefetch for ownership)."""
        if self._buffer_full():
            return False
        if self._lacks_to_write(word) and self.miss_free():
            self.request(word, True, NEVER)
        return self._enqueue(Pending(Op.STORE, word, value, self.clock))

    def _compare_and_swap(self, register: int, word: int, expected: int) -> bool:
        if self._buffer_busy():
            return False
        if not self._lines.writable(self.number, self._word_lines[word], self.clock):
            self.clock = self._own(word, self.clock, max(self.timing.hold_ps, self.timing.locked_ps))
            return False
        swapped = self.memory[word] == self.registers[expected]
        if swapped:
            self.memory[word] = self.registers[expected + 1]
        self.registers[register] = int(swapped)
        self.clock += self.timing.locked_ps
        self.accesses += 1
        return True

    def _own(self, word: int, now: int, hold_ps: int) -> int:
        """Ask for ownership unless a request is on its way; return when to try again."""
        lines, number, line = self._lines, self.number, self._word_lines[word]
        if lines.write_from[number][line] > now:
            return lines.write_from[number][line]
        if lines.read_from[number][line] > now:
            return lines.read_from[number][line]
        return lines.acquire(number, word, True, now, hold_ps)

    def _device_store(self, word: int, value: int) -> bool:
        if not self._lines.writable(self.number, self._word_lines[word], self.clock):
            self.clock = self._own(word, self.clock, self.timing.hold_ps)
            return False
        self.memory[word] = value
        self.clock += self.timing.issue_ps
        self.accesses += 1
        return True

    def _fence(self) -> bool:
        if self._buffer_busy():
            return False
        self.clock += self.timing.issue_ps
        return True

    def _buffer_busy(self) -> bool:
        if self.buffer:
            self.clock = self.drain_clock
        return bool(self.buffer)

    def _buffer_full(self) -> bool:
        full = len(self.buffer) >= self.timing.store_buffer_entries
        if full:
            self.clock = self.drain_clock
        return full

    def _enqueue(self, pending: Pending) -> bool:
        if self._buffer_full():
            return False
        if not self.buffer:
            self.drain_clock = max(self.clock, self._last_commit)
        self.buffer.append(pending)
        self.clock += self._left(self.timing.issue_ps)
        self.accesses += pending.op != Op.BELL
        return True

    def drain(self) -> None:
        """Let the head of the store buffer commit, or wait for what it lacks."""
        pending, now = self.buffer[0], self.drain_clock
        if pending.ready_ps > now:
            self.drain_clock = pending.ready_ps
            return
        if pending.op == Op.BELL:
            if pending.occupies_ps:
                self.drain_clock, pending.occupies_ps = now + pending.occupies_ps, 0
                return
            if pending.word != NO_REGISTER:
                self.memory[pending.word] = pending.value
            self.buffer.popleft()
        else:
            if not self._lines.writable(self.number, self._word_lines[pending.word], now):
                self.drain_clock = self._own(pending.word, now, self.timing.hold_ps)
                return
            self._commit_line(self._word_lines[pending.word], now)
        self._last_commit = now + self.timing.commit_ps
        self.drain_clock = self._last_commit if self.buffer else NEVER

    def _commit_line(self, line: int, now: int) -> None:
        """Commit the head of the store buffer, and what follows of the same line as far as it goes together."""
        for _ in range(self.timing.together):
            pending = self.buffer[0] if self.buffer else None
            if (
                pending is None
                or pending.op == Op.BELL
                or self._word_lines[pending.word] != line
                or pending.ready_ps > now
            ):
                return
            before = self.memory[pending.word] if pending.op == Op.INC else 0
            self.memory[pending.word] = before + pending.value
            self.buffer.popleft()
