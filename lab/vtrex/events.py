"""Events for clients: a queue for each session that asks, and a publisher for the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

SILENCE_S = 10.0  # a session that has not asked for so long gets no more events, as with TRex
FORGET_S = 3600.0
MAX_SESSIONS = 100
MAX_QUEUED = 10_000


class Event(IntEnum):
    """TRex's event types."""

    PORT_STARTED = 0
    PORT_STOPPED = 1
    PORT_PAUSED = 2
    PORT_RESUMED = 3
    PORT_FINISHED = 4
    PORT_ACQUIRED = 5
    PORT_RELEASED = 6
    PORT_ATTRIBUTES = 8
    PROFILE_STARTED = 10
    PROFILE_STOPPED = 11
    PROFILE_PAUSED = 12
    PROFILE_RESUMED = 13
    PROFILE_FINISHED = 14
    SERVER_STOPPED = 100


@dataclass
class _Session:
    asked_s: float
    next_seq: int = 0
    queue: deque[tuple[Event, dict[str, Any]]] = field(default_factory=deque)  # the last of them has next_seq - 1


class EventQueues:
    """Sequence numbers are contiguous in each session: a client that meets a hole ends its own process."""

    def __init__(self, clock: Callable[[], float], publish: Callable[[Event, dict[str, Any]], None]) -> None:
        """Use ``clock`` (monotonic seconds) and ``publish`` each event to those who do not ask."""
        self._clock = clock
        self._publish = publish
        self._sessions: dict[int, _Session] = {}

    def open(self, session_id: int) -> None:
        """Make a session known."""
        now = self._clock()
        if session_id not in self._sessions and len(self._sessions) >= MAX_SESSIONS:
            del self._sessions[min(self._sessions, key=lambda known: self._sessions[known].asked_s)]
        self._sessions.setdefault(session_id, _Session(now))

    def take(self, session_id: int) -> list[dict[str, Any]]:
        """Return and forget what a session has not seen yet."""
        self.open(session_id)
        session = self._sessions[session_id]
        session.asked_s = self._clock()
        first_seq = session.next_seq - len(session.queue)
        events = [
            {"name": "trex-event", "type": int(event), "data": data, "seq": seq}
            for seq, (event, data) in enumerate(session.queue, first_seq)
        ]
        session.queue.clear()
        return events

    def listening(self) -> int:
        """Return how many sessions ask for their events."""
        now = self._clock()
        return sum(now - session.asked_s <= SILENCE_S for session in self._sessions.values())

    def emit(self, event: Event, **data: Any) -> None:
        """Queue an event for every session that still asks."""
        now = self._clock()
        for session_id, session in list(self._sessions.items()):
            silent_s = now - session.asked_s
            if silent_s > FORGET_S:
                del self._sessions[session_id]
            elif len(session.queue) >= MAX_QUEUED:
                del self._sessions[session_id]  # it begins again at 0, which a client takes; a hole ends it
            elif silent_s <= SILENCE_S:
                session.queue.append((event, data))
                session.next_seq += 1
        self._publish(event, data)
