"""A port as clients see it: owner, streams, state and attributes. The engine knows only what is sent."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import Any

from lab.vtrex.layer import Layer
from lab.vtrex.messages import MAX_PROFILES
from lab.vtrex.streams import Stream

PROFILE = "_"
ALL = "*"
IDLE, STREAMS, TX, PAUSE, PCAP_TX = "IDLE", "STREAMS", "TX", "PAUSE", "PCAP_TX"


@dataclass
class Running:
    """The traffic of a profile since its last start; ``slot`` is the profile's number in the engine."""

    streams: list[Stream]
    factor: float
    duration_s: float
    slot: int
    factors: dict[int, float] = field(default_factory=dict)  # of single streams, where they differ
    paused: set[int] = field(default_factory=set)  # streams


@dataclass
class Profile:
    """Streams that are started and stopped together."""

    name: str
    streams: dict[int, Stream] = field(default_factory=dict)
    active: str | None = None  # TX or PAUSE while there is traffic, PCAP_TX for a file
    running: Running | None = None

    @property
    def state(self) -> str:
        """TRex's name of the state."""
        return self.active or (STREAMS if self.streams else IDLE)


@dataclass
class Owner:
    """Who holds a port; ``handler`` is the word by which requests prove it."""

    user: str
    session_id: int
    handler: str


@dataclass
class Port:
    """One port's state."""

    index: int
    mac: bytes
    peer_mac: bytes
    speed_gbps: float
    owner: Owner | None = None
    profiles: dict[str, Profile] = field(default_factory=dict)  # those that have streams
    pcap: Profile | None = None  # a file that is sent
    max_stream_id: int = 0
    link_up: bool = False
    service: bool = False
    service_filtered: bool = False
    promiscuous: bool = False
    multicast: bool = False
    resolved: bool = True  # the destination MAC is known
    ipv4_src: str | None = None
    ipv4_dst: str | None = None
    ipv6: str | None = None  # None: off, "": the client makes one of the MAC address
    vlan: list[int] = field(default_factory=list)

    @property
    def active(self) -> list[Profile]:
        """Profiles that have traffic, be it paused."""
        every = [*self.profiles.values(), *([self.pcap] if self.pcap else [])]
        return [profile for profile in every if profile.active is not None]

    @property
    def state(self) -> str:
        """TRex's name of the state: that of its busiest profile."""
        states = {profile.state for profile in self.profiles.values()} | ({PCAP_TX} if self.pcap else set())
        return next((state for state in (PCAP_TX, TX, PAUSE, STREAMS) if state in states), IDLE)

    def free_slot(self) -> int | None:
        """Return a profile number of the engine that nothing runs in, None when all are taken."""
        taken = {profile.running.slot for profile in self.active if profile.running is not None}
        return next((slot for slot in range(MAX_PROFILES) if slot not in taken), None)

    @property
    def line_rate_bps(self) -> float:
        """What counts as 100 %."""
        return self.speed_gbps * 1e9

    def configure(self, layer: Layer) -> None:
        """Take the addresses of a configuration file; its gateway stays unresolved until a client resolves it."""
        self.vlan = [] if layer.vlan is None else [layer.vlan]
        if layer.peer_mac is not None:
            self.peer_mac = layer.peer_mac
        elif layer.ipv4 is not None and layer.gateway is not None:
            self.ipv4_src, self.ipv4_dst, self.resolved = layer.ipv4, layer.gateway, False

    def attributes(self) -> dict[str, Any]:
        """Return ``attr`` of get_port_status."""
        ether = {"src": format_mac(self.mac), "dst": format_mac(self.peer_mac) if self.resolved else ""}
        ether["state"] = "configured" if self.resolved else "unconfigured"
        ipv4: dict[str, Any] = {"state": "none"}
        if self.ipv4_src is not None:
            state = "resolved" if self.resolved else "unresolved"
            ipv4 = {"state": state, "src": self.ipv4_src, "dst": self.ipv4_dst}
        ipv6 = {"enabled": False} if self.ipv6 is None else {"enabled": True, "src": self.ipv6}
        return {
            "promiscuous": {"enabled": self.promiscuous},
            "multicast": {"enabled": self.multicast},
            "link": {"up": self.link_up},
            "speed": self.speed_gbps,
            "rx_filter_mode": "hw",
            "vxlan_fs": [],
            "fc": {"mode": -1},
            "layer_cfg": {"ether": ether, "ipv4": ipv4, "ipv6": ipv6},
            "vlan": {"tags": list(self.vlan)},
        }

    def status(self) -> dict[str, Any]:
        """Return the result of get_port_status."""
        inactive = {"is_active": False}
        return {
            "owner": self.owner.user if self.owner else "",
            "state": self.state,
            "state_profile": {name: profile.state for name, profile in self.profiles.items()} or {PROFILE: IDLE},
            "service": self.service,
            "service_filtered": self.service_filtered,
            "profile_count": max(1, len(self.profiles)),
            "max_stream_id": self.max_stream_id,
            "attr": self.attributes(),
            "rx_info": {
                "latency": inactive,
                "queue": inactive,
                "stack": {"is_active": True},
                "grat_arp": inactive,
                "capture_port": inactive,
                "capwap_proxy": inactive,
            },
        }


def default_mac(index: int) -> bytes:
    """Return the locally administered address of a port."""
    return bytes([0x02, 0x76, 0x74, 0x72, 0x78, index])


def format_mac(mac: bytes) -> str:
    """Return six bytes as text."""
    return mac.hex(":")


def parse_mac(text: str) -> bytes | None:
    """Return the six bytes of an address written with colons, None when it is none."""
    parts = text.split(":")
    try:
        mac = bytes(int(part, 16) for part in parts)
    except ValueError:
        return None
    return mac if len(mac) == 6 and all(len(part) <= 2 for part in parts) else None


def parse_ipv4(text: str) -> bytes | None:
    """Return the four bytes of a dotted address, None when it is none."""
    try:
        return socket.inet_pton(socket.AF_INET, text)
    except OSError:
        return None


def is_ipv6(text: str) -> bool:
    """Tell whether this is an IPv6 address."""
    try:
        socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        return False
    return True
