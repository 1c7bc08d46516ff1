"""What is known of the order of a stream of packets: frozen, and ready to be drawn."""

from __future__ import annotations

import math

from lab.models import Model


class Distribution(Model):
    """Counts of whole numbers from 0 up.

    ``count``, ``min``, ``max`` and ``mean`` are exact. ``counts`` pairs a value with how often it came, ascending:
    exact below 2048, above that the lowest value of a bucket a thousandth wide. All are 0 and empty where nothing came.
    """

    count: int
    min: int
    max: int
    mean: float
    counts: tuple[tuple[int, int], ...]

    def percentile(self, percentile: float) -> int | None:
        """Return the value that ``percentile`` percent of all do not exceed; None where nothing came."""
        wanted = max(1, math.ceil(self.count * percentile / 100.0 - 1e-9))
        seen = 0
        for value, count in self.counts:
            seen += count
            if seen >= wanted:
                return value
        return None


class FreeRuns(Model):
    """Reordering-free runs (RFC 4737 section 4.6): in-order packets in a row that a reordered one ended.

    The RFC's counters: ``runs`` (x) is the number of runs, some of length 0, which is the number of reordered packets;
    ``squares`` (q) the sum of the squares of their lengths; ``packets`` (p) all; ``in_order`` (a) the in-order ones,
    those after the last reordered one included. ``lengths`` has the runs, ``last`` is the length of what no
    reordered packet has ended: it is no run yet.
    """

    runs: int
    squares: int
    packets: int
    in_order: int
    lengths: Distribution
    last: int


class Degrees(Model):
    """n-reordering (RFC 4737 section 5.3): the n arrivals before a packet all had greater numbers.

    ``degrees`` pairs n with the packets for which it is the greatest such n, up to ``limit``: packets of that degree
    may have a greater one. ``received`` counts every arrival, duplicates included, as section 5.3 does.
    """

    received: int
    limit: int
    degrees: tuple[tuple[int, int], ...]

    def reordered(self, n: int) -> int:
        """Return how many packets are n-reordered.

        Args:
            n: from 1 to ``limit``; 1 gives monotonic reordering, 3 those that TCP takes for lost (section 5.4).

        Raises:
            ValueError: n is beyond that.

        """
        if not 1 <= n <= self.limit:
            raise ValueError(f"n-reordering is known for n from 1 to {self.limit}, not for {n}")
        return sum(count for degree, count in self.degrees if degree >= n)

    def ratio(self, n: int) -> float:
        """Return the degree of n-reordering of the sample: n-reordered packets over received ones; 0 when none came."""
        return self.reordered(n) / self.received if self.received else 0.0


class Density(Model):
    """A density of RFC 5236: of displacement (RD, section 4.6) or of buffer occupancy (RBD, section 4.11).

    ``counts`` pairs a displacement (negative: early) or an occupancy with the packets that have it, ascending; they are
    ``packets`` together. ``threshold`` is DT or BT in packets. ``discarded`` arrivals are in none of them: duplicates,
    and what came so late or so early that by the threshold it counts as lost.
    """

    threshold: int
    packets: int
    discarded: int
    counts: tuple[tuple[int, int], ...]

    @property
    def shares(self) -> tuple[tuple[int, float], ...]:
        """The normalised density: points (displacement or occupancy, share of the packets), for a figure."""
        return tuple((value, count / self.packets) for value, count in self.counts)


class OrderDetail(Model):
    """All about the order of a stream: RFC 4737 over first copies, n-reordering and RFC 5236 over every arrival.

    ``arrivals`` were looked at; where the log of the generator was full that is less than what was received, and
    ``complete`` is false. ``duplicates`` of them were second or later copies; ``too_old`` came ``window`` or more
    numbers behind the greatest one, where a late packet cannot be told from a duplicate: they are in no other figure
    of RFC 4737 but n-reordering. ``judged`` packets are left, ``reordered`` of them type-P-reordered (section 3.3), and
    ``ratio`` is that over ``judged`` (section 4.1). Of the reordered ones: ``extent`` in packets (section 4.2),
    ``late_time_ns`` (section 4.3) where times were given, ``byte_offset`` in bytes (section 4.4) where sizes were.
    ``gap`` and ``gap_time_ns`` are between successive ones of the ``discontinuities`` (section 4.5).
    """

    complete: bool
    window: int
    arrivals: int
    duplicates: int
    too_old: int
    judged: int
    reordered: int
    ratio: float
    extent: Distribution
    late_time_ns: Distribution | None
    byte_offset: Distribution | None
    discontinuities: int
    gap: Distribution
    gap_time_ns: Distribution | None
    runs: FreeRuns
    n_reordering: Degrees
    displacement: Density
    occupancy: Density
