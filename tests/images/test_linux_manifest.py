"""The manifest of an image that is not ours: what it makes of files and boot, and every way to get it wrong."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from lab import images
from lab.errors import LabError, UsageError

FILES = {"vmlinuz": b"kernel", "initrd.gz": b"first files"}


def described(name: str) -> dict[str, Any]:
    data = FILES[name]
    return {"name": name, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def manifest(**changes: Any) -> dict[str, Any]:
    whole = {
        "schema": 1,
        "format": "linux",
        "name": "other",
        "version": "1.0",
        "build_id": "b1",
        "files": [described(name) for name in FILES],
        "boot": {"method": "ipxe", "kernel": "vmlinuz", "initrd": "initrd.gz", "command_line": "quiet"},
        "driver": "linux",
        "nic_model": "virtio-net",
        "memory_mib_min": 256,
        "max_exclusive_cores": 1,
        "accelerators": ["tcg"],
        "ready_text": "ready",
        "prompt": "# ",
        "version_command": "uname -v",
        "version_pattern": "(?P<build_id>b[0-9])",
    }
    return {key: value for key, value in {**whole, **changes}.items() if value is not None}


def put(directory: Path, **changes: Any) -> Path:
    for name, data in FILES.items():
        (directory / name).write_bytes(data)
    (directory / "other.manifest.json").write_text(json.dumps(manifest(**changes)), encoding="utf-8")
    return directory


def refused(directory: Path) -> str:
    with pytest.raises(UsageError) as caught:
        images.find("other", directory)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_kernel_and_initrd_are_loaded_by_a_script(tmp_path: Path) -> None:
    found = images.find("other", put(tmp_path))
    assert [file.name for file in found.boot_files] == ["vmlinuz", "initrd.gz"]
    script = found.boot_script
    assert script is not None
    assert script.splitlines() == ["#!ipxe", "kernel vmlinuz initrd=initrd.gz quiet", "initrd initrd.gz", "boot"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": "linus"}, "format: 'linus' is none: did you mean 'linux'?"),
        ({"format": None}, "format: 'None' is none: there are: linux, pxe-nbp"),
        ({"prompt": None}, "prompt: field required"),
        ({"colour": "blue"}, "colour"),
        ({"files": []}, "files"),
        ({"files": [described("vmlinuz")]}, "boot.initrd: 'initrd.gz' is none of its files: vmlinuz"),
        ({"files": [*map(described, FILES), described("vmlinuz")]}, "each needs a name of its own"),
        ({"files": [{**described("vmlinuz"), "name": "../vmlinuz"}]}, "files.0.name"),
        ({"boot": {**manifest()["boot"], "method": "grub"}}, "boot.method"),
        ({"boot": {**manifest()["boot"], "command_line": "a\nreboot"}}, "boot.command_line"),
        ({"version_pattern": "(b"}, "version_pattern: no regular expression"),
        ({"version_pattern": "b1"}, "version_pattern: it has no group (?P<build_id>...)"),
        ({"accelerators": ["xen"]}, "accelerators.0"),
        ({"driver": "cisco"}, "driver"),
        ({"memory_mib_min": 0}, "memory_mib_min"),
    ],
)
def test_wrong_manifest(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    message = refused(put(tmp_path, **changes))
    assert f"other.manifest.json: {said}" in message or said in message
    assert "docs/images.md" in message


def test_each_file_is_checked(tmp_path: Path) -> None:
    put(tmp_path)
    (tmp_path / "initrd.gz").write_bytes(b"other files")
    assert "initrd.gz has the SHA-256" in refused(tmp_path)
    (tmp_path / "initrd.gz").unlink()
    assert "initrd.gz is missing" in refused(tmp_path)


def test_image_that_is_built_on_demand_says_how(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "build.py").write_text("import sys; sys.exit('no network')", encoding="utf-8")
    assert "run 'pixlab image build other'" in refused(tmp_path)
    images.build(tmp_path)  # does not touch it
    with pytest.raises(LabError, match=r"other cannot be built: no network: run 'python3 .*build\.py'"):
        images.build_named("other", tmp_path)
    with pytest.raises(UsageError, match="did you mean 'other'"):
        images.build_named("othr", tmp_path)
