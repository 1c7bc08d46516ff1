"""Every image that cannot be booted as asked is refused in one line."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from lab import images
from lab.errors import UsageError

DATA = b"\xfa\xf4" * 50


def manifest(**changes: Any) -> dict[str, Any]:
    structure = {
        "name": "rx_packets",
        "offset_bytes": 0,
        "size_bytes": 8,
        "align_bytes": 8,
        "element_stride_bytes": 128,
        "count": 8,
        "owner": "core",
        "why": "received frames",
    }
    return {
        "schema": 1,
        "name": "tiny-padded",
        "version": "0.1.0",
        "layout": "padded",
        "format": "pxe-nbp",
        "file": "tiny-padded",
        "size_bytes": len(DATA),
        "sha256": hashlib.sha256(DATA).hexdigest(),
        "build_id": "abc",
        "elf": "tiny-padded.elf",
        "ready_text": "pix ready",
        "prompt": "pix> ",
        "max_exclusive_cores": 1,
        "shared_block": {"symbol": "shared", "size_bytes": 1024},
        "shared_structures": [structure],
        **changes,
    }


def put(directory: Path, **changes: Any) -> Path:
    build = directory / "tiny" / "build"
    build.mkdir(parents=True, exist_ok=True)
    (build / "tiny-padded").write_bytes(DATA)
    file = build / "tiny-padded.manifest.json"
    file.write_text(json.dumps(manifest(**changes)), encoding="utf-8")
    return build


def refused(directory: Path, name: str = "tiny-padded") -> str:
    with pytest.raises(UsageError) as caught:
        images.find(name, directory)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_built_and_fetched_images_are_found(tmp_path: Path) -> None:
    build = put(tmp_path)
    found = images.find("tiny-padded", tmp_path)
    assert isinstance(found, images.PixManifest)
    assert found.path == build / "tiny-padded"
    assert found.shared_structures[0].element_stride_bytes == 128
    (tmp_path / "fetched.manifest.json").write_text(json.dumps(manifest(name="fetched")), encoding="utf-8")
    assert [each.name for each in images.all_manifests(tmp_path)] == ["fetched", "tiny-padded"]


def test_unknown_image_names_the_near_miss(tmp_path: Path) -> None:
    put(tmp_path)
    assert "did you mean 'tiny-padded'?" in refused(tmp_path, "tiny-paded")


def test_missing_file(tmp_path: Path) -> None:
    (put(tmp_path) / "tiny-padded").unlink()
    assert "is missing" in refused(tmp_path)


def test_truncated_file(tmp_path: Path) -> None:
    (put(tmp_path) / "tiny-padded").write_bytes(DATA[:-1])
    assert "has 99 bytes and not 100" in refused(tmp_path)


def test_other_file_of_the_same_size(tmp_path: Path) -> None:
    (put(tmp_path) / "tiny-padded").write_bytes(DATA[::-1])
    assert "SHA-256" in refused(tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema": 2}, "schema"),
        ({"layout": "tight"}, "layout"),
        ({"sha256": "abc"}, "sha256"),
        ({"colour": "blue"}, "colour"),
        ({"name": "other"}, "unlike its file"),
    ],
)
def test_wrong_manifest(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    put(tmp_path, **changes)
    assert said in refused(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "\xff"])
def test_no_manifest_at_all(tmp_path: Path, text: str) -> None:
    (put(tmp_path) / "tiny-padded.manifest.json").write_text(text, encoding="latin-1")
    assert "not a manifest" in refused(tmp_path)


def test_an_image_has_a_file_for_each_firmware_or_says_that_it_has_not(tmp_path: Path) -> None:
    build = put(tmp_path)
    with pytest.raises(UsageError, match=r"'tiny-padded' has no EFI application, which firmware: uefi"):
        images.find("tiny-padded", tmp_path).for_firmware("uefi")
    efi = {"name": "tiny.efi", "size_bytes": 3, "sha256": hashlib.sha256(b"EFI").hexdigest()}
    put(tmp_path, efi=efi)
    assert "tiny.efi is missing" in refused(tmp_path)
    (build / "tiny.efi").write_bytes(b"EFI")
    found = images.find("tiny-padded", tmp_path)
    assert [file.name for file in found.for_firmware("bios").boot_files] == ["tiny-padded"]
    uefi = found.for_firmware("uefi")
    assert ([file.name for file in uefi.boot_files], uefi.digest) == (["tiny.efi"], efi["sha256"])
    assert uefi.name == found.name
