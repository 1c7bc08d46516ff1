"""The ``pixlab`` command."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lab import cli_calibrate, cli_lease, cli_nightly, cli_simulate, cli_store, cli_testbed, paths
from lab.errors import LabError, UsageError, near_misses

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help=__doc__)
image_app = typer.Typer(no_args_is_help=True, help="Look at images and build them.")
app.add_typer(image_app, name="image")
cli_testbed.add_to(app)
cli_store.add_to(app)
cli_simulate.add_to(app)
cli_calibrate.add_to(app)
cli_lease.add_to(app, cli_testbed.app)
cli_nightly.add_to(app)


@image_app.command("list")
def image_list() -> None:
    """List the images, and whether each is built."""
    from lab import images

    for manifest in images.all_manifests():
        kind = manifest.layout_name or manifest.driver
        typer.echo(f"{manifest.name}\t{manifest.version}\t{kind}\t{manifest.digest}")


@image_app.command("build")
def image_build(
    name: Annotated[str | None, typer.Argument(help="A folder of firmware-images; all of our own by default.")] = None,
) -> None:
    """Build images: ours from their sources, others (linux-router) from packages that are fetched once."""
    from lab import images

    if name is None:
        images.build()
    else:
        images.build_named(name)


@app.command("report")
def report(
    run: Annotated[str, typer.Argument(help="A folder of reports/.")] = "latest",
    store: cli_store.StoreOption = None,
) -> None:
    """Make results and report of a run, also of a killed one, again from its journal; put it into the store."""
    from lab.results.store import put
    from lab.run import finish

    folder = paths.REPORTS / run
    if not folder.is_dir():
        raise UsageError(
            f"no run {run!r} in reports/: {near_misses(run, (p.name for p in paths.REPORTS.iterdir() if p.is_dir()))}"
        )
    typer.echo(finish(folder.resolve()))
    put(folder.resolve(), store)


@app.command(
    "vtrex", add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
def vtrex(context: typer.Context) -> None:
    """Run the TRex-compatible software generator: serve, t-rex-64, config, ports."""
    from lab.vtrex.cli import main as vtrex_main

    sys.exit(vtrex_main(context.args))


def main() -> None:
    """Run the command; an error of the lab is one line on stderr and its own exit code, and so is a wrong option."""
    try:
        sys.exit(app(standalone_mode=False))
    except typer.TyperException as error:
        told = error.format_message()
        if not told:  # no command was named, and what there is was printed already
            sys.exit(error.exit_code)
        print(f"pixlab: {told} (--help tells what there is)", file=sys.stderr)
        sys.exit(UsageError.exit_code)
    except LabError as error:
        print(f"pixlab: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
