"""The ring of a pair of cores (qgm/ring.h) against two lists, and between threads."""

from __future__ import annotations

import ctypes
from collections import deque
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

FIRST_BUFFER = 1000
SPARE = 100
THREAD_MESSAGES = 300_000


class Slot(ctypes.Structure):
    """struct ring_slot of ring.h."""

    _fields_ = (
        ("buffer", ctypes.c_uint64),
        ("size", ctypes.c_uint16),
        ("hop", ctypes.c_uint16),
        ("in_port", ctypes.c_uint8),
    )


def message(slot: Slot) -> tuple[int, int, int, int]:
    return slot.buffer, slot.size, slot.hop, slot.in_port


class RingMachine(RuleBasedStateMachine):
    """Any interleaving of both sides; each side knows of the other what was published, at the latest when it has to."""

    library: ctypes.CDLL

    @initialize(exponent=st.integers(1, 10), start=st.sampled_from([0, 5, 2**32 - 3]))
    def connect(self, exponent: int, start: int) -> None:
        self.length = 1 << exponent
        self.library.host_ring_new.restype = ctypes.c_void_p
        self.library.host_ring_put.restype = ctypes.c_uint64
        self.library.host_ring_slot.restype = ctypes.c_uint64
        self.library.host_ring_other_words.restype = ctypes.c_uint64
        new = self.library.host_ring_new(self.length, ctypes.c_uint32(start), ctypes.c_uint64(FIRST_BUFFER))
        self.ring = ctypes.c_void_p(new)
        first_spare = FIRST_BUFFER + self.length
        self.producers = list(range(first_spare, first_spare + SPARE))
        self.consumers = list(range(first_spare + SPARE, first_spare + 2 * SPARE))
        self.unpublished: deque[tuple[int, int, int, int]] = deque()
        self.waiting: deque[tuple[int, int, int, int]] = deque()
        self.not_given_back = 0

    def _occupied(self) -> int:
        return len(self.unpublished) + len(self.waiting) + self.not_given_back

    @rule(count=st.integers(1, 64), size=st.integers(0, 65535), hop=st.integers(0, 65535), port=st.integers(0, 255))
    def put(self, count: int, size: int, hop: int, port: int) -> None:
        for _ in range(count):
            slot = Slot(self.producers[-1], size, hop, port)
            empty = self.library.host_ring_put(self.ring, ctypes.byref(slot))
            assert bool(empty) == (self._occupied() < self.length)
            if not empty:
                return
            self.unpublished.append(message(slot))
            assert empty not in self.producers
            self.producers[-1] = empty

    @rule()
    def publish_puts(self) -> None:
        self.library.host_ring_publish(self.ring, 1)
        self.waiting += self.unpublished
        self.unpublished.clear()

    @rule(limit=st.integers(1, 64))
    def take(self, limit: int) -> None:
        waiting = self.library.host_ring_waiting(self.ring)
        assert waiting <= len(self.waiting)
        assert bool(waiting) == bool(self.waiting)
        for _ in range(min(limit, waiting)):
            slot = Slot()
            empty = self.consumers.pop()
            self.library.host_ring_take(self.ring, ctypes.c_uint64(empty), ctypes.byref(slot))
            assert message(slot) == self.waiting.popleft()
            self.consumers.append(slot.buffer)
            self.not_given_back += 1

    @rule()
    def publish_takes(self) -> None:
        self.library.host_ring_publish(self.ring, 0)
        self.not_given_back = 0

    @precondition(lambda self: hasattr(self, "ring"))
    @invariant()
    def every_buffer_is_in_one_place(self) -> None:
        slots = [self.library.host_ring_slot(self.ring, number) for number in range(self.length)]
        total = self.length + 2 * SPARE
        assert sorted(slots + self.producers + self.consumers) == list(range(FIRST_BUFFER, FIRST_BUFFER + total))
        assert self.library.host_ring_other_words() == 0

    def teardown(self) -> None:
        if hasattr(self, "ring"):
            self.library.host_ring_free(self.ring)


@pytest.mark.parametrize("layout", ["padded", "packed"])
def test_ring_is_a_bounded_queue(qgm_libraries: dict[str, Any], layout: str) -> None:
    class OfLayout(RingMachine):
        library = qgm_libraries[layout]

    checks = settings(max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(OfLayout, settings=checks)


@pytest.mark.parametrize("layout", ["padded", "packed"])
@pytest.mark.parametrize(("cores", "length"), [(2, 2), (2, 256), (3, 16), (4, 1024)])
def test_threads_pass_every_message_in_order(
    qgm_libraries: dict[str, Any], layout: str, cores: int, length: int
) -> None:
    """Each core sends to each other one; a number in the slot and one in the buffer tell what a wrong order would."""
    library = qgm_libraries[layout]
    library.host_ring_threads.restype = ctypes.c_char_p
    messages = THREAD_MESSAGES // (cores * (cores - 1)) // (10 if length == 2 else 1)
    assert library.host_ring_threads(cores, messages, length, ctypes.c_uint64(cores * length)) is None
