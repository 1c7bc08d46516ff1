"""``pixlab nightly``: the suites of a plan on one testbed, within a time budget."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from lab import duration
from lab.cli_lease import NameArgument
from lab.cli_store import StoreOption
from lab.errors import UsageError


def nightly(
    name: NameArgument,
    plan_file: Annotated[
        Path | None, typer.Option("--plan", metavar="FILE", help="A YAML file; default: lab/nightly/plan.yaml.")
    ] = None,
    budget: Annotated[str | None, typer.Option(metavar="TIME", help="90s, 30m or 6h; default: 6h.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the last night, which was interrupted.")] = False,
    store: StoreOption = None,
) -> None:
    """Run the suites of a plan and judge them by the nights before.

    Exit code 0: all is well; 1: a test failed; 2: a regression; 3: not all suites came to their end in time;
    10 and above: an error of the lab, as of a run.
    """
    from lab import images
    from lab.nightly import night as nights
    from lab.nightly import plan as plans
    from lab.nightly import site
    from lab.nightly.runner import Runner
    from lab.results.store import check
    from lab.testbed import load

    try:
        budget_s = None if budget is None else duration.seconds(budget)
    except ValueError as error:
        raise UsageError(f"--budget: {error}") from error
    testbed = load(name)
    check(store)
    if resume:
        if plan_file is not None:
            raise UsageError("--resume goes on with the plan that the night has: leave --plan out")
        night = nights.unfinished(name)
        if budget_s is not None:
            night = night.model_copy(update={"ends_at_s": time.time() + budget_s})
    else:
        plan = plans.load(plan_file or plans.DEFAULT)
        jobs = plans.jobs(plan, testbed)
        booted = sorted({job.image for job in jobs if job.image is not None})
        if booted:
            images.build()
        for image in booted:
            images.find(image)
        night = nights.begin(name, plan, jobs, budget_s or duration.seconds("6h"))
    night = Runner(night, store, typer.echo).run()
    typer.echo(f"{night.outcome}: {night.folder / site.PAGE}")
    sys.exit(night.exit_code)


def add_to(app: typer.Typer) -> None:
    """Add the command to the ``pixlab`` command."""
    app.command("nightly")(nightly)
