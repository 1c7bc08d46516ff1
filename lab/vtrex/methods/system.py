"""Who the server is, and its events."""

from __future__ import annotations

import platform
import time
from pathlib import Path
from typing import Any

from lab.vtrex import params as p
from lab.vtrex.generator import Generator
from lab.vtrex.messages import STATS_FLOWS
from lab.vtrex.methods.stats import publish_statistics
from lab.vtrex.port import format_mac
from lab.vtrex.rpc import RpcError, refuse

VERSION = "v3.08"  # the TRex release whose protocol this is
API_NAME = "STL"
API_MINORS = {4: 8, 5: 1}  # the greatest minor version of each generation that this server knows
API_MAJOR, API_MINOR = 5, API_MINORS[5]


def get_version(generator: Generator, params: p.Params) -> dict[str, str]:
    """Return the release of TRex that this server stands for."""
    return {"version": VERSION, "build_date": "-", "build_time": "-", "built_by": "pixlab vtrex", "mode": API_NAME}


def _check_version(major: int, minor: int) -> None:
    versions = f"(API type '{API_NAME}':  - server: '{API_MAJOR}.{API_MINOR}', client: '{major}.{minor}')"
    if major < min(API_MINORS):
        raise refuse(f"RPC version mismatch: a newer client version is required {versions}")
    if major > API_MAJOR or minor > API_MINORS[major]:
        raise refuse(f"RPC version mismatch: your client version is too new to be supported by the server {versions}")


def api_sync_v2(generator: Generator, params: p.Params) -> dict[str, str]:
    """Check the client's version; returns the word that its later requests carry."""
    name = p.string(params, "name")
    if name != API_NAME:
        raise refuse(f"configuration mismatch: the server runs '{API_NAME}', the client asks for '{name}'")
    major = p.integer(params, "major")
    _check_version(major, p.integer(params, "minor"))
    generator.publisher.expect(major)
    return {"api_h": generator.api_handles[major]}


def api_sync(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Check the version of a client that asks in the words of API 4; whatever it is, it listens as API 4 does."""
    versions = p.array(params, "api_vers")
    if len(versions) != 1 or not isinstance(versions[0], dict):
        raise refuse("field 'api_vers' must have one entry")
    if p.string(versions[0], "type") != "core":
        raise refuse("api type must be 'core'")
    _check_version(p.integer(versions[0], "major"), p.integer(versions[0], "minor"))
    generator.publisher.expect(4)
    return {"api_vers": [{"type": "core", "api_h": generator.api_handles[4]}]}


def ping(generator: Generator, params: p.Params) -> dict[str, float]:
    """Return the server's clock in seconds."""
    return {"ts": time.monotonic()}


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def get_system_info(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Describe server and ports."""
    engine = generator.engine
    ports = [
        {
            "index": port.index,
            "driver": engine.drivers[port.index],
            "description": "vtrex",
            "pci_addr": "N/A",
            "numa": -1,
            "hw_mac": format_mac(port.mac),
            "stack": "legacy",
            "cores": [port.index % len(engine.cores)],
            "supp_speeds": [int(port.speed_gbps * 1000)],
            "is_fc_supported": False,
            "is_ieee1588_supported": False,
            "is_led_supported": False,
            "is_link_supported": False,
            "is_prom_supported": True,
            "is_virtual": True,
            "is_vxlan_supported": False,
            "rx": {"caps": ["flow_stats", "latency", "rx_bytes"], "counters": STATS_FLOWS},
        }
        for port in generator.ports
    ]
    return {
        "hostname": platform.node(),
        "uptime": time.strftime("%b %d %Y @ %H:%M:%S", time.localtime(generator.started_at)),
        "core_type": _processor(),
        "dp_core_count": len(engine.cores),
        "dp_core_count_per_port": 1,
        "is_multiqueue_mode": False,
        "advanced_per_stream_stats": True,
        "port_count": len(ports),
        "ports": ports,
    }


def publish_now(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Ring the doorbell of the asynchronous channel, or send a client of API 4 all counters and then its ``key``."""
    key = p.integer(params, "key")
    baseline = p.boolean(params, "baseline", False)
    if params["api_h"] == generator.api_handles[5]:
        generator.publisher.ring()
        return {}
    generator.tick()
    publish_statistics(generator, **({"baseline": True} if baseline else {}))
    generator.publisher.tell("trex-barrier", key, {})
    return {}


def get_async_events(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Return the events that this session has not seen."""
    return {"data": generator.events.take(p.integer(params, "session_id"))}


def get_async_results(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Say that there is no such task: every method here answers at once."""
    raise RpcError(-32003, f"there is no task with ticket {p.integer(params, 'ticket_id')}", "No Results")


def cancel_async_task(generator: Generator, params: p.Params) -> Any:
    """Say that there is no such task."""
    return get_async_results(generator, params)


GLOBAL_CFG = {"do_mbuf_cache": False, "process_at_cp": False, "sched_max_stretch": 0.0}
"""TRex's: the first two are its stateful mode's; frames that are too late are not sent here, whatever the third."""


def get_global_cfg(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Return what TRex lets be configured."""
    return GLOBAL_CFG


def set_global_cfg(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Accept what is so already."""
    for name, value in params.items():
        if name not in ("api_h", "handler") and (name not in GLOBAL_CFG or GLOBAL_CFG[name] != value):
            raise refuse(f"'{name}' cannot be set on this generator; fixed are: {GLOBAL_CFG}")
    return {}


def get_utilization(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Return how busy each polling core was lately (percent, latest first), and the buffers for frames."""
    generator.tick()
    cores = []
    for core, history in enumerate(generator.busy_percent):
        active = [port.index for port in generator.ports_of_core(core) if port.active]
        cores.append({"history": list(history), "ports": [*active, -1, -1][:2]})
    buffers: dict[str, list[int]] = {}
    for pool in generator.engine.memory():
        free, total = buffers.get(f"{pool.buffer_bytes}b", (0, 0))
        buffers[f"{pool.buffer_bytes}b"] = [free + pool.free, total + pool.total]
    return {"cpu": cores, "mbuf_stats": {"cpu-socket-0": buffers}}


def shutdown(generator: Generator, params: p.Params) -> dict[str, Any]:
    """End the server, unless somebody else owns a port and ``force`` is not set."""
    user = p.string(params, "user")
    others = {port.owner.user for port in generator.ports if port.owner is not None and port.owner.user != user}
    if others and not p.boolean(params, "force", False):
        raise refuse(f"ports are owned by {', '.join(sorted(others))}; use force to shut down nevertheless")
    generator.stopping = f"server was shut down by '{user}'"
    return {}


METHODS = {
    "get_version": get_version,
    "api_sync": api_sync,
    "api_sync_v2": api_sync_v2,
    "ping": ping,
    "get_system_info": get_system_info,
    "publish_now": publish_now,
    "get_async_events": get_async_events,
    "get_async_results": get_async_results,
    "cancel_async_task": cancel_async_task,
    "get_global_cfg": get_global_cfg,
    "set_global_cfg": set_global_cfg,
    "get_utilization": get_utilization,
    "shutdown": shutdown,
}
