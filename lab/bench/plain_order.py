"""RFC 4737 and RFC 5236 read word by word: quadratic, with lists, for short streams. Shares no code with the lab's."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Packet:
    """An arrival: number from 0, time in ns, size in bytes."""

    number: int
    time_ns: int
    size: int


def first_copies(arrivals: list[Packet], window: int) -> tuple[list[Packet], int, int]:
    """First copies, duplicates, and those too far behind the greatest number to be told apart."""
    kept: list[Packet] = []
    duplicates = too_old = 0
    for packet in arrivals:
        if kept and packet.number <= max(p.number for p in kept) - window:
            too_old += 1
        elif any(p.number == packet.number for p in kept):
            duplicates += 1
        else:
            kept.append(packet)
    return kept, duplicates, too_old


def singletons(kept: list[Packet]) -> list[bool]:
    """Section 3.3: whether each packet is reordered."""
    next_expected = 0
    found = []
    for packet in kept:
        found.append(packet.number < next_expected)
        if packet.number >= next_expected:
            next_expected = packet.number + 1
    return found


def earliest_greater(kept: list[Packet], i: int) -> int:
    """Section 4.2: the smallest j with s[j] > s[i]."""
    return min(j for j in range(i) if kept[j].number > kept[i].number)


def extents(kept: list[Packet]) -> list[int]:
    """Section 4.2."""
    return [i - earliest_greater(kept, i) for i, late in enumerate(singletons(kept)) if late]


def late_times(kept: list[Packet]) -> list[int]:
    """Section 4.3."""
    late = [i for i, late in enumerate(singletons(kept)) if late]
    return [kept[i].time_ns - kept[earliest_greater(kept, i)].time_ns for i in late]


def byte_offsets(kept: list[Packet]) -> list[int]:
    """Section 4.4: of the packets that came earlier and have greater numbers."""
    late = [i for i, late in enumerate(singletons(kept)) if late]
    return [sum(p.size for p in kept[:i] if p.number > kept[i].number) for i in late]


def gaps(kept: list[Packet]) -> tuple[int, list[int], list[int]]:
    """Section 4.5: discontinuities, and the gaps between them in packets and in ns."""
    found: dict[int, int] = {}  # arrival of a discontinuity -> arrival of the reordered packet that showed it
    for i, late in enumerate(singletons(kept)):
        if late:
            found.setdefault(earliest_greater(kept, i), i)
    distances, times = [], []
    for j_new, i_new in found.items():
        earlier = [j for j in found if j < j_new]
        if earlier and found[max(earlier)] < i_new:
            distances.append(j_new - max(earlier))
            times.append(kept[j_new].time_ns - kept[max(earlier)].time_ns)
    return len(found), distances, times


def runs(kept: list[Packet]) -> tuple[int, int, int, int, list[int], int]:
    """Section 4.6: x, q, p, a, the runs, and what no reordered packet has ended."""
    r = x = q = p = a = 0
    lengths = []
    for late in singletons(kept):
        p += 1
        if not late:
            r += 1
            a += 1
        else:
            q += r * r
            lengths.append(r)
            r = 0
            x += 1
    return x, q, p, a, lengths, r


def n_reordered(arrivals: list[Packet], n: int) -> int:
    """Section 5.3: how many packets are n-reordered, duplicates included."""
    s = [packet.number for packet in arrivals]
    return sum(all(s[j] > s[i] for j in range(i - n, i)) for i in range(n, len(s)))


def reorder_density(numbers: list[int], threshold: int) -> tuple[Counter[int], int]:
    """RFC 5236, the algorithm for RD: frequencies of displacements, and how many got none."""
    coming = list(numbers)
    window: list[int] = []
    buffer: list[int] = []
    frequencies: Counter[int] = Counter()
    index = 0

    def next_arrival() -> None:
        while coming:
            number = coming.pop(0)
            if not (number < index or number in buffer or number in window):
                window.append(number)
                return

    for _ in range(threshold + 1):
        next_arrival()
    while window:
        if index in window or index in buffer:
            number = window.pop(0)
            displacement = index - number
            if abs(displacement) <= threshold:
                frequencies[displacement] += 1
                if index in buffer:
                    buffer.remove(index)
                if displacement < 0:
                    buffer.append(number)
                index += 1
            next_arrival()
        else:
            least = min(window + buffer)
            index = least if index < least else index + 1
    return frequencies, len(numbers) - frequencies.total()


def buffer_density(numbers: list[int], threshold: int) -> tuple[Counter[int], int]:
    """RFC 5236, the algorithm for RBD: frequencies of occupancies, and how many arrivals were discarded."""
    expected = occupancy = 0
    buffer: list[int] = []
    frequencies: Counter[int] = Counter()
    for number in numbers:
        if number in buffer or number < expected:
            continue
        if number == expected:
            expected += 1
            while expected in buffer:
                buffer.remove(expected)
                occupancy -= 1
                expected += 1
        elif occupancy < threshold:
            buffer.append(number)
            occupancy += 1
        else:
            while not (expected in buffer or expected == number):
                expected += 1
            while expected in buffer or expected == number:
                if expected != number:
                    buffer.remove(expected)
                    occupancy -= 1
                expected += 1
            if number >= expected:  # not reached yet: it takes one of the places that became free
                buffer.append(number)
                occupancy += 1
        frequencies[occupancy] += 1
    return frequencies, len(numbers) - frequencies.total()


def everything(arrivals: list[Packet], window: int, threshold: int) -> None:
    """Work out all of it, as a bench has it run against."""
    kept, _, _ = first_copies(arrivals, window)
    for metric in (extents, late_times, byte_offsets, gaps, runs):
        metric(kept)
    for n in range(1, len(arrivals)):
        if n_reordered(arrivals, n) == 0:
            break
    numbers = [packet.number for packet in arrivals]
    reorder_density(numbers, threshold)
    buffer_density(numbers, threshold)
