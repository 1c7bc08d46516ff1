"""Records the journal of a small run: real methods against the model of a DUT, with one sort of everything in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lab.dut.computed import ComputedDut, Pauses
from lab.methods import latency, mlr, reordering, throughput
from lab.methods.bounds import Bounds
from lab.methods.load_limit import LoadLimit, load_limit
from lab.methods.profiles import QUICK
from lab.methods.repeat import Conditions, TrialEvent
from lab.methods.validity import disturbed
from lab.results import events as ev
from lab.results.journal import FILE_NAME, Journal
from lab.results.model import (
    BaselineBand,
    Boot,
    Dut,
    Environment,
    Generator,
    Image,
    LatencyBand,
    LayoutComparison,
    Measurement,
    Outcome,
    PathCycles,
)
from lab.simulation.consistency import Consistency, Fit
from lab.simulation.prediction.model import Band
from lab.testbed.behaviour import Behaviour, Picks

SHA = "5f" * 32
TEST = "suites/ipv4_routing/test_rfc2544.py::test_finds_ndr_and_pdr"
CEILINGS_PPS = {64: 12.4e6, 512: 4.6e6, 1518: 1.62e6}

COMPARISON = LayoutComparison(
    test=TEST,
    bench="ring",
    where="host",
    unit="messages/s",
    cores=2,
    batch=8,
    queue_length=256,
    state="near",
    c2c_ns=62.0,
    packed_rate=4.2e6,
    padded_rate=14e6,
    ratio=0.3,
    low=0.28,
    high=0.33,
    effect=1.0,
    windows=40,
    left_out=2,
    predicted_low=0.2,
    predicted_median=0.27,
    predicted_high=0.41,
    verdict="as simulated",
    verified=True,
)


PATH = PathCycles(
    test=TEST,
    state="far",
    c2c_ns=106.0,
    forwarded_pps=6e6,
    frames_a_turn=7.5,
    work_cycles=45.0,
    measured_cycles=130.0,
    measured_least=121.0,
    measured_greatest=142.0,
    predicted_low=88.0,
    predicted_median=104.0,
    predicted_high=133.0,
    ratio=1.25,
    trials=11,
)

PUBLISHED = Consistency(
    about="routing on <eight> ports",
    published_pps=9e6,
    machine="e5-2670x2",
    case="8 ports, 8 cores",
    fits=(
        Fit(layout="all apart", rate_pps=Band(low=40e6, median=45e6, high=50e6), limited_by="cpu", holds=False),
        Fit(layout="all together", rate_pps=Band(low=8e6, median=9e6, high=10e6), limited_by="coherence", holds=True),
    ),
)


@dataclass
class Recorder:
    """Writes the events of a run at made-up times, one second apart."""

    journal: Journal
    at_s: float = 1_800_000_000.0

    def now_s(self) -> float:
        self.at_s += 1.0
        return self.at_s

    def trial(self, event: TrialEvent) -> None:
        marks = disturbed(event.result, Conditions().limits)
        self.journal.append(ev.TrialEnded(at_s=self.now_s(), test=TEST, trial=event, disturbed=marks))


def record_run(run_dir: Path, sizes: tuple[int, ...] = (64, 512, 1518), host: str = "testhost") -> Path:
    """Write the journal of a run into ``run_dir`` and return its path."""
    path = run_dir / FILE_NAME
    with Journal(path) as journal:
        recorder = Recorder(journal)
        _begin(recorder, run_dir.name, host)
        for size in sizes:
            _measure(recorder, size)
        journal.append(ev.Compared(at_s=recorder.now_s(), comparison=COMPARISON))
        journal.append(ev.PathMeasured(at_s=recorder.now_s(), path=PATH))
        journal.append(ev.PublishedChecked(at_s=recorder.now_s(), consistency=PUBLISHED))
        for outcome, message in (("passed", ""), ("failed", "TTL 64 came back as 64 <not 63>"), ("skipped", "no IPv6")):
            made = Outcome.model_validate(
                {
                    "test": f"suites/x.py::test_{outcome}",
                    "title": f"A {outcome} one",
                    "outcome": outcome,
                    "duration_s": 0.2,
                }
                | {"message": message}
            )
            journal.append(ev.TestEnded(at_s=recorder.now_s(), outcome=made))
        journal.append(ev.RunEnded(at_s=recorder.now_s(), exit_code=1))
    return path


def _begin(recorder: Recorder, run_id: str, host: str) -> None:
    environment = Environment(
        host=host, cpu="Model CPU", cores=2, memory_gib=24.0, kernel="Linux 6.1", versions={"pixlab": "0.1.0"}
    )
    started = ev.RunStarted(
        at_s=recorder.now_s(),
        run_id=run_id,
        suite="ipv4_routing",
        testbed="virtual",
        profile="quick",
        environment=environment,
    )
    image = Image(
        name="pix-padded",
        layout="padded",
        version="0.1.0",
        build_id="c0ffee",
        asked_sha256=SHA,
        served_sha256=SHA,
        booted_sha256=SHA,
    )
    boot = Boot(
        accelerator="tcg-then-kvm", reason="ring 0 runs at 1 M instructions/s", phases_s={"PXE": 5.8, "hand-over": 0.03}
    )
    dut = Dut(name="pix", version="0.1.0", cores=1, ports=2)
    generator = Generator(
        name="vtrex", version="v3.04", ceilings_pps=CEILINGS_PPS, latency_floor_us=dict.fromkeys(CEILINGS_PPS, 1.8)
    )
    recorder.journal.append(started)
    recorder.journal.append(ev.Calibrated(at_s=recorder.now_s(), generator=generator))
    recorder.journal.append(ev.Booted(at_s=recorder.now_s(), image=image, boot=boot, dut=dut))


def _measure(recorder: Recorder, size: int) -> None:
    limit = load_limit(size, 10.0, 2, CEILINGS_PPS[size])
    behaviour = Behaviour(
        capacity_pps=9.1e6, noise_ratio=0.003, interval_ms=1000.0, move=Picks(ratio=0.001), move_places=50, seed=size
    )
    dut = ComputedDut(behaviour, pauses=Pauses(chance=0.15, length_s=0.004))
    conditions = Conditions(attempts=30, progress=recorder.trial)
    append = recorder.journal.append
    append(ev.SearchStarted(at_s=recorder.now_s(), test=TEST, kind=mlr.SEARCH, frame_size_bytes=size))
    found = mlr.search(dut, QUICK.mlr_plan(size, limit), conditions)
    append(
        ev.SearchEnded(
            at_s=recorder.now_s(), test=TEST, kind=mlr.SEARCH, frame_size_bytes=size, bounds=tuple(found.values())
        )
    )
    if size == 64:
        found["throughput"] = throughput.search(dut, QUICK.throughput_plan(size, limit), conditions)
    for bounds in found.values():
        append(ev.Measured(at_s=recorder.now_s(), measurement=_measurement(bounds, limit)))
    for one in latency.measure(dut, QUICK.latency_plan(found["NDR"]), conditions):
        append(ev.LatencyMeasured(at_s=recorder.now_s(), test=TEST, latency=one))
    append(ev.Measured(at_s=recorder.now_s(), measurement=_latency(size)))
    plan = QUICK.reordering_plan(found["NDR"])
    assert plan is not None
    order = reordering.measure(dut, plan.model_copy(update={"trial_duration_s": 0.2}), conditions)
    append(ev.ReorderingMeasured(at_s=recorder.now_s(), test=TEST, reordering=order))


def _latency(size: int) -> Measurement:
    return Measurement(
        test=TEST,
        frame_size_bytes=size,
        metric="latency p50, 50 % of NDR, port 0 to 1",
        value=4.25,
        unit="us",
        latency_baselines=tuple(
            LatencyBand(machine="host", layout=layout, low_us=0.35, median_us=0.45, high_us=high_us)
            for layout, high_us in (("padded", 0.86), ("packed", 0.98))
        ),
    )


def _measurement(bounds: Bounds, limit: LoadLimit) -> Measurement:
    talk = "e5-2670x2"
    bands = (("host", "padded", 9.0), ("host", "packed", 4.0), (talk, "padded", 46.0), (talk, "packed", 13.0))
    return Measurement(
        test=TEST,
        frame_size_bytes=bounds.frame_size_bytes,
        metric=bounds.goal,
        value=bounds.lower_pps,
        unit="pps",
        low=bounds.lower_pps,
        high=bounds.upper_pps,
        verdict="padded",
        likelihood_ratio=12.0,
        reason="measured 9.10 Mpps agrees with the simulated band of padded only (padded 7.65 to 10.35 and packed "
        "3.40 to 4.60 Mpps); 12 times likelier under padded.",
        line_rate_pps=limit.line_rate_pps,
        ceiling_pps=limit.ceiling_pps,
        baselines=tuple(
            BaselineBand(
                machine=machine,
                layout=layout,
                low_pps=min(limit.line_rate_pps, 0.85e6 * mpps),
                median_pps=min(limit.line_rate_pps, 1e6 * mpps),
                high_pps=min(limit.line_rate_pps, 1.15e6 * mpps),
                limited_by="cpu",
            )
            for machine, layout, mpps in bands
        ),
        trials=bounds.trials,
        invalid_trials=bounds.invalid_trials,
    )
