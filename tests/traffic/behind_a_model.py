"""A measurer of trials through the native model DUT, whose every deed is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import paths
from lab.dut.model import ModelForwarder
from lab.testbed.behaviour import Behaviour
from lab.traffic.load import Direction, PortAddresses
from lab.traffic.measurer import GeneratorMeasurer
from tests.dut.reference_links import connected, vtrex
from tests.dut.test_model import MACS, PEERS, model
from tests.vtrex.serving import PATIENT

PORTS = tuple(
    PortAddresses(port=i, mac=PEERS[i], dut_mac=MACS[i], first_host=f"198.1{8 + i}.128.1", hosts=250) for i in (0, 1)
)
DIRECTIONS = (Direction(tx=PORTS[0], rx=PORTS[1]), Direction(tx=PORTS[1], rx=PORTS[0]))


@contextmanager
def measuring(folder: Path) -> Iterator[tuple[GeneratorMeasurer, ModelForwarder]]:
    """Have a patient generator, the model between its ports, and both directions of traffic."""
    sockets = [paths.runtime_dir() / f"{folder.name}-{number}" for number in range(2)]
    devices = [f"vhost:{socket}" for socket in sockets]
    with vtrex(folder, devices, *PATIENT) as server, model(sockets, folder, Behaviour()) as forwarder:
        forwarder.start()
        with connected(server) as generator:
            yield GeneratorMeasurer(generator, DIRECTIONS), forwarder
