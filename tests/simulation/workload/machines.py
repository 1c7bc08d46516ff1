"""A machine for tests of two-core workloads, at any latency."""

from dataclasses import replace

from lab.simulation.facts import HostFacts
from lab.simulation.machine import Machine, exactly, host
from lab.simulation.topology import Topology


def machine_at(latency_ns: float, **numbers: float) -> tuple[Machine, dict[str, float]]:
    """Return a machine whose cores are so far apart, and its median numbers but for those given."""
    facts = HostFacts(
        tsc_hz=2.6e9, c2c_latency_ns_low=latency_ns, c2c_latency_ns_median=latency_ns, c2c_latency_ns_high=latency_ns
    )
    found = host(facts)
    return found, {name: each.median for name, each in found.ranges.items()} | numbers


def two_sockets(latency_ns: float) -> tuple[Machine, dict[str, float]]:
    """Return one with a second socket four times as far away."""
    found, numbers = machine_at(latency_ns)
    ranges = {**found.ranges, "far": exactly(4 * latency_ns, "ns", "test")}
    return replace(found, topology=Topology(2, 1, 4), ranges=ranges), numbers | {"far": 4 * latency_ns}
