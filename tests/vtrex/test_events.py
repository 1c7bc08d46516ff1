from __future__ import annotations

from typing import Any

from lab.vtrex.events import SILENCE_S, Event, EventQueues


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_sequence_numbers_have_no_hole_even_after_silence() -> None:
    clock = Clock()
    published: list[tuple[Event, dict[str, Any]]] = []
    queues = EventQueues(clock, lambda event, data: published.append((event, data)))
    queues.open(1)
    queues.emit(Event.PORT_STARTED, port_id=0)
    assert queues.take(2) == []
    queues.emit(Event.PORT_STOPPED, port_id=0)
    assert [event["seq"] for event in queues.take(1)] == [0, 1]
    assert [event["seq"] for event in queues.take(2)] == [0]
    clock.now_s = SILENCE_S + 1
    queues.emit(Event.PORT_STARTED, port_id=0)
    assert queues.take(1) == queues.take(2) == []
    queues.emit(Event.PORT_FINISHED, port_id=3)
    assert queues.take(1) == [{"name": "trex-event", "type": 4, "data": {"port_id": 3}, "seq": 2}]
    assert [int(event) for event, _ in published] == [0, 1, 0, 4]
