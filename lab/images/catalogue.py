"""The images that there are: their manifests read, and their files checked against them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from lab import paths
from lab.errors import UsageError, near_misses
from lab.images.manifest import AnyManifest, ImageFile, Manifest

SUFFIX = ".manifest.json"
BUILDER = "build.py"
"""Builds an image that is not built of sources alone: it may need the network, so it runs only when it is asked to."""

_READER: TypeAdapter[AnyManifest] = TypeAdapter(AnyManifest)
_FORMATS = ("linux", "pxe-nbp")


def find(name: str, directory: Path = paths.FIRMWARE_IMAGES) -> Manifest:
    """Return the image of a name, its files checked against the manifest.

    Args:
        name: as in the manifest, for example ``pix-padded``.
        directory: the folder firmware-images.

    Raises:
        UsageError: there is none, its manifest is wrong, or a file of it is missing or another one.

    """
    files = _files(directory)
    if name not in files:
        if (directory / name / BUILDER).exists():
            raise UsageError(f"the image {name!r} is not built yet: run 'pixlab image build {name}'")
        raise UsageError(f"unknown image {name!r} in {shown(directory)}: {near_misses(name, files)}")
    manifest = _read(files[name])
    for file in manifest.all_files:
        _check_file(manifest, file)
    return manifest


def all_manifests(directory: Path = paths.FIRMWARE_IMAGES) -> tuple[Manifest, ...]:
    """Return the images that there are, by name, their files unchecked; UsageError when a manifest is wrong."""
    return tuple(_read(path) for _, path in sorted(_files(directory).items()))


def shown(path: Path) -> str:
    """Show a path from the top of the checkout, where it lies in it."""
    return str(path.relative_to(paths.ROOT)) if path.is_relative_to(paths.ROOT) else str(path)


def _files(directory: Path) -> dict[str, Path]:
    found = [*directory.glob(f"*{SUFFIX}"), *directory.glob(f"*/build/*{SUFFIX}")]
    return {path.name.removesuffix(SUFFIX): path for path in found}


def _read(path: Path) -> Manifest:
    remedy = "build the image anew, or correct it (docs/images.md)"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, dict):
            raise ValueError("not a JSON object")
        told = str(data.get("format"))
        if told not in _FORMATS:
            raise UsageError(f"{shown(path)}: format: {told!r} is none: {near_misses(told, _FORMATS)}: {remedy}")
        manifest = _READER.validate_python({**data, "directory": path.parent})
    except ValidationError as error:
        raise UsageError(f"{shown(path)}: {_complaint(error)}: {remedy}") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{shown(path)}: not a manifest: {error}: {remedy}") from error
    if manifest.name != path.name.removesuffix(SUFFIX):
        raise UsageError(f"{shown(path)}: name: it says {manifest.name!r}, unlike its file: rename one of them")
    return manifest


def _complaint(error: ValidationError) -> str:
    """Return place and text of the first thing that is wrong."""
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    place = ".".join(str(part) for part in first["loc"][1:])  # the first part is the format, told by the file
    words = str(cause) if cause is not None else str(first["msg"]).lower()
    return f"{place}: {words}" if place else words


def _check_file(manifest: Manifest, wanted: ImageFile) -> None:
    """The file is there, whole, and the one that was built with the manifest."""
    path = manifest.directory / wanted.name
    file, remedy = shown(path), "build the image anew or fetch it again"
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"image {manifest.name!r}: its file {file} is missing: {reason}: {remedy}") from error
    if len(data) != wanted.size_bytes:
        raise UsageError(
            f"image {manifest.name!r}: its file {file} has {len(data)} bytes and not {wanted.size_bytes} as its "
            f"manifest says: it is truncated or another one: {remedy}"
        )
    digest = hashlib.sha256(data).hexdigest()
    if digest != wanted.sha256:
        raise UsageError(
            f"image {manifest.name!r}: its file {file} has the SHA-256 {digest[:16]}... and not "
            f"{wanted.sha256[:16]}... as its manifest says: {remedy}"
        )
