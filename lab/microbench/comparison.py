"""Compares the layouts by one microbenchmark after the other: measured, predicted, recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lab.errors import LabError
from lab.images import PixManifest
from lab.metrics.ratio import Ratio, compare
from lab.microbench import interleaved
from lab.microbench.host import HostBench, cpus
from lab.microbench.model import Layout, Machine, Request, Window, run
from lab.microbench.prediction import predict
from lab.results.model import LayoutComparison
from lab.simulation import host, verdict
from lab.simulation.layout import Layout as Table
from lab.simulation.layout import from_manifest
from lab.simulation.machine import Machine as Model
from lab.simulation.machine import host as host_model
from lab.simulation.prediction.model import Band

LAYOUTS: tuple[Layout, ...] = ("padded", "packed")
ATTEMPTS = 3
ALONE_WINDOWS = 5
Where = Literal["host", "image"]


@dataclass
class LayoutComparer:
    """Measures and records; predictions are made once for each benchmark.

    Attributes:
        model: of this host, from facts measured just now.
        tables: where the words lie in each layout, from the manifests of the images.
        blocks: of four windows for each benchmark.
        record: told each comparison.

    """

    model: Model
    tables: Mapping[Layout, Table]
    blocks: int
    record: Callable[[LayoutComparison], None]
    _predicted: dict[tuple[Request, int], Band] = field(default_factory=dict)

    def compare(
        self, test: str, where: Where, machines: Mapping[Layout, Machine], request: Request
    ) -> tuple[tuple[Window, ...], tuple[LayoutComparison, ...]]:
        """Run a benchmark on both layouts in turns and record a comparison for each state that the machine was seen in.

        A machine that jumped between states too often is measured again, up to three times.

        Returns:
            All windows of the last attempt, and what was recorded: nothing when no state had enough windows.

        Raises:
            LabError: a machine refuses.

        """
        ratios: tuple[Ratio, ...] = ()
        windows: tuple[tuple[int, Window], ...] = ()
        for _ in range(ATTEMPTS):
            windows = interleaved.measure(machines, request, self.blocks)
            ratios = compare(interleaved.observations(windows), "packed", "padded")
            if ratios:
                break
        found = tuple(window for _, window in windows)
        cores = found[0].cores
        predicted = self.prediction(request, cores)
        recorded = tuple(self._comparison(test, where, request, found, ratio, predicted) for ratio in ratios)
        for one in recorded:
            self.record(one)
        return found, recorded

    def prediction(self, request: Request, cores: int) -> Band:
        """Return the simulated ratio of a benchmark."""
        key = (request, cores)
        if key not in self._predicted:
            alone = cycles_alone(request) if request.bench == "forward" else 0.0
            self._predicted[key] = predict(self.model, self.tables, request, cores, alone)
        return self._predicted[key]

    def _comparison(
        self,
        test: str,
        where: Where,
        request: Request,
        windows: tuple[Window, ...],
        ratio: Ratio,
        predicted: Band,
    ) -> LayoutComparison:
        return LayoutComparison(
            test=test,
            bench=request.bench,
            where=where,
            unit="frames/s" if request.bench in ("forward", "tx") else "messages/s",
            cores=windows[0].cores,
            batch=request.batch,
            queue_length=request.queue_length,
            verified=all(window.verified for window in windows),
            verdict=verdict.of_ratio(ratio.low, ratio.high, predicted),
            predicted_low=predicted.low,
            predicted_median=predicted.median,
            predicted_high=predicted.high,
            **as_recorded(ratio),
        )


def of_image(image: PixManifest, blocks: int, record: Callable[[LayoutComparison], None]) -> LayoutComparer:
    """Measure this machine (about a second; nothing else may poll) and prepare comparisons of an image's layouts.

    Raises:
        UsageError: the manifest of a layout is missing or wrong.
        LabError: the host has no two processors, or the probe is not built.

    """
    tables = {layout: from_manifest(image.directory / f"{sibling(image, layout)}.manifest.json") for layout in LAYOUTS}
    return LayoutComparer(model=host_model(host.measure()), tables=tables, blocks=blocks, record=record)


def as_recorded(ratio: Ratio) -> dict[str, Any]:
    """Return what a LayoutComparison has of the ratio of packed to padded."""
    named = {"packed_rate": ratio.rate, "padded_rate": ratio.against_rate}
    return named | ratio.model_dump(exclude={"side", "against", "rate", "against_rate"})


def sibling(image: PixManifest, layout: Layout) -> str:
    """Return the name of the image that differs in its layout only: pix-packed of pix-padded."""
    return image.name.replace(image.layout, layout)


def cycles_alone(request: Request) -> float:
    """Measure the cycles a frame of forwarding on one core without sharing, in the window that was least disturbed.

    Raises:
        LabError: the benchmark does not run.

    """
    with HostBench("padded", cpus()[-1:]) as alone:
        windows = run(alone, request, ALONE_WINDOWS)
    cycles = [window.cycles / window.messages for window in windows if window.messages]
    if not cycles:
        raise LabError("microbenchmark forward: one core alone forwarded nothing")
    return min(cycles)
