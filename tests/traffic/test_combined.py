"""Two servers as one generator: each has its own pair of ports, and a wire between them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from lab import paths
from lab.errors import GeneratorError
from lab.methods.trial import TrialRequest
from lab.traffic.combined import CombinedGenerator
from lab.traffic.load import Direction
from lab.traffic.measurer import GeneratorMeasurer
from lab.traffic.models import SentFrame, Stream
from lab.traffic.trex import TrexGenerator
from lab.traffic.vtrex import VtrexServer
from tests.traffic.test_load import BOTH, A, B

pytestmark = pytest.mark.skipif(
    not (paths.NATIVE / "vtrex-engine").exists(), reason="vtrex-engine is not built: run 'make native'"
)


class Noting(TrexGenerator):
    """A connection that keeps what its server was told last."""

    started: tuple[float, float] = (0.0, 0.0)
    prepared: tuple[Stream, ...] = ()

    def prepare(self, streams: object) -> None:
        self.prepared = tuple(streams)  # type: ignore[arg-type]
        super().prepare(self.prepared)

    def begin(self, duration_s: float, *, residual_s: float = 0.0, start_at_s: float = 0.0) -> None:
        self.started = (start_at_s, start_at_s - self.clock_ahead_s())
        super().begin(duration_s, residual_s=residual_s, start_at_s=start_at_s)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Noting]]:
    log = tmp_path_factory.mktemp("two") / "vtrex.log"
    with ExitStack() as stack:
        made = {}
        for name in ("left", "right"):
            server = stack.enter_context(
                VtrexServer(
                    ["--wire", "--late-us", "1000000"], core=0, housekeeping_core=1, line_rate_gbps=10.0, log=log
                )
            )
            made[name] = Noting(server.host, server.rpc_port, server.async_port, log)
            stack.callback(made[name].close)
        yield made


@pytest.fixture(scope="module")
def both(parts: dict[str, Noting]) -> CombinedGenerator:
    return CombinedGenerator(parts)


def moved(direction: Direction, ports: int) -> Direction:
    return Direction(
        tx=direction.tx.model_copy(update={"port": direction.tx.port + ports}),
        rx=direction.rx.model_copy(update={"port": direction.rx.port + ports}),
        hops=direction.hops,
    )


FOUR = (*BOTH, *(moved(direction, 2) for direction in BOTH))


def test_the_ports_of_both_are_counted(both: CombinedGenerator, parts: dict[str, Noting]) -> None:
    one = parts["left"].info()
    assert both.info() == one.model_copy(update={"ports": 4})


def test_a_trial_of_both_has_the_counts_of_each(both: CombinedGenerator, parts: dict[str, Noting]) -> None:
    request = TrialRequest(frame_size_bytes=128, rate_pps=20_000.0, duration_s=0.4, tagged=True, tagged_rate_pps=400)
    trial = GeneratorMeasurer(both, FOUR).measure(request)
    assert [(d.tx_port, d.rx_port) for d in trial.directions] == [(0, 1), (1, 0), (2, 3), (3, 2)]
    for direction in trial.directions:
        assert direction.sent_frames > 0
        assert direction.received_frames == direction.sent_frames
    assert len(trial.latency) == 4
    assert all(stream.tx_port in (0, 1) for stream in parts["right"].prepared)
    # Each was told one moment by its own clock: both have this host's, and what differs is what asking for it leaves.
    (left, left_here), (right, right_here) = (part.started for part in parts.values())
    assert left > 0 and right > 0
    assert abs(left_here - right_here) < 0.05  # 0.3 s are between them and the moment when they were told


def test_single_frames_go_between_ports_of_both(both: CombinedGenerator) -> None:
    """Sent at port 3 of the second server and at port 0 of the first, they arrive at the far ends of their wires."""
    frames = [SentFrame(port=port, frame=bytes([2, 0, 0, 0, 0, port]) + bytes(54)) for port in (3, 0)]
    arrived = both.exchange(frames, [0, 1, 2], wait_s=3.0, expect=2)
    assert {(found.port, found.frame[5]) for found in arrived} == {(2, 3), (1, 0)}


def test_a_trial_between_two_servers_is_refused(both: CombinedGenerator) -> None:
    across = Direction(tx=A, rx=B.model_copy(update={"port": 2}), hops=0)
    with pytest.raises(GeneratorError, match=r"port 0 of left to port 2 of right.*two clocks.*same TRex host"):
        GeneratorMeasurer(both, (across,)).measure(TrialRequest(frame_size_bytes=64, rate_pps=1000.0, duration_s=0.1))
