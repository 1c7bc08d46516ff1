from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.vtrex.serving import PATIENT, Rpc, Server, connected


@pytest.fixture(scope="module")
def wire_server() -> Iterator[Server]:
    # Exact counts are compared, whatever else runs on this machine: no frame is too late to be sent.
    server = Server("--wire", *PATIENT)
    yield server
    code, errors = server.stop()
    assert (code, errors) == (0, "")


@pytest.fixture
def start_server() -> Iterator[Callable[..., Server]]:
    """Start servers that are stopped whatever the test does."""
    started: list[Server] = []

    def start(*options: str) -> Server:
        started.append(Server(*options))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def rpc(wire_server: Server) -> Iterator[Rpc]:
    with connected(wire_server) as rpc:
        rpc.reset(0, 1)
        yield rpc
