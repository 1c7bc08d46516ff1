"""The ``serve`` command of vtrex."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from lab import paths
from lab.errors import LabError, UsageError
from lab.vtrex.devices import Device, netns_file, parse
from lab.vtrex.engine import EngineOptions
from lab.vtrex.serve import ServerOptions, serve

MAX_PORTS = 8

app = typer.Typer(help="vtrex: a software traffic generator that TRex clients can drive.", no_args_is_help=True)


@app.callback()
def vtrex() -> None:
    """Keep ``serve`` a command of its own."""


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


def _devices(ports: list[str], wire: bool, netns: str | None) -> tuple[Device, ...]:
    if wire == bool(ports):
        raise UsageError("give either --wire or one --port vhost:PATH or af_packet:IFACE for each port")
    if len(ports) > MAX_PORTS:
        raise UsageError(f"{len(ports)} ports were given; there can be {MAX_PORTS} at most")
    found: list[Device] = []
    for port in ports:
        device = parse(port)
        if any((device.kind, device.where) == (other.kind, other.where) for other in found):
            raise UsageError(f"--port '{port}' is given twice")
        found.append(device)
    if netns is not None and all(device.kind != "af_packet" for device in found):
        raise UsageError("--netns is for ports af_packet:IFACE; there is none")
    return tuple(found)


def _check_ranges(bind: str, rpc_port: int, async_port: int, line_rate_gbps: float, limits_us: list[float]) -> None:
    for name, value in (("--rpc-port", rpc_port), ("--async-port", async_port)):
        if not 0 <= value <= 65535:
            raise UsageError(f"{name} {value} is not between 0 and 65535")
    if rpc_port == async_port != 0:
        raise UsageError(f"--rpc-port and --async-port are both {rpc_port}")
    if not 0 < line_rate_gbps <= 1000:
        raise UsageError(f"--line-rate-gbps {line_rate_gbps:g} is not between 0 and 1000")
    if any(not 0 < limit <= 1e6 for limit in limits_us):
        raise UsageError("--full-wait-us and --late-us must be above 0 and at most 1000000")
    if not bind:
        raise UsageError("--bind needs an address")


@app.command("serve")
def serve_command(
    port: Annotated[
        list[str] | None,
        typer.Option(help="A port: vhost:PATH[,queues=N] (vhost-user server socket) or af_packet:IFACE."),
    ] = None,
    wire: Annotated[bool, typer.Option("--wire", help="Two ports joined to each other.")] = False,
    netns: Annotated[str | None, typer.Option(help="Network namespace (name or path) of af_packet ports.")] = None,
    rpc_port: Annotated[int, typer.Option(help="TCP port of requests, 0 = any free one.")] = 4501,
    async_port: Annotated[int, typer.Option(help="TCP port of the event doorbell, 0 = any free one.")] = 4500,
    bind: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    core: Annotated[
        str | None, typer.Option(help="CPUs of the polling threads, such as 3 or 2,3; default the last one.")
    ] = None,
    line_rate_gbps: Annotated[float, typer.Option(help="What the ports say their speed is.")] = 10.0,
    full_wait_us: Annotated[float, typer.Option(help="How long a full device is offered frames again.")] = 1000.0,
    late_us: Annotated[float, typer.Option(help="Frames later than this are not sent any more.")] = 10000.0,
    start_delay_ms: Annotated[
        float, typer.Option(min=0, max=1000, help="Time from a request to start until the first frame.")
    ] = 0.0,
) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    try:
        _check_ranges(bind, rpc_port, async_port, line_rate_gbps, [full_wait_us, late_us])
        engine = EngineOptions(
            binary=paths.NATIVE / "vtrex-engine",
            devices=_devices(port or [], wire, netns),
            netns=None if netns is None else netns_file(netns),
            cores=_cores(core),
            full_wait_us=full_wait_us,
            late_us=late_us,
        )
        serve(engine, ServerOptions(bind, rpc_port, async_port, line_rate_gbps, start_delay_ms / 1e3))
    except LabError as error:
        print(f"vtrex: {error}", file=sys.stderr)
        raise typer.Exit(error.exit_code) from None
