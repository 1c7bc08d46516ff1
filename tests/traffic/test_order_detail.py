"""All of the order of tagged frames, from a real generator through a DUT that says which frames it moved."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import paths
from lab.dut.model import ModelForwarder
from lab.methods.trial import TrialRequest
from lab.testbed.behaviour import Behaviour, Picks
from lab.traffic.measurer import GeneratorMeasurer
from tests.traffic.behind_a_model import measuring

Testbed = tuple[GeneratorMeasurer, ModelForwarder]
FRAME_TIME_NS = 100_000
SENT = 2000
PLACES = 5
EVERY = 50


@pytest.fixture(scope="module")
def testbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Testbed]:
    if not (paths.NATIVE / "vtrex-engine").exists() or not (paths.NATIVE / "model-dut").exists():
        pytest.skip("native programs are not built: run 'make native'")
    with measuring(tmp_path_factory.mktemp("order")) as running:
        yield running


def test_moved_frames_are_late_by_what_they_were_moved(testbed: Testbed) -> None:
    """Tagged frames alone, 10,000 a second in each direction: each fiftieth goes out behind the five after it.

    The last frame is a fiftieth one as well: nothing comes behind which it could go out.
    """
    measurer, model = testbed
    model.behave(Behaviour(move=Picks(every=EVERY), move_places=PLACES))
    trial = measurer.measure(
        TrialRequest(frame_size_bytes=64, rate_pps=20_000.0, duration_s=0.2, tagged_only=True, order_detail=True)
    )
    arrived, moved = SENT - 1, SENT // EVERY - 1
    assert len(trial.reordering) == 2
    for record in trial.reordering:
        detail = record.detail
        assert detail is not None and detail.complete
        assert detail.arrivals == detail.judged == record.received == arrived
        assert detail.reordered == record.reordered == moved
        assert detail.extent.counts == ((PLACES, moved),)
        assert detail.byte_offset is not None and detail.byte_offset.counts == ((PLACES * 64, moved),)
        assert detail.gap.counts == ((EVERY, moved - 1),)
        assert detail.runs.lengths.counts == ((EVERY - 1, moved - 1), (EVERY - 1 + PLACES, 1))
        assert detail.displacement.counts == (
            (-1, PLACES * moved),
            (0, arrived - (PLACES + 1) * moved),
            (PLACES, moved),
        )
        assert detail.n_reordering.degrees == ((PLACES, moved),)
        waiting = dict.fromkeys(range(1, PLACES + 1), moved)
        assert dict(detail.occupancy.counts) == {0: arrived - PLACES * moved, **waiting}
        # What the DUT does in no time comes between the frames as they were sent: times follow from these.
        assert detail.late_time_ns is not None and detail.late_time_ns.count == moved
        assert detail.late_time_ns.max < SENT * FRAME_TIME_NS
        assert detail.gap_time_ns is not None
        assert detail.gap_time_ns.mean == pytest.approx(EVERY * FRAME_TIME_NS, rel=0.5)
