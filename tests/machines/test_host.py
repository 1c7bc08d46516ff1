"""The host is probed once, the finding is kept, and it can be overridden."""

import os
from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.machines import cores, host, probe_rom


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIXLAB_STATE", str(tmp_path))
    monkeypatch.delenv("PIXLAB_ACCELERATOR", raising=False)
    return tmp_path


def test_probe_says_what_it_saw_and_why() -> None:
    found = host.probe(host.qemu_version())
    if not Path("/dev/kvm").exists():
        assert found.accelerator == "tcg"
        assert "no KVM" in found.reason
    elif found.ring0_instructions_per_s is not None:
        assert found.accelerator in ("kvm", "tcg-then-kvm")
        assert "million instructions a second" in found.reason
    else:
        assert found.accelerator == "tcg"


def test_finding_is_kept_for_this_boot_of_the_host(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = host.plan()
    monkeypatch.setattr(host, "probe", lambda version: pytest.fail("probed again"))
    assert host.plan() == first
    (state / "host-probe.json").write_text("{}", encoding="utf-8")
    with pytest.raises(pytest.fail.Exception):
        host.plan()


def test_override(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXLAB_ACCELERATOR", "tcg")
    assert host.plan().accelerator == "tcg"
    assert host.plan().reason == "set by PIXLAB_ACCELERATOR"
    monkeypatch.setenv("PIXLAB_ACCELERATOR", "kmv")
    with pytest.raises(UsageError, match="did you mean 'kvm'"):
        host.plan()


def test_probe_firmware_begins_at_the_reset_vector() -> None:
    rom = probe_rom.build()
    assert len(rom) == 0x10000
    assert rom[0xFFF0] == 0xE9
    target = (0xFFF3 + int.from_bytes(rom[0xFFF1:0xFFF3], "little", signed=True)) & 0xFFFF
    assert rom[target] == 0xFA


def test_polling_loops_never_share_a_core() -> None:
    plan = cores.plan(1)
    assert plan.generator not in plan.exclusive
    assert plan.housekeeping not in plan.exclusive
    available = len(os.sched_getaffinity(0))
    with pytest.raises(UsageError, match=f"this host has {available}"):
        cores.plan(available)
