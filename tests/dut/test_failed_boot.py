"""A boot that goes wrong stops with one line that says how far it came."""

import hashlib
import os
from pathlib import Path

import pytest

from lab import images
from lab.dut.deploy import deploy
from lab.errors import DutError, ImageMismatch, UsageError
from lab.images import PixManifest
from lab.testbed import load

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace: needs root")

# mov al, FEh; out 64h, al; hlt: a boot program that resets the machine by the keyboard controller.
RESETTING = bytes.fromhex("b0 fe e6 64 f4 eb fd")


@pytest.fixture
def image(monkeypatch: pytest.MonkeyPatch) -> PixManifest:
    monkeypatch.setenv("PIXLAB_ACCELERATOR", "tcg")
    images.build()
    found = images.find("pix-padded")
    assert isinstance(found, PixManifest)
    return found


def failed(image: PixManifest, run_dir: Path, sockets: list[Path] | None = None) -> None:
    with deploy(load("virtual"), image, vhost_sockets=sockets or [], run_dir=run_dir, progress=lambda step: None):
        pytest.fail("it was deployed")


def test_other_image_than_asked_for_stops_the_run(image: PixManifest, tmp_path: Path) -> None:
    with pytest.raises(ImageMismatch, match="the asked one differs"):
        failed(image.model_copy(update={"sha256": "0" * 64}), tmp_path)


def test_image_that_resets_the_machine(image: PixManifest, tmp_path: Path) -> None:
    (tmp_path / image.file).write_bytes(RESETTING)
    digest = hashlib.sha256(RESETTING).hexdigest()
    wrong = image.model_copy(update={"directory": tmp_path, "sha256": digest, "size_bytes": len(RESETTING)})
    with pytest.raises(DutError, match=r"pix-padded was sent to .* in full; .*QEMU ended with code 0") as caught:
        failed(wrong, tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"memory_mib_min": 4096}, "the machine has 512 MiB, but the image needs 4096: raise"),
        ({"nic_model": "e1000"}, "port p0 is a virtio-net, but the image drives e1000: change"),
        ({"accelerators": ("kvm",)}, "pix-padded runs by kvm only"),
    ],
)
def test_machine_that_does_not_fit_the_image(
    image: PixManifest, tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        failed(image.model_copy(update=changes), tmp_path)


def test_other_build_than_asked_for_stops_the_run(image: PixManifest, tmp_path: Path) -> None:
    with pytest.raises(ImageMismatch, match=r"it tells the build id '.+', and its manifest 'other'"):
        failed(image.model_copy(update={"build_id": "other"}), tmp_path)


def test_sockets_that_do_not_fit_the_ports(image: PixManifest, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="1 vhost-user sockets for 2 data ports"):
        failed(image, tmp_path, [tmp_path / "v0"])


def test_more_exclusive_cores_than_the_image_takes(image: PixManifest, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="takes at most 0"):
        failed(image.model_copy(update={"max_exclusive_cores": 0}), tmp_path)
