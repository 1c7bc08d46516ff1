"""Resources: what a machine offers, as data. The drivers that act on them are in lab.machines and lab.netboot."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, IPvAnyAddress, StringConstraints, model_validator

from lab.document import Record
from lab.testbed.behaviour import Behaviour
from lab.testbed.ports import Mac

Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]*$")]
TcpPort = Annotated[int, Field(ge=1, le=65535)]

MAX_EXCLUSIVE_CORES = 16


class Credentials(Record):
    """Where a user name and password are found, never the secret itself. Exactly one of the three is given."""

    environment: str | None = None
    file: str | None = None
    command: str | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Credentials:
        if sum(value is not None for value in (self.environment, self.file, self.command)) != 1:
            raise ValueError("give exactly one of: command, environment, file")
        return self


class IpmiPower(Record):
    """A baseboard controller that speaks IPMI 2.0 over UDP."""

    driver: Literal["ipmi"]
    address: Host
    port: TcpPort = 623
    credentials: Credentials


class RedfishPower(Record):
    """A baseboard controller that speaks Redfish over HTTPS."""

    driver: Literal["redfish"]
    address: Host
    port: TcpPort = 443
    credentials: Credentials


class SolConsole(Record):
    """The serial console through the baseboard controller (IPMI serial over LAN)."""

    driver: Literal["sol"]
    address: Host
    port: TcpPort = 623
    credentials: Credentials


class SerialConsole(Record):
    """The serial console through a console server (ser2net, raw TCP)."""

    driver: Literal["serial"]
    address: Host
    port: TcpPort


class PxeBoot(Record):
    """How a server boots: its PXE NIC, and the interface of the machine that runs the lab on the boot network."""

    driver: Literal["pxe"]
    interface: str = Field(min_length=1)
    mac: Mac
    address: IPvAnyAddress


class _Cores(Record):
    """What runs on a machine's cores: ``exclusive_cores`` beside the ordinary one, each with a queue group manager.

    ``ring_length`` counts the slots of the ring of each pair of cores and ``batch`` the frames of a turn; what is not
    given is left as the image has it.
    """

    exclusive_cores: int = Field(ge=1, le=MAX_EXCLUSIVE_CORES)
    ring_length: Literal[2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] | None = None
    batch: Annotated[int, Field(ge=1, le=64)] | None = None


class Server(_Cores):
    """A real machine in a rack."""

    driver: Literal["server"]
    power: Annotated[IpmiPower | RedfishPower, Field(discriminator="driver")]
    console: Annotated[SolConsole | SerialConsole, Field(discriminator="driver")]
    boot: PxeBoot


class Qemu(_Cores):
    """A virtual machine on the machine that runs the lab.

    Exclusive cores share those of a host that has too few; then nothing is measured (lab.machines.cores).
    ``queue_size`` is the number of descriptors of a virtio queue (QEMU takes powers of two from 256 to 1024).
    ``boot_mac`` is that of its PXE NIC.
    """

    driver: Literal["qemu"]
    memory_mib: int = Field(ge=64)
    queue_size: Literal[256, 512, 1024]
    boot_mac: Mac


class Reference(Record):
    """A device under test that is known, beside the generator on the machine that runs the lab. Nothing is booted.

    ``program``: ``wire`` joins the generator's own two ports, ``testpmd`` is dpdk-testpmd in mac mode, ``namespace`` is
    the kernel of this host as a router, and ``model`` does what ``behaviour`` says; ``computed`` works out what the
    model would do, its generator included, so that trials take no time. Only these two have a behaviour.
    ``queue_size`` is the number of descriptors of a virtio queue, where there is one.
    """

    driver: Literal["reference"]
    program: Literal["wire", "testpmd", "namespace", "model", "computed"]
    queue_size: Literal[256, 512, 1024] = 1024
    behaviour: Behaviour | None = None

    @model_validator(mode="after")
    def _only_a_model_behaves(self) -> Reference:
        if (self.behaviour is not None) != (self.program in ("model", "computed")):
            raise ValueError("a behaviour goes with the programs model and computed, and with no other")
        return self

    @property
    def exclusive_cores(self) -> int:
        """One core polls, or none."""
        return 1


class Local(Record):
    """A generator that the lab itself starts on the machine that it runs on."""

    driver: Literal["local"]


class TrexHost(Record):
    """A machine with a TRex server: the ports of its stateless RPC and of its events."""

    driver: Literal["trex-host"]
    address: Host
    rpc_port: TcpPort = 4501
    async_port: TcpPort = 4500
