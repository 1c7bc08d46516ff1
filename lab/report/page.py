"""What the page shows, in the order and the words that it shows it: the template only places it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lab.report.words import limit_words, mpps, percent
from lab.results.model import BaselineBand, Measurement, Results


@dataclass(frozen=True)
class RateRow:
    """One line of the table of rates, as text."""

    size_bytes: int
    metric: str
    value: str
    bracket: str
    of_line_rate: str
    line_rate: str
    ceiling: str
    padded: str
    packed: str
    verdict: str
    reason: str
    trials: str


def rate_rows(results: Results) -> list[RateRow]:
    """Return a row for each rate of the run, by frame size."""
    rates = [m for m in results.measurements if m.unit == "pps"]
    return [_rate_row(m) for m in sorted(rates, key=lambda m: m.frame_size_bytes)]


def _rate_row(measurement: Measurement) -> RateRow:
    value, line = measurement.value, measurement.line_rate_pps
    bands = {b.layout: b for b in measurement.baselines if b.machine == "host"}
    doubt = " in doubt" if measurement.high_in_doubt else ""
    bracket = limit_words(measurement) or (
        f"{mpps(measurement.low)} to {mpps(measurement.high)}{doubt}" if measurement.high else "-"
    )
    return RateRow(
        size_bytes=measurement.frame_size_bytes,
        metric=measurement.metric,
        value=mpps(value),
        bracket=bracket,
        of_line_rate=percent(value / line) if value is not None and line else "-",
        line_rate=mpps(line),
        ceiling=mpps(measurement.ceiling_pps),
        padded=_band(bands.get("padded")),
        packed=_band(bands.get("packed")),
        verdict=measurement.verdict or "-",
        reason=measurement.error or measurement.reason or "",
        trials=f"{measurement.trials} ({measurement.invalid_trials})",
    )


def _band(band: BaselineBand | None) -> str:
    return f"{mpps(band.median_pps)} ({mpps(band.low_pps)} to {mpps(band.high_pps)})" if band else "-"


def facts(results: Results) -> list[tuple[str, str]]:
    """Return the summary: (what, in words), the first things that a reader asks."""
    found = [("Suite", f"{results.suite} on testbed {results.testbed}, profile {results.profile}")]
    if results.dut is not None:
        dut = results.dut
        found.append(
            ("Device under test", f"{dut.name} {dut.version}, {dut.ports} ports, {dut.cores} exclusive core(s)")
        )
    found += _image_facts(results)
    if results.boot is not None:
        found.append(("Accelerator", f"{results.boot.accelerator}: {results.boot.reason}"))
    machine = results.environment
    found.append(
        (
            "Test host",
            f"{machine.host}: {machine.cpu}, {machine.cores} cores, {machine.memory_gib:g} GiB, {machine.kernel}",
        )
    )
    if results.generator is not None:
        generator = results.generator
        ceilings = ", ".join(f"{mpps(rate)} at {size}" for size, rate in sorted(generator.ceilings_pps.items()))
        found.append(
            (
                "Generator",
                f"{generator.name} {generator.version}; ceiling in Mpps by bytes: {ceilings or 'not calibrated'}",
            )
        )
    found.append(("Trials", _trial_words(results)))
    found.append(("Time", _time_words(results)))
    return found


def other_rows(results: Results) -> list[tuple[str, str]]:
    """Return the numbers that belong to no frame size, such as the time of a boot, with their units."""
    return [
        (m.metric, f"{m.value:.4g} {m.unit}" if m.value is not None else f"none: {m.error or m.reason or ''}")
        for m in results.measurements
        if m.unit != "pps" and m.frame_size_bytes == 0
    ]


def _image_facts(results: Results) -> list[tuple[str, str]]:
    image = results.image
    if image is None:
        return []
    sharing = {"padded": "false sharing off", "packed": "false sharing on"}.get(image.layout, "")
    words = f"{image.name} {image.version}" + (f", layout {image.layout}" if image.layout else "")
    words += f" ({sharing})" if sharing else ""
    proof = "equal" if image.proved else "NOT equal, see provenance"
    compared = "build ids" if image.booted_sha256 is None and image.booted_build_id is not None else "digests"
    return [("Image", f"{words}, build {image.build_id[:12]}"), ("Asked, served, booted", f"{compared} {proof}")]


def _trial_words(results: Results) -> str:
    trials = [t for s in results.searches for t in s.trials]
    invalid = sum(not t.valid for t in trials)
    paused = sum(t.disturbed for t in trials)
    seconds = sum(t.duration_s for t in trials)
    counted = f"{len(trials)} trials, {seconds:.0f} s of traffic"
    return f"{counted}; {invalid} invalid and repeated; a polling core paused in {paused}"


def _time_words(results: Results) -> str:
    began = datetime.fromisoformat(results.started_at)
    if results.ended_at is None:
        return f"{began:%Y-%m-%d %H:%M} UTC, did not end"
    minutes = (datetime.fromisoformat(results.ended_at) - began).total_seconds() / 60
    return f"{began:%Y-%m-%d %H:%M} UTC, {minutes:.1f} minutes"
