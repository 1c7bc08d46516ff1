"""TRex's two official clients, each as the worker uses it. Only the worker's process may import them.

``trex-stl-lib`` 0.3 (releases up to v2.87) does what runs of streams and single frames need, but: its fields have no
list of values, so streams with one are refused; it learns of ports that its server takes from others only from events;
its own exceptions cannot be printed where they were raised; and on a message that it does not expect it ends the group
of its parent, which is kept from it here.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any, NamedTuple


class Official(NamedTuple):
    """A client that is not connected yet, its ``api``, and what wraps bytes for push_packets so that MACs stay."""

    name: str
    api: Any
    client: Any
    packet_buffer: Callable[..., Any]
    has_value_lists: bool


def official(name: str, server: str, sync_port: int, async_port: int) -> Official:
    """Import a client and bind it to a server; ``name`` is what ``client_for`` returned."""
    return {"lbr-trex-client": _lbr, "trex-stl-lib": _stl_lib}[name](server, sync_port, async_port)


def _lbr(server: str, sync_port: int, async_port: int) -> Official:
    import lbr_trex_client  # noqa: F401  (its import changes sys.path and sys.modules)
    from trex.common.trex_client import PacketBuffer
    from trex.stl import api

    client = api.STLClient(server=server, sync_port=sync_port, async_port=async_port, verbose_level="error")
    return Official("lbr-trex-client 3.4.0", api, client, PacketBuffer, True)


def _stl_lib(server: str, sync_port: int, async_port: int) -> Official:
    from trex_stl_lib import api

    os.killpg = _end_worker
    client = api.STLClient(server=server, sync_port=sync_port, async_port=async_port)
    return Official("trex-stl-lib 0.3", api, client, api.PacketBuffer, False)


def _end_worker(_group: int, _signal: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
