"""A whole run on the rack in a box, as a user starts it: it passes, nobody sees a secret, and nothing is left."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from lab import paths
from tests.commands import environment

LIMIT_S = 240.0


def secrets_of(folder: Path) -> set[bytes]:
    """Return the secrets of a box: the parts of its login behind the colon, and lines of its private keys."""
    found = {(folder / "bmc").read_bytes().strip().partition(b":")[2]}
    for key in (folder / "trex_key", *folder.glob("*host_key")):
        found |= {line for line in key.read_bytes().splitlines() if not line.startswith(b"-----")}
    return {secret for secret in found if secret}


def words_of_processes() -> bytes:
    """Return the command lines of all processes of this machine."""
    words = b""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words += file.read_bytes()
        except OSError:  # it has ended meanwhile
            continue
    return words


def test_it_passes_without_a_secret_in_sight_and_leaves_nothing(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "suites/boot/test_boot.py",
        "--testbed=rackbox",
        "-q",
        "-p",
        "no:faulthandler",
    ]
    runtime = tmp_path / "r"
    env = environment(tmp_path, PIXLAB_RUNTIME=runtime)
    secrets: set[bytes] = set()
    with (tmp_path / "said").open("wb") as said:
        run = subprocess.Popen(command, cwd=paths.ROOT, env=env, stdout=said, stderr=said)
        end_s = time.monotonic() + LIMIT_S
        seen = b""
        while run.poll() is None:
            assert time.monotonic() < end_s, (tmp_path / "said").read_text()
            for folder in runtime.glob("rackbox-*"):
                if not secrets and (folder / "trex_key").exists() and (folder / "bmc").exists():
                    secrets = secrets_of(folder)
            words = words_of_processes()
            assert not [secret for secret in secrets if secret in words], "a secret is in a command line"
            seen = words if b"qemu-system" in words and b"sshd" in words else seen
            time.sleep(0.05)
    told = (tmp_path / "said").read_bytes()
    assert run.returncode == 0, told.decode()
    assert len(secrets) > 3
    assert b"ipmi_sim" in seen, "the controller was looked for in vain"
    reports = [file for file in (tmp_path / "reports").rglob("*") if file.is_file()]
    assert {"console.log", "netboot.log", "index.html", "journal.jsonl"} <= {file.name for file in reports}
    for file in reports:
        content = file.read_bytes()
        assert not [secret for secret in secrets if secret in content], f"a secret is in {file.name}"
    assert not [secret for secret in secrets if secret in told]
    assert not list(runtime.glob("rackbox-*"))
    assert str(runtime).encode() not in words_of_processes()
