"""Counters of ports and packet groups."""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import Any

from lab.vtrex import messages as m
from lab.vtrex import params as p
from lab.vtrex.flows import Group
from lab.vtrex.generator import Generator
from lab.vtrex.latency import trex_latency
from lab.vtrex.rpc import refuse

XSTATS = {
    "rx_good_packets": "rx_packets",
    "tx_good_packets": "tx_packets",
    "rx_good_bytes": "rx_bytes",
    "tx_good_bytes": "tx_bytes",
    "rx_mbuf_allocation_errors": "rx_no_buffer",
    "tx_given_up_packets": "tx_given_up",
    "tx_refused_bursts": "tx_refused_bursts",
}
# What TRex reports of features that this generator has not; clients print them.
ABSENT = {
    "m_active_flows": 0.0, "m_active_sockets": 0, "m_bw_per_core": 0.0, "m_open_flows": 0.0, "m_platform_factor": 1.0,
    "m_rx_cpu_util": 0.0, "m_socket_util": 0.0, "m_total_alloc_error": 0, "m_total_clients": 0,
    "m_total_nat_active": 0, "m_total_nat_learn_error": 0, "m_total_nat_no_fid": 0, "m_total_nat_open": 0,
    "m_total_nat_syn_wait": 0, "m_total_nat_time_out": 0, "m_total_nat_time_out_wait_ack": 0, "m_total_servers": 0,
    "m_tx_cps": 0.0, "m_tx_expected_cps": 0.0,
}  # fmt: skip


def _rate(generator: Generator, port_id: int, name: str) -> float:
    return generator.port_meters.rate((port_id, name))


def _port_stats(generator: Generator, index: int, counters: m.PortCounters) -> dict[str, Any]:
    return {
        "opackets": counters.tx_packets,
        "obytes": counters.tx_bytes,
        "ipackets": counters.rx_packets,
        "ibytes": counters.rx_bytes,
        "oerrors": counters.tx_given_up,
        "ierrors": counters.rx_no_buffer,
        "m_total_tx_pps": _rate(generator, index, "tx_packets"),
        "m_total_tx_bps": _rate(generator, index, "tx_bytes") * 8,
        "m_total_rx_pps": _rate(generator, index, "rx_packets"),
        "m_total_rx_bps": _rate(generator, index, "rx_bytes") * 8,
        "m_cpu_util": min(100.0, _rate(generator, index, "busy_ns") / 1e7),
    }


def get_port_stats(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Return a port's counters since the server began, and its present rates."""
    index = generator.port(params).index
    generator.tick()
    return _port_stats(generator, index, generator.engine.port_counters()[index])


def _global_stats(generator: Generator, counters: list[m.PortCounters]) -> dict[str, Any]:
    ports = range(len(counters))

    def total_rate(name: str) -> float:
        return sum(_rate(generator, index, name) for index in ports)

    tx_bps, rx_bps = total_rate("tx_bytes") * 8, total_rate("rx_bytes") * 8
    expected = generator.expected_rates_pps()
    busy = min(100.0, total_rate("busy_ns") / 1e7 / len(generator.engine.cores))
    return ABSENT | {
        "m_cpu_util": busy,
        "m_cpu_util_raw": busy,
        "m_tx_bps": tx_bps,
        "m_rx_bps": rx_bps,
        "m_tx_pps": total_rate("tx_packets"),
        "m_rx_pps": total_rate("rx_packets"),
        "m_rx_core_pps": total_rate("rx_packets"),
        "m_rx_drop_bps": max(0.0, tx_bps - rx_bps),
        "m_tx_expected_pps": sum(pps for pps, _ in expected),
        "m_tx_expected_bps": sum(bps for _, bps in expected),
        "m_total_tx_pkts": sum(port.tx_packets for port in counters),
        "m_total_tx_bytes": sum(port.tx_bytes for port in counters),
        "m_total_rx_pkts": sum(port.rx_packets for port in counters),
        "m_total_rx_bytes": sum(port.rx_bytes for port in counters),
        "m_total_queue_full": sum(port.tx_refused_bursts for port in counters),
        "m_total_queue_drop": sum(port.tx_given_up for port in counters),
    }


def get_global_stats(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Return the sums over all ports."""
    generator.tick()
    return _global_stats(generator, generator.engine.port_counters())


def publish_statistics(generator: Generator, **more: Any) -> None:
    """Send all counters and rates to the clients of API 4, which do not ask for them.

    Args:
        generator: whose.
        more: further fields of the message: ``baseline`` for counters that the clients begin with.

    """
    counters = generator.engine.port_counters()
    data: dict[str, Any] = {"ts": {"value": time.monotonic_ns(), "freq": 10**9}} | _global_stats(generator, counters)
    for index, of_port in enumerate(counters):
        data |= {f"{name}-{index}": value for name, value in _port_stats(generator, index, of_port).items()}
    generator.publisher.tell("trex-global", 0, data, **more)


def get_port_xstats_names(generator: Generator, params: p.Params) -> dict[str, list[str]]:
    """Return the names of a port's further counters."""
    generator.port(params)
    return {"xstats_names": list(XSTATS)}


def get_port_xstats_values(generator: Generator, params: p.Params) -> dict[str, list[int]]:
    """Return the values of a port's further counters, in the order of the names."""
    counters = generator.engine.port_counters()[generator.port(params).index]
    return {"xstats_values": [getattr(counters, name) for name in XSTATS.values()]}


def get_active_pgids(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Return the pg_ids in use."""
    groups = generator.flows.groups
    return {
        "ids": {
            "flow_stats": [group.pg_id for group in groups(m.FlowKind.STATS)],
            "latency": [group.pg_id for group in groups(m.FlowKind.LATENCY)],
        }
    }


def _asked_groups(generator: Generator, params: p.Params) -> list[Group]:
    pg_ids = p.array(params, "pgids", [])
    if not pg_ids:
        return generator.flows.groups()
    if not all(isinstance(pg_id, int) for pg_id in pg_ids):
        raise refuse("'pgids' must be integers")
    found = (generator.flows.find(pg_id) for pg_id in pg_ids)
    return [group for group in found if group is not None]


_SHORT = {"tp": "tx_packets", "tb": "tx_bytes", "rp": "rx_packets", "rb": "rx_bytes"}


def _flow_entry(generator: Generator, group: Group, counters: list[m.FlowCounters]) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    for short, name in _SHORT.items():
        bits = 8 if short.endswith("b") else 1
        entry[short] = {str(port): getattr(of_port, name) for port, of_port in enumerate(counters)}
        entry[short + "s"] = {
            str(port): generator.flow_meters.rate((group.version, port, short)) * bits for port in range(len(counters))
        }
    return entry


def get_pgid_stats(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Return counters, latency and order of the asked groups (none asked: all)."""
    groups = _asked_groups(generator, params)
    if not groups:
        return {"flow_stats": None, "latency": {"g": None}, "ver_id": None}
    counters = generator.engine.flow_counters([group.flow for group in groups])
    sample: dict[Hashable, int] = {
        (group.version, port, short): getattr(of_port, name)
        for group, of_ports in zip(groups, counters, strict=True)
        for port, of_port in enumerate(of_ports)
        for short, name in _SHORT.items()
    }
    generator.flow_meters.sample(time.monotonic(), sample)
    flow_stats = {
        str(group.pg_id): _flow_entry(generator, group, of_ports)
        for group, of_ports in zip(groups, counters, strict=True)
    }
    latency: dict[str, Any] = {"g": None}
    for group in groups:
        if group.kind is m.FlowKind.LATENCY:
            seen, buckets = generator.engine.latency(group.hw_id)
            if seen.started:
                latency[str(group.pg_id)] = trex_latency(seen, buckets, group.past_bins)
    versions = {str(group.pg_id): group.version for group in groups}
    return {"flow_stats": flow_stats, "latency": latency, "ver_id": versions}


METHODS = {
    "get_port_stats": get_port_stats,
    "get_global_stats": get_global_stats,
    "get_port_xstats_names": get_port_xstats_names,
    "get_port_xstats_values": get_port_xstats_values,
    "get_active_pgids": get_active_pgids,
    "get_pgid_stats": get_pgid_stats,
}
