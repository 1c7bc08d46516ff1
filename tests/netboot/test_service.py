"""The boot service answers one machine only, in a network without a way out, and says how far a boot came."""

import os
import subprocess
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.netboot.network import TAP, BootNetwork
from lab.netboot.service import BootService

MAC = "52:54:00:78:00:ff"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace: needs root")


def inside(network: BootNetwork, *command: str) -> str:
    return subprocess.run(network.enter(command), capture_output=True, text=True, check=True).stdout


@needs_root
def test_network_has_no_way_out_and_disappears() -> None:
    with BootNetwork() as network:
        links = inside(network, "ip", "-oneline", "link").splitlines()
        assert [line.split(": ")[1] for line in links] == ["lo", TAP]
        assert "default" not in inside(network, "ip", "route")
        assert inside(network, "readlink", "/proc/self/ns/net").strip() != str(Path("/proc/self/ns/net").readlink())
    assert not Path(f"/sys/class/net/{TAP}").exists()
    with pytest.raises(subprocess.CalledProcessError):
        inside(network, "true")


@needs_root
def test_diagnosis_of_a_machine_that_never_asked(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(b"some bytes")
    (tmp_path / "served").mkdir()
    log = tmp_path / "netboot.log"
    with (
        BootNetwork() as network,
        BootService(network.place, {"image": image, "note": "hello"}, MAC, tmp_path / "served", log) as service,
    ):
        assert f"no DHCP request came from {MAC}" in service.diagnosis()
        record = service.record()
        assert [(file.name, file.size_bytes, file.sent_at_s) for file in record.files] == [
            ("image", 10, None),
            ("note", 5, None),
        ]
        assert (record.sent, record.sent_at_s) == ((), None)
        image.write_bytes(b"changed while served")
        assert service.record() == record, "the copy is served, not the file that may change"
    assert "TFTP root" in log.read_text(encoding="utf-8")


def test_without_root_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="needs root"):
        BootNetwork()
