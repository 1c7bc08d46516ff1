"""TRex on this machine: the same start without SSH, on packet sockets in a namespace."""

from __future__ import annotations

import hashlib
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import paths
from lab.errors import UsageError
from lab.testbed import load
from lab.testbed.resources import TrexRelease
from lab.traffic import calibrate, calibration
from lab.traffic.trex_release import fetched

needs_engine = pytest.mark.skipif(
    os.geteuid() != 0 or not (paths.NATIVE / "vtrex-engine").exists(), reason="needs root and 'make native'"
)


@needs_engine
def test_a_generator_on_packet_sockets_is_calibrated_as_it_is_started_for_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIXLAB_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(calibrate, "CALIBRATION_TRIAL_S", 0.1)
    monkeypatch.setattr(calibration, "CEILING_TRIALS", 1)
    testbed = load("virtual-tap")
    measured = calibrate.calibrate(testbed, (512,), tmp_path / "calibration.log", print)
    assert measured is not None
    assert 0 < measured.sizes[0].ceiling_pps < 2 * 2.35e6  # line rate of two links of 10 Gb/s
    config = (tmp_path / "state" / "trex" / "virtual-tap-generator" / "trex_cfg.yaml").read_text()
    assert "'--vdev=net_af_packet1,iface=cal1,framecnt=4096,qdisc_bypass=0'" in config
    assert "low_end: true" in config and "dest_mac: 52:54:00:13:00:01" in config.replace("'", "")
    assert "vtrex ready" in (tmp_path / "generator.log").read_text()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "v3.08.tar.gz").write_bytes(b"a release")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(tmp_path / "served"))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()


def of(url: str, content: bytes = b"a release") -> TrexRelease:
    digest = hashlib.sha256(content).hexdigest()
    return TrexRelease(version="v3.08", folder="/opt/trex", tarball=url, sha256=digest)


def test_a_release_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.setenv("PIXLAB_STATE", str(tmp_path / "state"))
    first = fetched(of(f"{server}/v3.08.tar.gz"))
    assert first.read_bytes() == b"a release"
    (tmp_path / "served" / "v3.08.tar.gz").unlink()
    assert fetched(of(f"{server}/v3.08.tar.gz")) == first


def test_a_release_that_cannot_be_had_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.setenv("PIXLAB_STATE", str(tmp_path / "state"))
    with pytest.raises(UsageError, match=r"v9.tar.gz cannot be fetched: .*404.*: correct release.tarball"):
        fetched(of(f"{server}/v9.tar.gz"))
    with pytest.raises(UsageError, match=r"it is damaged or another one; nothing was unpacked"):
        fetched(of(f"{server}/v3.08.tar.gz", b"another"))
    with pytest.raises(UsageError, match=r"no such file or directory: correct release.tarball"):
        fetched(of(str(tmp_path / "none.tar.gz")))
    assert list((tmp_path / "state" / "releases").iterdir()) == []
