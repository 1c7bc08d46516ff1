"""Files on a boot server that is there: real sshd, real dnsmasq with a log, and iPXE that follows its bootstrap."""

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.netboot import open_source
from lab.netboot.boot_server import PlacedFiles
from lab.testbed.boots import BootServer
from tests.machines.sshd import Sshd
from tests.netboot.boot_net import MAC, OTHER, boot_net

BOOTSTRAP = "#!ipxe\nchain by-mac/${netX/mac:hexhyp}.ipxe || exit\n"
IMAGE = b"\xf4\xeb\xfd" * 30_000  # hlt; jmp: it starts and does nothing
STEM = "by-mac/52-54-00-78-00-ff"


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with Sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of the boot server; ``image`` is beside it."""
    (tmp_path / "image").write_bytes(IMAGE)
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "boot.ipxe").write_text(BOOTSTRAP)
    return tmp_path / "served"


def place(sshd: Sshd, folder: Path, **values: object) -> PlacedFiles:
    boot = BootServer.model_validate(
        {
            "driver": "boot-server",
            "ssh": sshd.access(),
            "mac": MAC,
            "directory": str(folder),
            "url": f"tftp://{OTHER}",
            **values,
        }
    )
    files: dict[str, Path | str] = {"image": folder.parent / "image", "image.routes": "192.0.2.0/24"}
    source = open_source(boot, files, folder.parent, folder.parent / "log")
    assert isinstance(source, PlacedFiles)
    return source


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_is_placed_is_known_by_its_digest_and_taken_away(sshd: Sshd, folder: Path) -> None:
    with place(sshd, folder) as source:
        record = source.record()
        assert record.delivered[0].sha256 == hashlib.sha256(IMAGE).hexdigest()
        assert (record.sent, record.sent_at_s, record.files[0].sent) == ((), None, None)
        assert "name a log of that boot server" in source.diagnosis()
        (folder / f"{STEM}.pixlab" / "image").write_bytes(b"another")
        assert source.record().files[0].sha256 == hashlib.sha256(b"another").hexdigest(), "as it lies there now"
    assert left(folder) == ["boot.ipxe"]


def test_entry_of_a_killed_run_is_replaced_and_a_stranger_s_is_not(sshd: Sshd, folder: Path) -> None:
    place(sshd, folder)  # and never closed
    (folder / f"{STEM}.pixlab" / "old").write_text("left behind")
    place(sshd, folder).close()
    assert left(folder) == ["boot.ipxe"]
    (folder / f"{STEM}.ipxe").write_text("#!ipxe\nsanboot --drive 0x80\n")
    with pytest.raises(LabError, match="is there and was not written by the lab: move it away"):
        place(sshd, folder)
    assert left(folder) == ["boot.ipxe", f"{STEM}.ipxe"]


def test_log_that_is_not_there_is_one_line(sshd: Sshd, folder: Path) -> None:
    with pytest.raises(LabError, match=r"stat.*No such file") as caught:
        place(sshd, folder, log="/absent/log")
    assert "\n" not in str(caught.value)


def test_access_log_of_an_http_server(sshd: Sshd, folder: Path) -> None:
    log = folder.parent / "access.log"
    line = f'192.0.2.7 - - [x] "GET /pix/{STEM}.pixlab/image HTTP/1.1" 200 90000 "-" "iPXE/1.0"\n'
    log.write_text(line)
    with place(sshd, folder, log=str(log), url="http://192.0.2.2/pix") as source:
        assert f"chain http://192.0.2.2/pix/{STEM}.pixlab/image" in (folder / f"{STEM}.ipxe").read_text()
        assert "tells of no request" in source.diagnosis(), "what was there before does not count"
        with log.open("a") as lines:
            lines.write(line)
        assert [file.name for file in source.record().delivered] == ["image"]


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace: needs root")
def test_machine_follows_its_entry(sshd: Sshd, folder: Path) -> None:
    log = folder.parent / "dnsmasq.log"
    options = ("--log-dhcp", "--enable-tftp", f"--tftp-root={folder}", "--dhcp-boot=boot.ipxe")
    log.touch()
    with (
        boot_net() as net,
        net.existing_dhcp(*options, log=log),
        place(sshd, folder, log=str(log)) as source,
        net.machine(folder.parent),
    ):
        end_s = time.monotonic() + 30.0
        while f"{STEM}.pixlab/image to" not in log.read_text():
            assert time.monotonic() < end_s, log.read_text()
            time.sleep(0.05)
        assert source.diagnosis().startswith(f"image was sent to {MAC} in full")
        record = source.record()
        assert record.ip.startswith("192.0.2.1")
        assert [(file.name, file.sent) for file in record.files] == [("image", True), ("image.routes", False)]
