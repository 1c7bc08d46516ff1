"""Searches, MRR and soak by a real generator, with a mix of sizes and over IPv6, its ports joined by a wire."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import paths
from lab.methods import ip6, mlr, mrr, soak, throughput
from lab.methods.goals import NDR, PDR
from lab.methods.imix import parse
from lab.methods.load_limit import load_limit, offerable
from lab.methods.mlr import MlrPlan
from lab.methods.mrr import MrrPlan
from lab.methods.repeat import Conditions
from lab.methods.soak import SoakPlan
from lab.methods.throughput import ThroughputPlan
from lab.methods.trial import Measurer
from lab.traffic.load import Direction
from lab.traffic.measurer import GeneratorMeasurer
from lab.traffic.vtrex import VtrexServer
from tests.traffic.test_load import BOTH
from tests.traffic.test_streams import SIX
from tests.vtrex.serving import PATIENT

pytestmark = pytest.mark.skipif(
    not (paths.NATIVE / "vtrex-engine").exists(), reason="vtrex-engine is not built: run 'make native'"
)

SIMPLE = parse("simple")
SIGNATURE_BYTES = 16
IP6_BYTES = ip6.frame_sizes_bytes(SIGNATURE_BYTES)[0]
RATE_PPS = 10_000.0
SHORT_S = 0.05
GOALS = tuple(
    goal.model_copy(
        update={"initial_trial_s": SHORT_S, "final_trial_s": SHORT_S, "preceding_targets": 1, "duration_sum_s": SHORT_S}
    )
    for goal in (NDR, PDR)
)
CASES = [("mix", SIMPLE.frame_size_bytes, SIMPLE.mix_bytes), ("ip6", IP6_BYTES, ())]


@pytest.fixture(scope="module")
def measurers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Measurer]]:
    log = tmp_path_factory.mktemp("vtrex") / "vtrex.log"
    options = ["--wire", *PATIENT, "--gap-limit-us", "1000000"]  # many trials: one would be disturbed five times
    with VtrexServer(options, core=0, housekeeping_core=0, line_rate_gbps=10.0, log=log) as server:
        generator = server.connect()
        six = (Direction(tx=SIX[0], rx=SIX[1]), Direction(tx=SIX[1], rx=SIX[0]))
        yield {"mix": GeneratorMeasurer(generator, BOTH), "ip6": GeneratorMeasurer(generator, six)}
        generator.close()


@pytest.mark.parametrize(("name", "size_bytes", "mix_bytes"), CASES, ids=["mix", "ip6"])
def test_every_search_for_a_rate_runs(
    measurers: dict[str, Measurer], name: str, size_bytes: int, mix_bytes: tuple[int, ...]
) -> None:
    """Steps: NDR, PDR, throughput, MRR and soak at 10,000 pps. Verify: nothing is lost and all is found."""
    measurer, conditions = measurers[name], Conditions()
    limit = offerable(
        measurer, load_limit(size_bytes, 10.0, 2, RATE_PPS, mix_bytes), size_bytes, conditions, SHORT_S, mix_bytes
    )
    assert limit.rate_pps == RATE_PPS
    plan = MlrPlan(
        frame_size_bytes=size_bytes, max_rate_pps=RATE_PPS, goals=GOALS, time_limit_s=60.0, mix_bytes=mix_bytes
    )
    for bounds in mlr.search(measurer, plan, conditions).values():
        assert (bounds.lower_pps, bounds.upper_pps) == (RATE_PPS, None)
    strict = ThroughputPlan(
        frame_size_bytes=size_bytes,
        max_rate_pps=RATE_PPS,
        trial_duration_s=SHORT_S,
        resolution_ratio=0.1,
        mix_bytes=mix_bytes,
    )
    assert throughput.search(measurer, strict, conditions).lower_pps == RATE_PPS
    full = MrrPlan(
        frame_size_bytes=size_bytes,
        rate_pps=RATE_PPS,
        limited_by="the test",
        trial_duration_s=SHORT_S,
        repetitions=2,
        mix_bytes=mix_bytes,
    )
    assert mrr.measure(measurer, full, conditions).mean_pps == pytest.approx(RATE_PPS)
    long = SoakPlan(
        frame_size_bytes=size_bytes,
        rate_pps=RATE_PPS,
        duration_s=2 * SHORT_S,
        chunk_s=SHORT_S,
        loss_ratio=0.01,
        mix_bytes=mix_bytes,
    )
    soaked = soak.measure(measurer, long, conditions)
    assert [chunk.lost_frames for chunk in soaked.chunks] == [0] * 2
    assert sum(chunk.sent_frames for chunk in soaked.chunks) == pytest.approx(RATE_PPS * long.duration_s)


def test_the_line_rate_of_a_mix_limits_its_load() -> None:
    limit = load_limit(SIMPLE.frame_size_bytes, 10.0, 2, None, SIMPLE.mix_bytes)
    assert limit.rate_pps == pytest.approx(2 * SIMPLE.line_rate_pps(10.0))
    assert limit.words == "line rate or more"
