"""What a manifest says of an image: one model for each ``format``. docs/images.md explains every key."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, field_validator, model_validator

from lab.errors import UsageError
from lab.machines.host import Accelerator
from lab.models import Model
from lab.testbed.boots import Firmware

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]

SCRIPT_NAME = "boot.ipxe"

_UEFI_MEMORY_MIB = 256  # the firmware is there while the image's tables, 100 MiB, find their place


class ImageFile(Model):
    """A file that the boot service hands out; it lies beside the manifest."""

    name: FileName
    size_bytes: int = Field(gt=0)
    sha256: Sha256


class Manifest(Model):
    """An image that can be booted: what is the same for all formats. ``directory`` is where its manifest lies.

    ``ready_text`` is on the console once it takes commands, after ``prompt``. ``driver`` names what configures it,
    ``nic_model`` the data ports that it drives, ``accelerators`` what it can be run by in a virtual machine.
    """

    schema_version: Literal[1] = Field(alias="schema")
    name: str
    version: str
    build_id: str
    ready_text: str = Field(min_length=1)
    prompt: str = Field(min_length=1)
    max_exclusive_cores: int = Field(ge=1)
    driver: Literal["pix", "linux"]
    nic_model: str
    memory_mib_min: int = Field(ge=1)
    accelerators: tuple[Accelerator, ...] = Field(min_length=1)
    directory: Path

    @property
    def boot_files(self) -> tuple[ImageFile, ...]:
        """The files that the boot service must hand out, the first one first."""
        raise NotImplementedError

    @property
    def all_files(self) -> tuple[ImageFile, ...]:
        """Its files, whatever boots it."""
        return self.boot_files

    def for_firmware(self, firmware: Firmware) -> Self:
        """Return the image as servers with that firmware boot it: ``boot_files`` and ``digest`` are then of that.

        Raises:
            UsageError: such servers cannot boot it.

        """
        return self  # what is loaded by an iPXE script is the same for all

    @property
    def boot_script(self) -> str | None:
        """The iPXE script that has them loaded; None where the first file is itself what PXE loads and starts."""
        return None

    @property
    def polls(self) -> bool:
        """Whether its exclusive cores poll without a pause, so that nothing else may run on theirs."""
        return False

    @property
    def layout_name(self) -> str:
        """How memory that several cores write is laid out; empty for an image of which the lab does not know."""
        return ""

    @property
    def digest(self) -> str:
        """The SHA-256 of the image (see ``digest_of``)."""
        return digest_of((file.name, file.sha256) for file in self.boot_files)


class SharedStructure(Model):
    """One place where the layouts differ: memory that several cores write.

    Offsets and sizes are those of the built image. ``owner`` says who writes it.
    """

    model_config = ConfigDict(extra="allow")  # the simulator reads what it needs beyond these

    name: str
    offset_bytes: int
    size_bytes: int
    align_bytes: int
    element_stride_bytes: int
    count: int
    owner: str
    why: str


class SharedBlock(Model):
    """The block of memory that holds all shared structures: its symbol in the ELF, and its size."""

    symbol: str
    size_bytes: int


class PixManifest(Manifest):
    """PIX: one file that PXE loads, which itself tells the digest of what was loaded. ``elf`` has its symbols.

    ``file`` is what the manifest's reader boots: as read, the network bootstrap program for a BIOS, which UEFI servers
    have as the EFI application ``efi`` (see ``for_firmware``).
    """

    format: Literal["pxe-nbp"]
    layout: Literal["padded", "packed"]
    file: FileName
    size_bytes: int = Field(gt=0)
    sha256: Sha256
    efi: ImageFile | None = None
    elf: str
    shared_block: SharedBlock
    shared_structures: tuple[SharedStructure, ...]
    driver: Literal["pix"] = "pix"
    nic_model: str = "virtio-net"
    memory_mib_min: int = Field(default=128, ge=1)
    accelerators: tuple[Accelerator, ...] = ("kvm", "tcg-then-kvm", "tcg")

    @property
    def boot_files(self) -> tuple[ImageFile, ...]:
        """The one file."""
        return (ImageFile(name=self.file, size_bytes=self.size_bytes, sha256=self.sha256),)

    @property
    def all_files(self) -> tuple[ImageFile, ...]:
        """The one file for each firmware."""
        return (*self.boot_files, *([] if self.efi is None else [self.efi]))

    def for_firmware(self, firmware: Firmware) -> Self:
        """Return the image with its one file for that firmware."""
        if firmware == "bios":
            return self
        if self.efi is None:
            raise UsageError(
                f"image {self.name!r} has no EFI application, which firmware: uefi of the testbed needs: "
                "build the image anew, or set the server and the testbed to bios"
            )
        file = self.efi
        other = {"file": file.name, "size_bytes": file.size_bytes, "sha256": file.sha256}
        return self.model_copy(update={**other, "memory_mib_min": max(self.memory_mib_min, _UEFI_MEMORY_MIB)})

    @property
    def polls(self) -> bool:
        """Its queue group managers do."""
        return True

    @property
    def layout_name(self) -> str:
        """The layout of the build."""
        return self.layout

    @property
    def path(self) -> Path:
        """The image file."""
        return self.directory / self.file

    @property
    def elf_path(self) -> Path:
        """The image with its symbols."""
        return self.directory / self.elf


class IpxeBoot(Model):
    """Kernel, initrd and command line of a system in the Linux boot protocol, loaded by a PXE ROM that is iPXE."""

    method: Literal["ipxe"]
    kernel: FileName
    initrd: FileName
    command_line: Annotated[str, StringConstraints(pattern=r"^[ -~]*$")]


class LinuxManifest(Manifest):
    """An image that is not ours, which the lab cannot ask for the digest of what it was loaded from.

    That the running system is the one asked for is told by its build id: the group ``build_id`` of
    ``version_pattern``, found in what ``version_command`` prints; groups ``name`` and ``version`` may be there.
    """

    format: Literal["linux"]
    files: tuple[ImageFile, ...] = Field(min_length=1)
    boot: IpxeBoot
    version_command: str = Field(min_length=1)
    version_pattern: str

    @field_validator("version_pattern")
    @classmethod
    def _finds_a_build_id(cls, pattern: str) -> str:
        try:
            groups = re.compile(pattern).groupindex
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error
        if "build_id" not in groups:
            raise ValueError("it has no group (?P<build_id>...), by which the running system is told from others")
        return pattern

    @model_validator(mode="after")
    def _boots_its_own_files(self) -> LinuxManifest:
        names = [file.name for file in self.files]
        for key, name in (("kernel", self.boot.kernel), ("initrd", self.boot.initrd)):
            if name not in names:
                raise ValueError(f"boot.{key}: {name!r} is none of its files: {', '.join(names)}")
        if len(set(names)) != len(names) or SCRIPT_NAME in names:
            raise ValueError(f"files: each needs a name of its own, which is not {SCRIPT_NAME}")
        return self

    @property
    def boot_files(self) -> tuple[ImageFile, ...]:
        """All its files."""
        return self.files

    @property
    def boot_script(self) -> str:
        """A script (https://ipxe.org/scripting) that loads kernel and initrd from where it came itself."""
        boot = self.boot
        kernel = f"kernel {boot.kernel} initrd={boot.initrd} {boot.command_line}"
        return f"#!ipxe\n{kernel}\ninitrd {boot.initrd}\nboot\n"


AnyManifest = Annotated[PixManifest | LinuxManifest, Field(discriminator="format")]


def digest_of(files: Iterable[tuple[str, str]]) -> str:
    """Return one SHA-256 for files given by name and SHA-256: of a single file its own.

    Of several it is that of the list that sha256sum(1) prints of them, sorted by name.
    """
    listed = sorted(files)
    if len(listed) == 1:
        return listed[0][1]
    return hashlib.sha256("".join(f"{sha256}  {name}\n" for name, sha256 in listed).encode()).hexdigest()
