"""The commands of ``pixlab`` that look after who uses a testbed: lease list, take, release, break; testbed restore."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from lab import duration, paths
from lab.errors import LabError, TestbedBusy, UsageError

if TYPE_CHECKING:
    from lab.testbed.lease import Holder

NameArgument = Annotated[str, typer.Argument(metavar="TESTBED", help="A file of testbeds/.")]

lease_app = typer.Typer(no_args_is_help=True, help="See who uses testbeds, and keep one for yourself.")


@lease_app.command("list")
def lease_list() -> None:
    """List all testbeds: who holds each, and what was set aside."""
    names = sorted(path.stem for path in paths.TESTBEDS.glob("*.yaml"))
    with ThreadPoolExecutor(max_workers=max(1, len(names))) as side_by_side:
        for name, line in zip(names, side_by_side.map(_line, names), strict=True):
            typer.echo(f"{name}\t{line}")


def _line(name: str) -> str:
    """Say how it stands with a testbed; one that cannot be told about does not keep the others from being listed."""
    from lab.testbed import lease, load

    try:
        standing = lease.look(load(name))
    except LabError as error:
        return f"unknown: {error}"
    words = []
    if standing.quarantine is not None:
        words.append(str(standing.quarantine))
    if standing.holder is not None:
        left = "" if standing.left_s is None else f", expires {standing.left_s:.0f} s from now unless it is renewed"
        words.append(f"held by {standing.holder}{left}")
    return "; ".join(words) or "free"


@lease_app.command("take")
def lease_take(
    name: NameArgument,
    purpose: Annotated[str, typer.Option(help="What for: shown to whoever finds it busy.")] = "manual work",
    how_long: Annotated[str, typer.Option("--for", metavar="TIME", help="90s, 30m, 2h or 1h30m.")] = "1h",
) -> None:
    """Hold a testbed for work by hand: until the time is over, Ctrl-C, or `pixlab lease release` elsewhere."""
    from lab.testbed import lease, load

    try:
        duration_s = duration.seconds(how_long)
    except ValueError as error:
        raise UsageError(f"--for: {error}") from error
    testbed = load(name)
    until = time.strftime("%Y-%m-%d %H:%M", time.localtime(time.time() + duration_s))
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with lease.take(testbed, f"{purpose}, until {until}"):
            typer.echo(f"{name} is yours until {until}: Ctrl-C, or `pixlab lease release {name}`, gives it back")
            time.sleep(duration_s)
    except KeyboardInterrupt:
        pass
    except lease.LeaseLost as lost:
        if not lost.given_back:
            raise
    typer.echo(f"{name} is given back")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@lease_app.command("release")
def lease_release(name: NameArgument) -> None:
    """Give back a lease of your own, also one that was taken in another terminal; its run stops."""
    from lab.testbed import lease, load
    from lab.testbed.lease.model import owner

    testbed = load(name)
    holder = lease.look(testbed).holder
    if holder is None:
        raise UsageError(f"testbed {name!r} is free: there is nothing to give back")
    if holder.owner != owner():
        raise TestbedBusy(
            f"testbed {name!r} is held by {holder}, and you are {owner()}: ask them, or `pixlab lease break {name}`"
        )
    _ended(name, lease.end(testbed, "released"))


@lease_app.command("break")
def lease_break(name: NameArgument) -> None:
    """Take a lease away from whoever has it; their run stops with exit code 13."""
    from lab.testbed import lease, load

    _ended(name, lease.end(load(name), "broken"))


def _ended(name: str, holder: Holder | None) -> None:
    if holder is None:
        raise UsageError(f"testbed {name!r} is free: nobody holds its lease")
    typer.echo(f"{name} was held by {holder}, and is free now")


def testbed_restore(name: NameArgument) -> None:
    """Let a testbed be used again that was set aside, without a health check."""
    from lab.testbed import lease, load

    was = lease.restore(load(name))
    typer.echo(f"{name} was not set aside" if was is None else f"{name} is in use again; it was {was}")


def add_to(app: typer.Typer, testbed_app: typer.Typer) -> None:
    """Add the commands to the ``pixlab`` command."""
    app.add_typer(lease_app, name="lease")
    testbed_app.command("restore")(testbed_restore)
