"""The methods of the RPC protocol, a module for each subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lab.vtrex.generator import Generator
from lab.vtrex.methods import (
    captures,
    lab_only,
    packets,
    ports,
    receive,
    refused,
    stats,
    stream_control,
    streams,
    system,
    traffic,
)
from lab.vtrex.params import Params

Method = Callable[[Generator, Params], Any]

TREX_METHODS: Mapping[str, Method] = {
    **system.METHODS,
    **ports.METHODS,
    **streams.METHODS,
    **traffic.METHODS,
    **stream_control.METHODS,
    **packets.METHODS,
    **stats.METHODS,
    **captures.METHODS,
    **receive.METHODS,
}
METHODS: Mapping[str, Method] = {
    **TREX_METHODS,
    **lab_only.METHODS,
    **refused.METHODS,
    "get_supported_cmds": lambda generator, params: [*TREX_METHODS, "get_supported_cmds"],
}
