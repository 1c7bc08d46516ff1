"""The EFI application as a loader of PE files sees it: what it lays into memory is the file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pefile
import pytest

from tests.image.test_build import VARIANTS, manifest


@pytest.mark.parametrize("layout", VARIANTS)
def test_the_manifest_names_it_and_it_carries_the_file_for_a_bios(built: Path, layout: str) -> None:
    described = manifest(built, layout)
    efi = (built / described["efi"]["name"]).read_bytes()
    assert described["efi"]["size_bytes"] == len(efi)
    assert described["efi"]["sha256"] == hashlib.sha256(efi).hexdigest() != described["sha256"]
    assert efi.count((built / described["file"]).read_bytes()) == 1


@pytest.mark.parametrize("layout", VARIANTS)
def test_sections_lie_in_memory_as_in_the_file(built: Path, layout: str) -> None:
    path = built / manifest(built, layout)["efi"]["name"]
    loaded = pefile.PE(str(path), fast_load=False)
    assert loaded.get_warnings() == []
    optional = loaded.OPTIONAL_HEADER
    assert loaded.FILE_HEADER.Machine == pefile.MACHINE_TYPE["IMAGE_FILE_MACHINE_AMD64"]
    assert optional.Subsystem == pefile.SUBSYSTEM_TYPE["IMAGE_SUBSYSTEM_EFI_APPLICATION"]
    assert optional.SizeOfImage == path.stat().st_size
    assert loaded.get_memory_mapped_image() == path.read_bytes(), "the digest is that of what lies in memory"


@pytest.mark.parametrize("layout", VARIANTS)
def test_nothing_is_relocated_and_nothing_is_both_code_and_writable(built: Path, layout: str) -> None:
    loaded = pefile.PE(str(built / manifest(built, layout)["efi"]["name"]))
    assert not loaded.FILE_HEADER.IMAGE_FILE_RELOCS_STRIPPED, "it may be loaded anywhere"
    assert all(directory.Size == 0 for directory in loaded.OPTIONAL_HEADER.DATA_DIRECTORY)
    assert loaded.OPTIONAL_HEADER.ImageBase == 0, "what the application puts back"
    code, data = loaded.sections
    entry = loaded.OPTIONAL_HEADER.AddressOfEntryPoint
    assert code.VirtualAddress <= entry < code.VirtualAddress + code.Misc_VirtualSize
    assert code.IMAGE_SCN_MEM_EXECUTE and not code.IMAGE_SCN_MEM_WRITE
    assert not data.IMAGE_SCN_MEM_EXECUTE and not data.IMAGE_SCN_MEM_WRITE
