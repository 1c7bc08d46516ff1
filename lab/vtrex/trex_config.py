"""TRex's own configuration file (``trex_cfg.yaml``): its keys, and what they mean to this generator.

Source: TRex manual, "Platform YAML Configuration File".
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar

import yaml
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from lab.errors import UsageError, near_misses
from lab.models import Model
from lab.vtrex.layer import Layer
from lab.vtrex.notes import say
from lab.vtrex.port import parse_ipv4, parse_mac
from lab.vtrex.settings import Said
from lab.vtrex.trex_interfaces import ports_of

LOW_END_GAP_LIMIT_US = 10_000.0
LOW_END_START_DELAY_MS = 50.0
"""With ``low_end`` TRex shares few CPUs with all else: pauses are a part of that, and so is what its client does."""


def _mac(value: object) -> bytes:
    """Take ``'00:11:22:33:44:55'`` or TRex's old form, a list of six numbers."""
    text = ":".join(f"{int(str(part), 0):x}" for part in value) if isinstance(value, list) else str(value)
    mac = parse_mac(text)
    if mac is None:
        raise ValueError(f"'{text}' is no MAC address such as 02:00:00:00:00:01")
    return mac


def _ipv4(value: str) -> str:
    if parse_ipv4(value) is None:
        raise ValueError(f"'{value}' is no IPv4 address")
    return value


Mac = Annotated[bytes, BeforeValidator(_mac)]
Ipv4 = Annotated[str, AfterValidator(_ipv4)]
Cpu = Annotated[int, Field(ge=0)]
TcpPort = Annotated[int, Field(ge=0, le=65535)]


class _Section(Model):
    """A mapping of the file. ``unused``: keys of TRex that stand in it and mean nothing here."""

    model_config = ConfigDict(extra="ignore")
    UNUSED: ClassVar[frozenset[str]] = frozenset()

    unused: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _check_keys(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            raise ValueError("keys with values are expected here")
        known = {*cls.model_fields, *cls.UNUSED} - {"unused"}
        for key in data:
            if key not in known:
                raise ValueError(f"unknown key {key!r}: {near_misses(str(key), known)}")
        said = {key: value for key, value in data.items() if value != ""}  # "key:" without a value
        return {**said, "unused": tuple(key for key in data if key in cls.UNUSED)}


class PortInfo(_Section):
    """One entry of ``port_info``."""

    UNUSED = frozenset({"mask"})

    ip: Ipv4 | None = None
    default_gw: Ipv4 | None = None
    dest_mac: Mac | None = None
    src_mac: Mac | None = None
    vlan: Annotated[int, Field(ge=1, le=4094)] | None = None

    @model_validator(mode="after")
    def _gateway_needs_an_address(self) -> PortInfo:
        if self.default_gw is not None and self.dest_mac is None and self.ip is None:
            raise ValueError("default_gw needs an ip to be resolved from, or a dest_mac beside it")
        return self

    def layer(self) -> Layer:
        """Return it as the generator's ports take it."""
        return Layer(self.src_mac, self.dest_mac, self.ip, self.default_gw, self.vlan)


class DualIf(_Section):
    """The CPUs of a pair of ports."""

    UNUSED = frozenset({"socket"})

    threads: Annotated[tuple[Cpu, ...], Field(min_length=1)]


class Platform(_Section):
    """Which thread runs on which CPU."""

    UNUSED = frozenset({"latency_thread_id"})

    master_thread_id: Cpu | None = None
    dual_if: tuple[DualIf, ...] = ()


class TrexConfig(_Section):
    """The one entry of the file's list."""

    UNUSED = frozenset(
        {"enable_zmq_pub", "telnet_port", "low_end_core", "stack", "port_mtu", "rx_desc", "tx_desc"}
        | {"memory", "tw", "services_core", "new_memory", "ext_dpdk_opt", "dpdk_devargs", "interfaces_vdevs"}
        | {"port_speed", "if_mask"}
    )

    version: Annotated[int, Field(ge=2, le=2)]
    interfaces: Annotated[tuple[str, ...], Field(min_length=1)]
    port_limit: Annotated[int, Field(ge=1)] | None = None
    port_info: tuple[PortInfo, ...] = ()
    port_bandwidth_gb: Annotated[float, Field(gt=0, le=1000)] | None = None
    zmq_pub_port: TcpPort | None = None
    zmq_rpc_port: TcpPort | None = None
    prefix: str | None = None
    limit_memory: Annotated[int, Field(ge=1)] | None = None
    c: Annotated[int, Field(ge=1)] | None = None
    platform: Platform | None = None
    low_end: bool = False

    @model_validator(mode="after")
    def _check_counts(self) -> TrexConfig:
        if len(self.port_info) > len(self.interfaces):
            raise ValueError(f"port_info has {len(self.port_info)} entries for {len(self.interfaces)} interfaces")
        if self.port_limit is not None and self.port_limit > len(self.interfaces):
            raise ValueError(f"port_limit is {self.port_limit}, but there are {len(self.interfaces)} interfaces")
        return self

    def said(self, port_limit: int | None = None, threads: int | None = None) -> Said:
        """Return what the file asks for.

        Args:
            port_limit: how many ports to use at most, above the file's own limit.
            threads: how many a pair of ports has, above the file's own number.

        Raises:
            UsageError: an interface is none, or there are too many; a pair has fewer CPUs than threads.

        """
        ports = ports_of(self.interfaces[: port_limit or self.port_limit])
        cores = self._cores(len(ports), threads or self.c or 1)
        return {
            "ports": ports,
            "layers": tuple(info.layer() for info in self.port_info[: len(ports)]),
            "rpc_port": self.zmq_rpc_port,
            "async_port": self.zmq_pub_port,
            "core": ",".join(map(str, cores)) or None,
            "housekeeping_core": self.platform.master_thread_id if self.platform else None,
            "line_rate_gbps": self.port_bandwidth_gb,
            "prefix": self.prefix,
            "memory_limit_mb": self.limit_memory,
            "gap_limit_us": LOW_END_GAP_LIMIT_US if self.low_end else None,
            "start_delay_ms": LOW_END_START_DELAY_MS if self.low_end else None,
        }

    def _cores(self, ports: int, threads: int) -> list[int]:
        """Return the CPUs of the polling threads: so many of each pair, and not more than ports in all."""
        cores: list[int] = []
        for number, pair in enumerate(self.dual_if[: (ports + 1) // 2]):
            if threads > len(pair.threads):
                raise UsageError(f"platform.dual_if.{number}.threads: {len(pair.threads)} CPUs for {threads} threads")
            cores += pair.threads[:threads]
        return cores[:ports]

    @property
    def dual_if(self) -> tuple[DualIf, ...]:
        """The CPUs of each pair of ports; empty: the file does not say."""
        return self.platform.dual_if if self.platform is not None else ()

    def unused_keys(self, threads: int | None = None) -> list[str]:
        """Return the keys in the file that mean nothing to this generator; ``threads`` as of said()."""
        found = list(self.unused)
        if (threads or self.c or 1) > 1 and not self.dual_if:  # it is said how many, but not where
            found.append("c")
        found += [f"port_info.{key}" for info in self.port_info for key in info.unused]
        if self.platform is not None:
            found += [f"platform.{key}" for key in self.platform.unused]
            found += [f"platform.dual_if.{key}" for pair in self.platform.dual_if for key in pair.unused]
        return sorted(set(found))


def load(file: Path) -> TrexConfig:
    """Read a configuration file.

    Raises:
        UsageError: it is missing or wrong; the one line says where.

    """
    try:
        # All scalars as text: a MAC address of digits only would else be a number (YAML 1.1 counts in sixties).
        data = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}; `pixlab vtrex config` prints a file to begin with") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, list) or len(data) != 1:
        found = f"a list of {len(data)}" if isinstance(data, list) else "no list"
        raise UsageError(f"{file}: a list with one platform is expected ('- version: 2' ...); this is {found}")
    try:
        return TrexConfig.model_validate(data[0])
    except ValidationError as error:
        raise UsageError(f"{file}: {_complaint(error)}") from None


def said_in(file: Path, port_limit: int | None = None, threads: int | None = None) -> Said:
    """Return what a file asks for, and tell the operator which of its keys mean nothing here.

    Args:
        file: the configuration file.
        port_limit: how many ports to use at most; None: as the file says.
        threads: how many polling threads a pair of ports has; None: as the file says.

    Raises:
        UsageError: it is missing or wrong; the one line says where.

    """
    config = load(file)
    unused = config.unused_keys(threads)
    if unused:
        say(f"note: {file}: without effect here: {', '.join(unused)}")
    try:
        return config.said(port_limit, threads)
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from None


def _complaint(error: ValidationError) -> str:
    """Return place and text of the first thing that is wrong."""
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    place = ".".join(str(part) for part in first["loc"])
    words = str(cause) if cause is not None else str(first["msg"]).lower()
    return f"{place}: {words}" if place else words
