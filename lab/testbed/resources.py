"""Resources: what a machine offers, as data. The drivers that act on them are elsewhere."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lab.document import Record
from lab.testbed.access import Host, LocalText, SshAccess, TcpPort
from lab.testbed.behaviour import Behaviour
from lab.testbed.boots import AnyBoot, Firmware
from lab.testbed.consoles import AnyConsole
from lab.testbed.ports import Mac
from lab.testbed.power import AnyPower

MAX_EXCLUSIVE_CORES = 16


class _Cores(Record):
    """What runs on a machine's cores: ``exclusive_cores`` beside the ordinary one, each with a queue group manager.

    ``ring_length`` counts the slots of the ring of each pair of cores and ``batch`` the frames of a turn; what is not
    given is left as the image has it.
    """

    exclusive_cores: int = Field(ge=1, le=MAX_EXCLUSIVE_CORES)
    ring_length: Literal[2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] | None = None
    batch: Annotated[int, Field(ge=1, le=64)] | None = None


class Server(_Cores):
    """A real machine in a rack.

    ``boot_attempts`` are tries to boot it, each of which may take ``ready_limit_s`` from power on to the prompt. What
    its power is left at when the lab lets go of it: ``when_done`` after a run, ``when_failed`` where it did not boot or
    the lab broke. ``simulated_as`` names the machine of lab/simulation/machines that baselines are simulated for.
    """

    driver: Literal["server"]
    power: AnyPower
    console: AnyConsole
    boot: AnyBoot
    boot_attempts: int = Field(default=2, ge=1, le=10)
    ready_limit_s: float = Field(default=300.0, gt=0)
    when_done: Literal["on", "off"] = "off"
    when_failed: Literal["on", "off", "leave"] = "leave"
    simulated_as: str | None = None

    @property
    def firmware(self) -> Firmware:
        """What boots from its PXE NIC."""
        return self.boot.firmware


class Qemu(_Cores):
    """A virtual machine on the machine that runs the lab.

    Exclusive cores share those of a host that has too few; then nothing is measured (lab.machines.cores).
    ``queue_size`` is the number of descriptors of a virtio queue (QEMU takes powers of two from 256 to 1024).
    ``boot_mac`` is that of its PXE NIC, ``firmware`` what boots from it. ``links``: what its data ports are, shared
    memory (vhost-user) or taps in a network namespace, where a generator opens them as interfaces.
    """

    driver: Literal["qemu"]
    memory_mib: int = Field(ge=64)
    queue_size: Literal[256, 512, 1024]
    boot_mac: Mac
    firmware: Firmware = "bios"
    links: Literal["vhost-user", "tap"] = "vhost-user"


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


class TrexRelease(Record):
    """A release of TRex: ``folder`` is where it lies, or is unpacked to, on its machine.

    ``tarball`` is a path on the machine that runs the lab, where ``~`` and ``$NAME`` are put in, or an URL that it can
    fetch; ``sha256`` is its digest. Without a tarball the release must be there. ``program`` is started in the folder.
    """

    version: str = Field(pattern=r"^v\d+\.\d+$")
    folder: str = Field(pattern=r"^[/~$]")
    tarball: LocalText | None = None
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    program: str = "./t-rex-64"

    @model_validator(mode="after")
    def _a_tarball_has_a_digest(self) -> TrexRelease:
        if (self.tarball is None) != (self.sha256 is None):
            raise ValueError("a tarball and its sha256 go together: give both or neither")
        return self


class DualIf(Record):
    """The CPUs that a pair of TRex's ports gets, and the socket that they are on."""

    socket: int = Field(default=0, ge=0)
    threads: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)


class Platform(Record):
    """Which of TRex's threads runs on which CPU, as ``platform`` of its configuration file has it."""

    master_thread_id: int = Field(ge=0)
    latency_thread_id: int = Field(ge=0)
    dual_if: tuple[DualIf, ...] = Field(min_length=1)


class _Trex(Record):
    """A TRex server: the ports of its stateless RPC and of its events, and how it is started.

    ``cores`` is TRex's -c, threads a pair of ports; ``low_end`` and ``platform`` go into its configuration file, and
    ``options`` are added to its command line. Its ports have the MACs of the testbed's links; with ``by_address`` its
    file has their IPv4 addresses and those of the DUT's ports instead, which TRex resolves.
    """

    rpc_port: TcpPort = 4501
    async_port: TcpPort = 4500
    release: TrexRelease | None = None
    cores: int = Field(default=1, ge=1)
    low_end: bool = False
    platform: Platform | None = None
    by_address: bool = False
    options: tuple[str, ...] = ()


class TrexHost(_Trex):
    """A machine with a TRex server, which the lab starts there; without ``ssh`` it runs already and is left alone."""

    driver: Literal["trex-host"]
    address: Host
    ssh: SshAccess | None = None

    @model_validator(mode="after")
    def _what_is_started_is_named(self) -> TrexHost:
        if (self.ssh is None) != (self.release is None):
            raise ValueError(
                "ssh and release go together: with both the lab starts TRex, without either it runs already"
            )
        return self


class TrexLocal(_Trex):
    """A TRex server that the lab starts on the machine that it runs on; without a release it is vtrex."""

    driver: Literal["trex-local"]


class FileLease(Record):
    """The lease lies on the machine that runs the lab: enough where only that machine uses the testbed."""

    driver: Literal["file"]


class SshLease(Record):
    """The lease lies in ``directory`` of a machine that all users of the testbed reach by SSH.

    It expires ``expiry_s`` after the last sign of life of its owner.
    """

    driver: Literal["ssh"]
    ssh: SshAccess
    directory: str = Field(pattern=r"^/")
    expiry_s: float = Field(default=120.0, ge=10.0)


class Rackbox(Record):
    """A rack in a box: namespaces, controllers and a virtual server that the lab raises around a testbed of kind rack.

    Its folder is ``$PIXLAB_RACKBOX`` while it stands: the testbed's secrets, known hosts and certificates are there.
    """

    driver: Literal["rackbox"]
    memory_mib: int = Field(default=512, ge=64)
    firmware: Firmware = "bios"
