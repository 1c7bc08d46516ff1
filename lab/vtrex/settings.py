"""What a server is asked to be, wherever it was said: options, a configuration file, TRex's command line."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from typing import Any

from lab.errors import UsageError
from lab.vtrex.layer import Layer

MOST_PORTS = 8
WIRE = "wire"  # the port form of both ports of --wire in a configuration file
Said = dict[str, Any]  # fields of Settings that one source names; None: it does not


@dataclass(frozen=True)
class Settings:
    """``ports`` are values of ``--port``, or twice WIRE; ``layers`` what stands in the frames of each.

    ``core`` has the polling threads' CPUs (``2,3``), ``housekeeping_core`` that of all else; None: the server chooses.
    ``status`` None: a status line where stderr is a terminal.
    """

    ports: tuple[str, ...] = ()
    layers: tuple[Layer, ...] = ()
    netns: str | None = None
    rpc_port: int = 4501
    async_port: int = 4500
    bind: str = "127.0.0.1"
    core: str | None = None
    housekeeping_core: int | None = None
    line_rate_gbps: float = 10.0
    full_wait_us: float = 1000.0
    late_us: float = 10000.0
    gap_limit_us: float = 1000.0
    start_delay_ms: float = 0.0
    prefix: str = "vtrex"
    huge: str = "auto"
    memory_limit_mb: int | None = None
    status: bool | None = None

    def __post_init__(self) -> None:
        """Refuse values that cannot be, wherever they were said.

        Raises:
            UsageError: the first of them.

        """
        for name, value in (("--rpc-port", self.rpc_port), ("--async-port", self.async_port)):
            if not 0 <= value <= 65535:
                raise UsageError(f"{name} {value} is not between 0 and 65535")
        if self.rpc_port == self.async_port != 0:
            raise UsageError(f"--rpc-port and --async-port are both {self.rpc_port}")
        if not 0 < self.line_rate_gbps <= 1000:
            raise UsageError(f"--line-rate-gbps {self.line_rate_gbps:g} is not between 0 and 1000")
        if any(not 0 < limit <= 1e6 for limit in (self.full_wait_us, self.late_us, self.gap_limit_us)):
            raise UsageError("--full-wait-us, --late-us and --gap-limit-us must be above 0 and at most 1000000")
        if not 0 <= self.start_delay_ms <= 1000:
            raise UsageError(f"--start-delay-ms {self.start_delay_ms:g} is not between 0 and 1000")
        if not self.bind:
            raise UsageError("--bind needs an address")
        if not re.fullmatch(r"[\w.-]{1,32}", self.prefix):
            raise UsageError(f"prefix {self.prefix!r} is not of 1 to 32 letters, digits, dots and dashes")


def combine(*sayings: Said) -> Settings:
    """Return the settings; a value that an earlier saying has counts above those of later ones.

    Raises:
        UsageError: a value cannot be.

    """
    said: Said = {}
    for each in sayings:
        said = {**{name: value for name, value in each.items() if value is not None}, **said}
    return Settings(**said)


def use_core(core: int) -> None:
    """Run this process on one CPU.

    Raises:
        UsageError: there is no such CPU, or this process may not use it.

    """
    try:
        os.sched_setaffinity(0, {core})
    except OSError:
        raise UsageError(f"CPU {core} is not available for housekeeping; there are: {_cores_text()}") from None


def _cores_text() -> str:
    return ", ".join(map(str, sorted(os.sched_getaffinity(0))))


def is_local(address: str) -> bool:
    """Tell whether only this machine reaches an address to listen on: a loopback address, its name or its interface."""
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address in ("localhost", "lo")
