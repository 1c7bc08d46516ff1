"""The commands of vtrex: ``serve``, ``t-rex-64``, and what helps to start them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, cast

import typer

from lab import paths
from lab.errors import LabError, UsageError
from lab.vtrex import config_example, port_examples, trex_config
from lab.vtrex.device_checks import netns_file
from lab.vtrex.engine import MEMORY_MB, EngineOptions
from lab.vtrex.huge_pages import use_huge_pages
from lab.vtrex.notes import say
from lab.vtrex.port_options import parse_ports
from lab.vtrex.serve import ServerOptions, serve
from lab.vtrex.settings import WIRE, Settings, combine, use_core

app = typer.Typer(help="vtrex: a software traffic generator that TRex clients can drive.", no_args_is_help=True)


def _cores(asked: str | None) -> tuple[int, ...]:
    """Return the polling threads' CPUs; not confined to this process's affinity, which a caller may have narrowed."""
    if asked is None:
        return (max(os.sched_getaffinity(0)),)
    there = range(os.cpu_count() or 1)
    cores: list[int] = []
    for word in asked.split(","):
        if not word.isdecimal() or int(word) not in there:
            raise UsageError(f"--core {asked}: '{word}' is not available; there are: 0 to {there[-1]}")
        if int(word) in cores:
            raise UsageError(f"--core {asked}: {word} is named twice; each polling thread needs a CPU of its own")
        cores.append(int(word))
    return tuple(cores)


def start(settings: Settings) -> None:
    """Serve until a signal ends it.

    Raises:
        LabError: they cannot be, or the engine is missing or gone.

    """
    devices = parse_ports(settings.ports, settings.netns)
    netns = None if settings.netns is None else netns_file(settings.netns)
    cores = _cores(settings.core)
    if settings.housekeeping_core is not None:
        use_core(settings.housekeeping_core)
    engine = EngineOptions(
        binary=paths.NATIVE / "vtrex-engine",
        devices=devices,
        netns=netns,
        cores=cores,
        full_wait_us=settings.full_wait_us,
        late_us=settings.late_us,
        prefix=settings.prefix,
        huge=use_huge_pages(settings.huge, MEMORY_MB),
    )
    if settings.memory_limit_mb is not None and settings.memory_limit_mb < engine.memory_mb:
        raise UsageError(f"limit_memory {settings.memory_limit_mb} is too little: {engine.memory_mb} MB are needed")
    serve(
        engine,
        ServerOptions(
            settings.bind,
            settings.rpc_port,
            settings.async_port,
            settings.line_rate_gbps,
            settings.start_delay_ms / 1e3,
            settings.layers,
            settings.status,
            settings.gap_limit_us,
        ),
    )


_ALL_WORDS = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}
# What typer says of a command line that is wrong; some releases bring their own click, others import it.
_BadCommandLine = cast(type[typer.BadParameter], typer.BadParameter.__base__)


@app.command("serve")
def serve_command(
    port: Annotated[
        list[str] | None, typer.Option(help="A port, of a form that `pixlab vtrex ports` lists; once for each.")
    ] = None,
    wire: Annotated[bool, typer.Option("--wire", help="Two ports joined to each other.")] = False,
    cfg: Annotated[Path | None, typer.Option(help="TRex's configuration file; options count above it.")] = None,
    netns: Annotated[str | None, typer.Option(help="Network namespace (name or path) of interfaces.")] = None,
    rpc_port: Annotated[int | None, typer.Option(help="TCP port of requests, 0 = any free one [4501].")] = None,
    async_port: Annotated[int | None, typer.Option(help="TCP port of the doorbell, 0 = any free one [4500].")] = None,
    bind: Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1].")] = None,
    core: Annotated[
        str | None, typer.Option(help="CPUs of the polling threads, such as 3 or 2,3 [the last one].")
    ] = None,
    line_rate_gbps: Annotated[float | None, typer.Option(help="What the ports say their speed is [10].")] = None,
    full_wait_us: Annotated[
        float | None, typer.Option(help="How long a full device is offered frames again [1000].")
    ] = None,
    late_us: Annotated[float | None, typer.Option(help="Frames later than this are not sent any more [10000].")] = None,
    gap_limit_us: Annotated[
        float | None, typer.Option(help="A polling thread that pauses for longer makes its trial invalid [1000].")
    ] = None,
    start_delay_ms: Annotated[
        float | None, typer.Option(help="Time from a request to start until the first frame [0].")
    ] = None,
    prefix: Annotated[str | None, typer.Option(help="Name of this server among several on a machine.")] = None,
    huge: Annotated[str | None, typer.Option(help="Memory of huge pages: auto (if enough are free), on, off.")] = None,
    status: Annotated[
        bool | None, typer.Option("--status/--no-status", help="A status line on stderr [if it is a terminal].")
    ] = None,
) -> None:
    """Serve until SIGTERM, SIGHUP or Ctrl-C."""
    if cfg is not None and (port or wire):
        raise UsageError("--cfg gives the ports: give neither --port nor --wire beside it")
    ports = (WIRE, WIRE) if wire else tuple(port or ())
    if wire and port:
        raise UsageError("give either --wire or one --port for each port (`pixlab vtrex ports` lists their forms)")
    said = {
        "ports": ports or None,
        "netns": netns,
        "rpc_port": rpc_port,
        "async_port": async_port,
        "bind": bind,
        "core": core,
        "line_rate_gbps": line_rate_gbps,
        "full_wait_us": full_wait_us,
        "late_us": late_us,
        "gap_limit_us": gap_limit_us,
        "start_delay_ms": start_delay_ms,
        "prefix": prefix,
        "huge": huge,
        "status": status,
    }
    start(combine(said, {} if cfg is None else trex_config.said_in(cfg)))


@app.command("t-rex-64", add_help_option=False, context_settings=_ALL_WORDS)
def t_rex_64_command(context: typer.Context) -> None:
    """Serve, started with TRex's own options: t-rex-64 -i --cfg FILE; -h lists them."""
    from lab.vtrex.t_rex_64 import run

    run(context.args)


@app.command("config")
def config_command() -> None:
    """Print a configuration file to begin with; it serves as it stands."""
    print(config_example.TEXT, end="")


@app.command("ports")
def ports_command() -> None:
    """List what a port can be."""
    print(port_examples.listing())


def main(words: Sequence[str]) -> int:
    """Run a command line; returns its exit code. What cannot be is one line on stderr."""
    return one_line_errors(lambda: app(list(words) or ["--help"], prog_name="vtrex", standalone_mode=False))


def one_line_errors(action: Callable[[], object]) -> int:
    """Do something and return the exit code; an error is one line on stderr."""
    try:
        done = action()
    except LabError as error:
        say(str(error))
        return error.exit_code
    except _BadCommandLine as error:
        say(f"{error.format_message()} (--help lists what there is)")
        return UsageError.exit_code
    return done if isinstance(done, int) else 0
