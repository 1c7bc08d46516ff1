"""Where the private words of cores with transmit queues of their own lie."""

import pytest

from lab.simulation.errors import SimulationError
from lab.simulation.layout import Layout, Structure, default
from lab.simulation.memory import Memory
from lab.simulation.workload.queue_words import place


def structure(name: str, stride: int, count: int, indexed_by: str, touch: str) -> Structure:
    return Structure.model_validate(
        {
            "name": name,
            "offset_bytes": 0,
            "size_bytes": 2,
            "element_stride_bytes": stride,
            "count": count,
            "owner": "core",
            "indexed_by": indexed_by,
            "touch": touch,
        }
    )


def lines_of(memory: Memory, first: int, count: int) -> set[int]:
    return set(memory.lines(64)[first : first + count])


def test_an_array_that_is_too_short_goes_on_with_its_stride() -> None:
    for stride, lines in ((2, 1), (64, 32)):
        layout = Layout("packed", "a table", (structure("queue.tx_posted", stride, 4, "queue", "batch"),))
        memory = Memory()
        words = place(memory, layout, 2, 32, 9)
        assert not words.tail.each_frame
        assert len(lines_of(memory, words.tail.first, 32)) == lines
        assert memory.names()[words.tail.first] == "queue.tx_posted"


def test_a_layout_without_words_of_queues_gets_some_as_far_apart_as_its_others() -> None:
    for name, lines in (("packed", 8), ("padded", 64)):
        memory = Memory()
        words = place(memory, default(name, 8), 8, 64, 9)  # type: ignore[arg-type]
        assert words.tail.each_frame
        assert len(lines_of(memory, words.tail.first, 64)) == lines
        assert len(lines_of(memory, words.head.first, 64)) == lines
        assert not lines_of(memory, words.tail.first, 64) & lines_of(memory, words.head.first, 64)


def test_words_are_counted_by_core_or_queue_as_often_as_the_layout_says() -> None:
    layout = Layout(
        "packed",
        "a table",
        (
            structure("core.pool_head", 64, 4, "core", "packet").model_copy(update={"offset_bytes": 0}),
            structure("core.polls", 64, 4, "core", "rare").model_copy(update={"offset_bytes": 256}),
            structure("core.ring_out", 64, 4, "core", "packet").model_copy(update={"offset_bytes": 1536}),
            structure("queue.tx_packets", 64, 8, "queue", "batch").model_copy(update={"offset_bytes": 512}),
            structure("queue.rx_taken", 64, 8, "queue", "batch").model_copy(update={"offset_bytes": 1024}),
        ),
    )
    memory = Memory()
    words = place(memory, layout, 4, 8, 9)
    names = memory.names()
    assert [[names[word] for word in each] for each in words.packet] == [["core.pool_head"]] * 4
    assert words.batch == [[]] * 4
    assert [[names[word] for word in each] for each in words.send] == [["queue.tx_packets"]] * 8
    assert [[names[word] for word in each] for each in words.receive] == [["queue.rx_taken"]] * 8
    assert place(Memory(), layout, 4, 8, 0).packet == [[]] * 4


def test_a_layout_for_fewer_cores_is_refused() -> None:
    with pytest.raises(SimulationError, match="packets is for 4 cores, not 8"):
        place(Memory(), default("packed", 4), 8, 8, 9)
