"""Machines are data: each is complete, sourced, and has the places and distances that its topology says."""

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import UsageError
from lab.simulation import machines
from lab.simulation.facts import HostFacts
from lab.simulation.layout import default
from lab.simulation.machine import PRIORS, Machine, host
from lab.simulation.machines import schema
from lab.simulation.scene import Protocol
from lab.simulation.topology import Place, Topology, distance
from lab.simulation.workload.built import Window
from lab.simulation.workload.case import Case
from lab.simulation.workload.catalogue import workload

FACTS = HostFacts(tsc_hz=2.6e9, c2c_latency_ns_low=55, c2c_latency_ns_median=58, c2c_latency_ns_high=62)
CORE = {"clock", "near", "l1", "shared_cache", "window", "misses", "store_buffer", *PRIORS}
topologies = st.builds(Topology, st.integers(1, 4), st.integers(1, 8), st.integers(1, 16))


@pytest.mark.parametrize("name", machines.names())
def test_every_machine_has_what_each_workload_needs(name: str) -> None:
    machine = machines.load(name)
    assert machine.name == name
    assert machine.ranges.keys() >= CORE
    assert ("far" in machine.ranges) >= (machine.sockets > 1)
    assert ("complex" in machine.ranges) >= (machine.topology.complexes_per_socket > 1)
    times = [machine.ranges[each].median for each in ("l1", "near", "complex", "far") if each in machine.ranges]
    assert times[1:] == sorted(times[1:])
    if machine.nics is not None:
        machine.needs(("doorbell", "card", "card_tx", "card_tx_single", "card_bytes"), "direct-tx")
    drawn = machine.draws(4, seed=1)
    assert all(each.low <= one[key] <= each.high for one in drawn for key, each in machine.ranges.items())


def test_the_machines_that_results_are_compared_with_are_there() -> None:
    assert {"e5-2670x2", "i7-4770k", "xl710", "e5-2658v3"} < set(machines.names())
    assert {machines.load(name).protocol for name in machines.names()} == set(Protocol)
    assert any(machines.load(name).topology.complexes_per_socket > 1 for name in machines.names())


def test_a_machine_file_may_lie_anywhere_and_may_know_better_than_a_prior(tmp_path: Path) -> None:
    text = (machines.FOLDER / "e5-2658v3.yaml").read_text(encoding="utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(text + "software:\n  work: {exactly: 99, unit: cycles, source: 'measured: here'}\n")
    mine = machines.load(str(path))
    assert (mine.name, mine.ranges["work"].median) == ("mine", 99)
    assert mine.ranges["locked"] == PRIORS["locked"]


def test_the_exported_schema_is_that_of_the_model() -> None:
    assert schema.PATH.read_text(encoding="utf-8") == schema.text(), "run: python -m lab.simulation.machines.schema"


def test_the_talks_eight_cores_lie_four_in_each_socket() -> None:
    places = machines.load("e5-2670x2").places(8, "spread")
    assert [place.socket for place in places] == [0, 0, 0, 0, 1, 1, 1, 1]


def test_complexes_of_a_socket_share_its_cores_evenly() -> None:
    places = machines.load("epyc-7r13x2").places(12, "spread")
    assert len(set(places)) == 12
    assert machines.load("ryzen-7950x").places(4, "spread") == (Place(0, 0), Place(0, 0), Place(0, 1), Place(0, 1))


@pytest.mark.parametrize("placement", ["near", "complex", "far"])
def test_a_pair_lies_as_far_apart_as_asked(placement: str) -> None:
    a, b = machines.load("epyc-7r13x2").places(2, placement)  # type: ignore[arg-type]
    assert distance(a, b) == distance(b, a) == placement


@given(topologies, st.integers(1, 64))
def test_no_complex_holds_more_cores_than_it_has(topology: Topology, cores: int) -> None:
    room = topology.sockets * topology.complexes_per_socket * topology.cores_per_complex
    if cores > room:
        with pytest.raises(UsageError, match=f"use at most {room}"):
            topology.places(cores, "spread", "it")
        return
    places = topology.places(cores, "spread", "it")
    assert len(places) == cores
    assert max(places.count(place) for place in places) <= topology.cores_per_complex
    sockets = [sum(place.socket == socket for place in places) for socket in range(topology.sockets)]
    assert max(sockets) - min(sockets) <= 1
    for a, b in combinations(places, 2):
        assert distance(a, b) != "far" or a.socket != b.socket


def one(machine: Machine, cores: int, placement: str) -> str:
    with pytest.raises(UsageError) as caught:
        machine.places(cores, placement)  # type: ignore[arg-type]
    return str(caught.value)


def test_places_that_a_machine_has_not_are_refused_in_one_line() -> None:
    desktop = machines.load("i7-4770k")
    assert one(desktop, 2, "far").startswith("placement 'far': machine 'i7-4770k' has 1 socket(s)")
    assert "use another placement or machine" in one(desktop, 2, "complex")
    assert "use at most 4" in one(desktop, 5, "near")
    assert "\n" not in one(desktop, 5, "spread")


def test_a_number_that_a_machine_has_not_is_named_with_who_needs_it() -> None:
    with pytest.raises(UsageError, match="machine 'host' has no number 'card', which workload 'direct-tx' needs"):
        host(FACTS).needs(("clock", "card"), "workload 'direct-tx'")


@pytest.mark.parametrize(
    ("name", "ports", "gbps", "words"),
    [
        ("i7-4770k", 5, 10, "5 ports: machine 'i7-4770k' has 2x X520-DA2, 2 ports each: ask for at most 4"),
        ("i7-4770k", 4, 40, "40 Gb/s: machine 'i7-4770k' has 2x X520-DA2, 2 ports each, of 10 Gb/s: ask for less"),
        ("ryzen-7950x", 1, 10, "machine 'ryzen-7950x' has no network cards, which workload 'x' needs"),
    ],
)
def test_ports_that_a_machine_has_not_are_refused(name: str, ports: int, gbps: float, words: str) -> None:
    machines.load("i7-4770k").needs_ports(4, 10, "workload 'x'")
    with pytest.raises(UsageError) as caught:
        machines.load(name).needs_ports(ports, gbps, "workload 'x'")
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["ipv4-routing", "direct-tx", "tx-batch"])
def test_workloads_between_network_cards_ask_for_no_more_of_them_than_there_are(name: str) -> None:
    machine, case = machines.load("i7-4770k"), Case(ports=5, cores=1)
    with pytest.raises(UsageError, match="ask for at most 4"):
        workload(name).build(machine, machine.draws(1, 1)[0], case, default("padded", 1), Window(1, 10, 20))
