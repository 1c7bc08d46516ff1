"""Ownership, status and attributes of ports."""

from __future__ import annotations

from typing import Any

from lab.vtrex import params as p
from lab.vtrex.generator import Generator
from lab.vtrex.port import is_ipv6, parse_ipv4, parse_mac
from lab.vtrex.rpc import refuse

NO_ADDRESS = bytes(4)


def acquire(generator: Generator, params: p.Params) -> str:
    """Give the port to the caller; returns the handler."""
    port = generator.port(params)
    user = p.string(params, "user")
    return generator.acquire(port, user, p.integer(params, "session_id"), force=p.boolean(params, "force", False))


def release(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Give the port back."""
    generator.release(generator.owned_port(params))
    return {}


def get_owner(generator: Generator, params: p.Params) -> dict[str, str]:
    """Name the port's owner."""
    owner = generator.port(params).owner
    return {"owner": owner.user if owner else ""}


def get_port_status(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Describe the port's state and attributes."""
    port = generator.port(params)
    generator.profiles(port, params)
    generator.tick()
    generator.collect_ended()
    status = port.status()
    status["rx_info"] |= generator.reception.describe(port.index)
    return status


def set_port_attr(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Set promiscuous or multicast; a vtrex port takes in every frame whatever they say."""
    port = generator.port(params)
    attributes = p.mapping(params, "attr")
    for name in attributes:
        if name not in ("promiscuous", "multicast"):
            raise refuse(f"attribute '{name}' cannot be set on this port")
    if "promiscuous" in attributes:
        port.promiscuous = p.boolean(p.mapping(attributes, "promiscuous"), "enabled")
    if "multicast" in attributes:
        port.multicast = p.boolean(p.mapping(attributes, "multicast"), "enabled")
    return {}


def service(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Switch service mode."""
    port = generator.owned_port(params)
    port.service = p.boolean(params, "enabled")
    port.service_filtered = p.boolean(params, "filtered", False)
    if not port.service:
        generator.reception.stop_port(port.index)
    return {}


def set_l2(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Set the destination MAC address; the port then has no IPv4 address."""
    port = generator.port(params)
    text = p.string(params, "dst_mac")
    mac = parse_mac(text)
    if mac is None:
        raise refuse(f"'{text}' is no MAC address")
    port.peer_mac, port.resolved = mac, True
    port.ipv4_src = port.ipv4_dst = None
    generator.engine.set_address(port.index, port.mac, NO_ADDRESS)
    return {}


def set_l3(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Set own and next hop's IPv4 address; the client resolves the MAC address and tells it in a second call."""
    port = generator.port(params)
    src, dst = p.string(params, "src_addr"), p.string(params, "dst_addr")
    address = parse_ipv4(src)
    if address is None or parse_ipv4(dst) is None:
        raise refuse(f"'{src if address is None else dst}' is no IPv4 address")
    resolved = p.string(params, "resolved_mac", None) if params.get("resolved_mac") is not None else None
    mac = parse_mac(resolved) if resolved is not None else None
    if resolved is not None and mac is None:
        raise refuse(f"'{resolved}' is no MAC address")
    port.ipv4_src, port.ipv4_dst = src, dst
    port.peer_mac, port.resolved = mac or port.peer_mac, mac is not None
    generator.engine.set_address(port.index, port.mac, address)
    return {}


def set_vlan(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Set the tags that the client puts on what it sends in service mode."""
    port = generator.port(params)
    tags = p.array(params, "vlan")
    if len(tags) > 2 or not all(isinstance(tag, int) and 0 <= tag <= 4095 for tag in tags):
        raise refuse("vlan must be at most two tags from 0 to 4095")
    port.vlan = list(tags)
    return {}


def conf_ipv6(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Keep the IPv6 address that the client's own services (ping, scan6) use; the port answers nothing for it."""
    port = generator.port(params)
    enabled, src = p.boolean(params, "enabled"), p.string(params, "src_ipv6", "")
    if enabled and src and not is_ipv6(src):
        raise refuse(f"'{src}' is no IPv6 address")
    port.ipv6 = src if enabled else None
    return {}


def get_tpg_status(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Say that tagged packet groups are off."""
    empty = {"acquired_ports": [], "rx_ports": [], "username": "-", "num_tpgids": 0, "num_tags": 0}
    return {"enabled": False, "data": empty}


METHODS = {
    "acquire": acquire,
    "release": release,
    "get_owner": get_owner,
    "get_port_status": get_port_status,
    "set_port_attr": set_port_attr,
    "service": service,
    "set_l2": set_l2,
    "set_l3": set_l3,
    "set_vlan": set_vlan,
    "conf_ipv6": conf_ipv6,
    "get_tpg_status": get_tpg_status,
}
