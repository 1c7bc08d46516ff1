"""The manifest of an image: what its build says about it, checked against the file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, ValidationError

from lab import paths
from lab.errors import UsageError, near_misses
from lab.models import Model

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_SUFFIX = ".manifest.json"


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


class Manifest(Model):
    """An image that can be booted. ``directory`` is where its manifest lies; ``file`` and ``elf`` lie beside it.

    ``ready_text`` is on the console once it takes commands, after ``prompt``.
    """

    schema_version: Literal[1] = Field(alias="schema")
    name: str
    version: str
    layout: Literal["padded", "packed"]
    format: Literal["pxe-nbp"]
    file: str
    size_bytes: int = Field(gt=0)
    sha256: Sha256
    build_id: str
    elf: str
    ready_text: str
    prompt: str
    max_exclusive_cores: int = Field(ge=1)
    shared_block: SharedBlock
    shared_structures: tuple[SharedStructure, ...]
    directory: Path

    @property
    def path(self) -> Path:
        """The image file."""
        return self.directory / self.file

    @property
    def elf_path(self) -> Path:
        """The image with its symbols."""
        return self.directory / self.elf


def find(name: str, directory: Path = paths.FIRMWARE_IMAGES) -> Manifest:
    """Return the image of a name, its file checked against the manifest.

    Args:
        name: as in the manifest, for example ``pix-padded``.
        directory: the folder firmware-images.

    Raises:
        UsageError: there is none, its manifest is wrong, or its file is missing or another one.

    """
    files = _files(directory)
    if name not in files:
        raise UsageError(f"unknown image {name!r} in {shown(directory)}: {near_misses(name, files)}")
    manifest = _read(files[name])
    _check_file(manifest)
    return manifest


def all_manifests(directory: Path = paths.FIRMWARE_IMAGES) -> tuple[Manifest, ...]:
    """Return the images that there are, by name, their files unchecked; UsageError when a manifest is wrong."""
    return tuple(_read(path) for _, path in sorted(_files(directory).items()))


def shown(path: Path) -> str:
    """Show a path from the top of the checkout, where it lies in it."""
    return str(path.relative_to(paths.ROOT)) if path.is_relative_to(paths.ROOT) else str(path)


def _files(directory: Path) -> dict[str, Path]:
    found = [*directory.glob(f"*{_SUFFIX}"), *directory.glob(f"*/build/*{_SUFFIX}")]
    return {path.name.removesuffix(_SUFFIX): path for path in found}


def _read(path: Path) -> Manifest:
    remedy = "build the image anew with 'make -C firmware-images/pix'"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, dict):
            raise ValueError("not a JSON object")
        manifest = Manifest.model_validate({**data, "directory": path.parent})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{shown(path)}: {place}: {first['msg'].lower()}: {remedy}") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{shown(path)}: not a manifest: {error}: {remedy}") from error
    if manifest.name != path.name.removesuffix(_SUFFIX):
        raise UsageError(f"{shown(path)}: name: it says {manifest.name!r}, unlike its file: rename one of them")
    return manifest


def _check_file(manifest: Manifest) -> None:
    """The file is there, whole, and the one that was built with the manifest."""
    file, remedy = shown(manifest.path), "build the image anew or fetch it again"
    try:
        data = manifest.path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"image {manifest.name!r}: its file {file} is missing: {reason}: {remedy}") from error
    if len(data) != manifest.size_bytes:
        raise UsageError(
            f"image {manifest.name!r}: its file {file} has {len(data)} bytes and not {manifest.size_bytes} as its "
            f"manifest says: it is truncated or another one: {remedy}"
        )
    digest = hashlib.sha256(data).hexdigest()
    if digest != manifest.sha256:
        raise UsageError(
            f"image {manifest.name!r}: its file {file} has the SHA-256 {digest[:16]}... and not "
            f"{manifest.sha256[:16]}... as its manifest says: {remedy}"
        )
