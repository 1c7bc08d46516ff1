"""``pixlab testbed``: which there are, whether all of one is there, what its file may have."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from lab import paths
from lab.errors import TestbedUnreachable

if TYPE_CHECKING:
    from lab.testbed.health import Asked

app = typer.Typer(no_args_is_help=True, help="Look at testbeds.")


def add_to(parent: typer.Typer) -> None:
    """Add the commands to ``pixlab``."""
    parent.add_typer(app, name="testbed")


@app.command("list")
def list_testbeds() -> None:
    """List the testbeds that this checkout knows."""
    from lab import testbed

    for name in sorted(path.stem for path in paths.TESTBEDS.glob("*.yaml")):
        found = testbed.load(name)
        typer.echo(f"{name}\t{found.kind}\t{found.description}")


@app.command("check")
def check(
    name: Annotated[str, typer.Argument(help="A file of testbeds/.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line in place of the table.")] = False,
) -> None:
    """Check a testbed's file and ask everything of it, from ping to link; the exit code tells whether all is well.

    A testbed that was set aside and is well may be used again.
    """
    from lab import testbed
    from lab.testbed import health, lease

    bed = testbed.load(name)
    asked = health.check(bed)
    if as_json:
        for one in asked:
            typer.echo(one.model_dump_json())
    elif asked:
        _print_table(asked)
    broken = sum(bool(one.problem) for one in asked)
    if broken:
        print(f"pixlab: testbed {name!r}: {broken} of {len(asked)} checks failed", file=sys.stderr)
        sys.exit(TestbedUnreachable.exit_code)
    was = lease.restore(bed)
    if was is not None:
        print(f"{name} is in use again; it was {was}", file=sys.stderr)
    if not as_json:
        typer.echo(f"{name}: ok" if asked else f"{name}: ok: its file is right, and it has no machine to ask")


@app.command("schema")
def schema() -> None:
    """Print the JSON schema of a testbed file (testbeds/schema.json)."""
    from lab.testbed.schema import schema as of_testbed

    typer.echo(json.dumps(of_testbed(), indent=1, sort_keys=True))


def _print_table(asked: Sequence[Asked]) -> None:
    rows = [("node", "what", "where", "result", "s", "")]
    for one in asked:
        result = "FAILED" if one.problem else "ok"
        rows.append((one.node, one.what, one.where, result, f"{one.took_s:.1f}", one.problem or one.detail))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        typer.echo("  ".join([*cells, row[5]]).rstrip())
