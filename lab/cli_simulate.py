"""``pixlab simulate``: what a machine should do, for one case or along a sweep, and whether the simulator holds."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lab.cli_store import JsonOption
from lab.errors import UsageError
from lab.simulation.workload.case import Case

if TYPE_CHECKING:
    from lab.simulation.asked import Asked
    from lab.simulation.sweep import Axis
    from lab.simulation.sweep_files import Files

MACHINE, WORKLOAD, LAYOUTS = "e5-2670x2", "ipv4-routing", "padded,packed"
OF_HOST = "this machine, measured at that moment (one second)"


def _case(field: str, metavar: str, about: str) -> Any:
    """Describe an option that is a field of a case. Its value is checked with the case, not by typer: one line."""
    default = Case.model_fields[field].default
    shown = f" Default: {default}." if default not in (None, "") else ""
    return typer.Option(f"--{field.replace('_', '-')}", metavar=metavar, help=about + shown, rich_help_panel="The case")


def _draws(name: str, metavar: str, about: str) -> Any:
    return typer.Option(f"--{name}", metavar=metavar, help=about, rich_help_panel="What is not known exactly")


def _sweep(name: str, metavar: str | None, about: str) -> Any:
    return typer.Option(f"--{name}", metavar=metavar, help=about, rich_help_panel="Sweeps")


def _other(name: str, metavar: str | None, about: str) -> Any:
    return typer.Option(f"--{name}", metavar=metavar, help=about, rich_help_panel="Instead of predicting")


Machine = Annotated[str, typer.Option(metavar="NAME|FILE", help="The machine: --list names them.")]
Workload = Annotated[str, typer.Option(metavar="NAME", help="What it does.")]
Layout = Annotated[str | None, typer.Option(metavar="NAME|FILE,...", help=f"Where words lie. Default: {LAYOUTS}.")]
Image = Annotated[str | None, typer.Option(metavar="NAME", help="A built image whose layouts are meant.")]
Ports = Annotated[str | None, _case("ports", "N", "Network ports.")]
Cores = Annotated[str | None, _case("cores", "N", "Cores that forward.")]
Gbps = Annotated[str | None, _case("line_rate_gbps", "X", "Of each port.")]
FrameSize = Annotated[str | None, _case("frame_size_bytes", "N", "With FCS.")]
QueueLength = Annotated[str | None, _case("queue_length", "N", "Entries of every ring.")]
Batch = Annotated[str | None, _case("batch", "N", "What a polling loop takes at most at once.")]
Offered = Annotated[
    str | None, _case("offered_pps", "X", "What arrives at all ports together. Default: all they bring.")
]
Burst = Annotated[str | None, _case("burst", "N", "Frames of a port that are offered together (virtio).")]
Placement = Annotated[str | None, _case("placement", "NAME", "Where cores lie: spread, near, complex, far.")]
Variant = Annotated[str | None, _case("variant", "NAME", "Kind of a workload that has several.")]
Seeds = Annotated[str | None, _draws("seeds", "N,...", "Each gives draws of its own. Default: 1,2,3,4,5.")]
Draws = Annotated[str | None, _draws("draws", "N", "Draws of each seed. Default: 8.")]
WindowUs = Annotated[str | None, _draws("window-us", "X", "Simulated time that counts in each draw. Default: 200.")]
Calibration = Annotated[
    str | None,
    _draws(
        "calibration", "FILE|here|none", "What pixlab calibrate found. Default: here for the machine host, else none."
    ),
]
Cycles = Annotated[str | None, _draws("cycles-per-packet", "X", "Measured work of one core without sharing.")]
Jobs = Annotated[str | None, typer.Option(metavar="N", help="Simulations at a time. Default: one a core.")]
Attribute = Annotated[bool, typer.Option("--attribute", help="Also say what each structure costs by sharing lines.")]
Sensitivity = Annotated[bool, _other("sensitivity", None, "Say which numbers of the machine drive the rate.")]
Listing = Annotated[bool, _other("list", None, "List machines, workloads and layouts.")]
Validate = Annotated[bool, _other("validate", None, "Check the simulator; some checks measure this host.")]
Published = Annotated[bool, _other("published", None, "Say which layouts the published rates are consistent with.")]
Checks = Annotated[str | None, _other("check", "N,...", "Only these checks.")]
Sweeps = Annotated[
    list[str] | None,
    _sweep(
        "sweep", "NAME=...", "Vary a field, machine, layout or a number: batch=1,8,32 or near=20:120:5. Repeatable."
    ),
]
Resume = Annotated[Path | None, _sweep("resume", "FILE", "Keep answers in FILE (JSON lines), and take those it has.")]
Dask = Annotated[str | None, _sweep("dask", "ADDRESS", "Answer on the workers of this Dask scheduler.")]
Csv = Annotated[Path | None, _sweep("csv", "FILE", "Also write the table as CSV.")]
Plot = Annotated[Path | None, _sweep("plot", "FILE.html", "Also write figures, table and sources as one page.")]


def simulate(
    context: typer.Context,
    machine: Machine = MACHINE,
    workload: Workload = WORKLOAD,
    layout: Layout = None,
    image: Image = None,
    ports: Ports = None,
    cores: Cores = None,
    line_rate_gbps: Gbps = None,
    frame_size_bytes: FrameSize = None,
    queue_length: QueueLength = None,
    batch: Batch = None,
    offered_pps: Offered = None,
    burst: Burst = None,
    placement: Placement = None,
    variant: Variant = None,
    seeds: Seeds = None,
    draws: Draws = None,
    window_us: WindowUs = None,
    calibration: Calibration = None,
    cycles_per_packet: Cycles = None,
    jobs: Jobs = None,
    attribute: Attribute = False,
    sweep: Sweeps = None,
    resume: Resume = None,
    dask: Dask = None,
    csv: Csv = None,
    plot: Plot = None,
    sensitivity: Sensitivity = False,
    listing: Listing = False,
    validate: Validate = False,
    check: Checks = None,
    published: Published = False,
    as_json: JsonOption = False,
) -> None:
    """Predict what a machine should do, with intervals; sweep over anything; check the simulator."""
    from lab.simulation.sweep_files import Files

    files = Files(resume, csv, plot)
    swept = bool(sweep or dask or files.named)
    _refuse_together(
        sweep=swept, attribute=attribute, sensitivity=sensitivity, list=listing, validate=validate, published=published
    )
    at_a_time = _whole("--jobs", jobs, len(os.sched_getaffinity(0)))
    if listing:
        _list(as_json)
    elif validate or check is not None:
        _validate(check, as_json)
    elif published:
        _published(at_a_time, as_json)
    else:
        asked = _asked(context.params, _axes(layout, sweep or []))
        if swept:
            _sweep_over(asked, at_a_time, dask, files, as_json)
        elif sensitivity:
            _sensitivity(asked, at_a_time, as_json)
        else:
            _predict(asked, at_a_time, attribute, as_json)


def _refuse_together(**asked: bool) -> None:
    several = [f"--{name}" for name, there in asked.items() if there]
    if len(several) > 1:
        raise UsageError(f"{several[0]} and {several[1]}: one at a time: leave one out")


def _asked(given: Mapping[str, Any], axes: tuple[Axis, ...]) -> Asked:
    """Make what was given on the command line into a question with axes."""
    from lab.simulation.asked import Asked
    from lab.simulation.prediction.question import DRAWS_PER_SEED, SEEDS, WINDOW_US
    from lab.simulation.sweep import Point, case_of

    fields = {name: text for name, text in given.items() if name in Case.model_fields and text is not None}
    cycles, window_us = given["cycles_per_packet"], given["window_us"]
    return Asked(
        base=Point(
            machine=given["machine"],
            workload=given["workload"],
            layout=given["layout"] or LAYOUTS,
            case=case_of(Case(), fields),
        ),
        axes=axes,
        image_elf=_elf(given["image"]),
        cycles_per_packet=None if cycles is None else _number("--cycles-per-packet", cycles),
        seeds=SEEDS if given["seeds"] is None else _wholes("--seeds", given["seeds"]),
        draws_per_seed=_whole("--draws", given["draws"], DRAWS_PER_SEED),
        calibration=given["calibration"],
        window_us=WINDOW_US if window_us is None else _number("--window-us", window_us),
    )


def _axes(layout: str | None, sweeps: list[str]) -> tuple[Axis, ...]:
    """Return the axes; the layout is always one, unless a sweep has it and no option."""
    from lab.simulation.sweep import axis, parse

    axes = tuple(parse(text) for text in sweeps)
    if layout is None and any(each.name == "layout" for each in axes):
        return axes
    return axis("layout", LAYOUTS if layout is None else layout, f"--layout {layout}"), *axes


def _elf(image: str | None) -> Path | None:
    from lab import images

    if image is None:
        return None
    found = images.find(image)
    if not isinstance(found, images.PixManifest):
        raise UsageError(f"--image {image}: only images of PIX tell their layouts: name one of those, or none")
    return found.elf_path


def _number(option: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise UsageError(f"{option} {text}: must be a number above 0")
    return value


def _whole(option: str, text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"{option} {text}: must be a whole number from 1 on")
    return int(text)


def _wholes(option: str, text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts) or len(set(parts)) < len(parts):
        raise UsageError(f"{option} {text}: must be whole numbers with commas between them, each once")
    return tuple(int(part) for part in parts)


def _predict(asked: Asked, jobs: int, attributed: bool, as_json: bool) -> None:
    from lab.report.prediction_lines import side_by_side
    from lab.simulation.asked import questions
    from lab.simulation.prediction import predict

    if attributed:
        from lab.simulation.prediction.attribution import attribute

        found = [attribute(question, jobs=jobs) for _, question in questions(asked)]
    else:
        found = [predict(question, jobs=jobs) for _, question in questions(asked)]
    if as_json:
        for each in found:
            typer.echo(each.model_dump_json())
    else:
        typer.echo("\n".join(side_by_side(found)))


def _sensitivity(asked: Asked, jobs: int, as_json: bool) -> None:
    from lab.report.prediction_lines import sensitivity_lines
    from lab.simulation.asked import questions
    from lab.simulation.prediction.sensitivity import sensitivity

    for _, question in questions(asked):
        found = sensitivity(question, jobs=jobs)
        typer.echo(found.model_dump_json() if as_json else "\n".join(sensitivity_lines(found)))


def _sweep_over(asked: Asked, jobs: int, dask: str | None, files: Files, as_json: bool) -> None:
    from functools import partial

    from lab.report.prediction_lines import sweep_lines
    from lab.simulation import workers
    from lab.simulation.asked import questions
    from lab.simulation.sweeping import sweep

    files.check()
    program = workers.here()
    tasks = [workers.Task(values, question, program) for values, question in questions(asked)]
    source = partial(workers.in_processes, jobs=jobs) if dask is None else partial(workers.on_dask, address=dask)
    answers = sweep(tasks, source, files.resume)
    if as_json:
        for each in answers:
            typer.echo(each.model_dump_json(include={"values", "prediction", "error"}))
    else:
        typer.echo("\n".join(sweep_lines(answers)))
    files.write(answers)
    impossible = [each for each in answers if each.error is not None]
    if impossible:
        first = ", ".join(f"{name}={value}" for name, value in impossible[0].values.items())
        count = f"{len(impossible)} of {len(answers)} points cannot be simulated"
        raise UsageError(f"{count}; the first, {first}: {impossible[0].error}")


def _published(jobs: int, as_json: bool) -> None:
    from lab.report.prediction_lines import consistency_lines
    from lab.simulation.published_pix import consistency

    for each in consistency(jobs):
        typer.echo(each.model_dump_json() if as_json else "\n".join(consistency_lines(each)))


def _list(as_json: bool) -> None:
    from lab.simulation import layout, machines
    from lab.simulation.workload.catalogue import WORKLOADS

    found = {
        "machines": {name: machines.load(name).description for name in machines.names()} | {"host": OF_HOST},
        "workloads": {name: each.title for name, each in WORKLOADS.items()},
        "layouts": {name: layout.load(name).source for name in layout.names()},
    }
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    width = max(len(name) for titles in found.values() for name in titles)
    for kind, titles in found.items():
        typer.echo(f"{kind}:")
        for name, title in titles.items():
            typer.echo(f"  {name:{width}}  {title}")


def _validate(chosen: str | None, as_json: bool) -> None:
    from lab.simulation.validation import CHECKS
    from lab.simulation.validation.examination import examine, line, refuse

    numbers = tuple(CHECKS) if chosen is None else _wholes("--check", chosen)
    found = []
    for each in examine(CHECKS, numbers):
        found.append(each)
        typer.echo(each.model_dump_json() if as_json else line(each))
    refuse(found)


def add_to(app: typer.Typer) -> None:
    """Add the command to ``pixlab``."""
    app.command("simulate")(simulate)
