"""Frames through a forwarder that stands beside the image in benchmarks: one vtrex, two ports, real links."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lab.machines import cores
from lab.traffic.trex import TrexGenerator
from lab.traffic.vtrex import VtrexServer


@contextmanager
def vtrex(folder: Path, devices: Sequence[str], *more: str) -> Iterator[VtrexServer]:
    """Serve these ports, such as ``vhost:PATH``."""
    plan = cores.plan(1)
    options = [word for device in devices for word in ("--port", device)]
    with VtrexServer(
        [*options, *more],
        core=plan.generator,
        housekeeping_core=plan.housekeeping,
        line_rate_gbps=10,
        log=folder / "vtrex.log",
    ) as server:
        yield server


@contextmanager
def connected(server: VtrexServer) -> Iterator[TrexGenerator]:
    """Connect the lab's driver, once all links are up."""
    generator = server.connect()
    try:
        yield generator
    finally:
        generator.close()
