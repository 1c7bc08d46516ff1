"""``pixlab calibrate``: fits the simulator's core model to microbenchmarks of this host and freezes what it found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lab.errors import UsageError

if TYPE_CHECKING:
    from lab.simulation.calibration.frozen import Frozen
    from lab.simulation.calibration.states import State

SECONDS = 20.0
DRAWS = 800


def calibrate(
    seconds: Annotated[
        float, typer.Option(min=0.5, max=600, help="How long to measure; the fit takes as long.")
    ] = SECONDS,
    cpus: Annotated[str | None, typer.Option(help="Two CPUs, such as 0,1; the first two by default.")] = None,
    placement: Annotated[
        str | None, typer.Option(help="Fit the windows in this state, near or far; by default where most were.")
    ] = None,
    draws: Annotated[int, typer.Option(min=16, max=100_000, help="Draws of the priors that are weighed.")] = DRAWS,
    jobs: Annotated[int | None, typer.Option(min=1, help="CPUs for the fit; all by default.")] = None,
    output: Annotated[Path | None, typer.Option(help="The file to freeze into; that of this host by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the frozen file instead of a table.")] = False,
) -> None:
    """Calibrate the simulator: measure this host, fit the core model, freeze the result. Takes about a minute."""
    from lab.simulation.calibration.calibrate import calibrate as run
    from lab.simulation.calibration.frozen import save

    if placement not in (None, "near", "far"):
        raise UsageError(f"--placement {placement}: there are: far, near")
    typer.echo(f"measuring for {seconds:.0f} s, then fitting; let nothing else run meanwhile", err=True)
    frozen, states = run(seconds, _pair(cpus), placement, draws, jobs)
    path = save(frozen, output)
    if as_json:
        typer.echo(json.dumps(frozen.model_dump(mode="json")))
        return
    for line in table(frozen, states):
        typer.echo(line)
    typer.echo(f"frozen: {path}  sha256 {frozen.digest[:16]}")


def table(frozen: Frozen, states: tuple[State, ...]) -> list[str]:
    """Return what a calibration found as lines for a person."""
    lines = [
        f"state {state.name}: {state.windows} windows, {state.left_out} left out, "
        f"one way {state.latency_ns.median:.1f} ns ({state.latency_ns.low:.1f} to {state.latency_ns.high:.1f})"
        for state in states
    ]
    alone = frozen.alone
    lines.append(f"clock {alone.clock_ghz.median:.2f} GHz, {alone.stores_a_cycle:.1f} stores to a line in a cycle")
    lines.append(f"load in ns: {', '.join(f'{where} {each.median:.1f}' for where, each in alone.load_ns.items())}")
    lines.append(f"in flight at most: {alone.held.line()}")
    lines.append(f"{'fitted in state ' + frozen.state:<24} {'measured M/s':>12} {'fitted M/s':>12} {'windows':>8}")
    for each in frozen.points:
        lines.append(f"{each.point:<24} {each.measured / 1e6:>12.2f} {each.fitted / 1e6:>12.2f} {each.windows:>8}")
    lines.append(f"RMS log error {frozen.rms_log_error:.2f}, {frozen.effective_samples:.1f} effective samples")
    for name in frozen.samples[0].numbers:
        mean = sum(sample.weight * sample.numbers[name] for sample in frozen.samples)
        lines.append(f"{name:<24} {mean:>12.3f}  (weighted mean)")
    return lines


def _pair(cpus: str | None) -> tuple[int, int] | None:
    if cpus is None:
        return None
    try:
        first, second = (int(cpu) for cpu in cpus.split(","))
    except ValueError as error:
        raise UsageError(f"--cpus {cpus}: must be two CPUs, such as 0,1") from error
    return first, second


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("calibrate")(calibrate)
