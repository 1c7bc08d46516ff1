"""What a port puts into the frames of its streams before a client says otherwise: addresses and VLAN tag."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layer:
    """Addresses of a port, as a configuration file gives them; None: the default.

    ``peer_mac`` is where frames go. Without it but with ``gateway`` the port waits for a client to resolve the
    gateway's address, as a TRex port in service mode does. The port answers ARP requests for ``ipv4``.
    """

    mac: bytes | None = None
    peer_mac: bytes | None = None
    ipv4: str | None = None
    gateway: str | None = None
    vlan: int | None = None
