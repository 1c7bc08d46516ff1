"""Rows of the tables of the image's own path and of published rates, as text."""

from __future__ import annotations

from lab.report.finding_rows import Row
from lab.report.words import microseconds, mpps
from lab.results.model import Measurement, PathCycles, Results
from lab.simulation.consistency import Consistency, Fit


def path_rows(results: Results) -> list[Row]:
    """Return state, latency, load, frames a turn, private work, measured and simulated cycles, ratio, trials."""
    return [_path(one) for one in results.path_cycles]


def _path(one: PathCycles) -> Row:
    return Row(
        (
            f"{one.c2c_ns:.0f}{'' if one.state == 'all' else f' ({one.state})'}",
            mpps(one.forwarded_pps),
            f"{one.frames_a_turn:.1f}",
            f"{one.work_cycles:.0f}",
            f"{one.measured_cycles:.0f} ({one.measured_least:.0f} to {one.measured_greatest:.0f})",
            f"{one.predicted_median:.0f} ({one.predicted_low:.0f} to {one.predicted_high:.0f})",
            f"{one.ratio:.2f}",
            str(one.trials),
        )
    )


def published_rows(results: Results) -> list[Row]:
    """Return a row for each layout of each published rate: layout, band, what limits it, whether it holds the rate."""
    return [_published(one, fit) for one in results.published for fit in one.fits]


def _published(one: Consistency, fit: Fit) -> Row:
    band = fit.rate_pps
    return Row(
        (
            f"{one.about}: {mpps(one.published_pps)} Mpps ({one.machine})",
            fit.layout,
            f"{mpps(band.median)} ({mpps(band.low)} to {mpps(band.high)})",
            fit.limited_by,
            "holds it" if fit.holds else "does not",
        )
    )


def latency_rows(results: Results) -> list[Row]:
    """Return what was measured, size, latency, the generator's own median, and the simulated padded and packed one."""
    floors = results.generator.latency_floor_us if results.generator else {}
    return [
        Row(
            (
                one.metric,
                str(one.frame_size_bytes),
                microseconds(one.value),
                microseconds(floors.get(one.frame_size_bytes)),
                *(_latency_band(one, layout) for layout in ("padded", "packed")),
            )
        )
        for one in results.measurements
        if one.latency_baselines
    ]


def _latency_band(one: Measurement, layout: str) -> str:
    for band in one.latency_baselines:
        if band.layout == layout:
            return f"{microseconds(band.median_us)} ({microseconds(band.low_us)} to {microseconds(band.high_us)})"
    return "-"
