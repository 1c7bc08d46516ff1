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


def only(monkeypatch: pytest.MonkeyPatch, *available: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(available))


def test_polling_loops_have_cores_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, 2, 3, 5, 7)
    plan = cores.plan(2)
    assert (plan.housekeeping, plan.generator, plan.exclusive) == (2, 3, (5, 7))
    assert not plan.sharing
    assert cores.plan(3).exclusive == (3, 5, 7)


def test_too_many_polling_loops_take_turns_and_the_plan_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, 0, 1, 2)
    plan = cores.plan(5)
    assert (plan.housekeeping, plan.generator, plan.exclusive) == (0, 0, (1, 2, 1, 2, 1))
    assert plan.sharing == "5 exclusive cores and the generator share the 3 of this host"
    only(monkeypatch, 4)
    assert cores.plan(2).exclusive == (4, 4)


def test_without_a_generator_every_core_may_be_exclusive(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, 0, 1)
    assert cores.plan_without_generator(2).exclusive == (0, 1)
    with pytest.raises(UsageError, match="3 exclusive cores are asked for, but this host has 2"):
        cores.plan_without_generator(3)


def found(accelerator: host.Accelerator) -> host.AcceleratorPlan:
    return host.AcceleratorPlan(accelerator=accelerator, reason="ring 0 is slow", qemu_version="7.2")


def test_shared_cores_are_emulated_unless_asked_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "plan", lambda: found("tcg-then-kvm"))
    everything: tuple[host.Accelerator, ...] = ("kvm", "tcg-then-kvm", "tcg")
    assert host.plan_for("pix", everything, "").accelerator == "tcg-then-kvm"
    shared = host.plan_for("pix", everything, "9 share 2")
    assert (shared.accelerator, shared.reason) == ("tcg", "9 share 2")
    monkeypatch.setenv("PIXLAB_ACCELERATOR", "tcg-then-kvm")
    assert host.plan_for("pix", everything, "9 share 2").accelerator == "tcg-then-kvm"


def test_an_image_is_run_by_what_it_takes_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "plan", lambda: found("tcg-then-kvm"))
    kvm_only: tuple[host.Accelerator, ...] = ("kvm",)
    plan = host.plan_for("debian", ("kvm", "tcg"), "")
    assert plan.accelerator == "tcg"
    assert "debian runs by kvm or tcg only; of this host: ring 0 is slow" in plan.reason
    with pytest.raises(UsageError, match="debian runs by kvm only, and here it would by tcg-then-kvm"):
        host.plan_for("debian", kvm_only, "")
    monkeypatch.setenv("PIXLAB_ACCELERATOR", "tcg-then-kvm")
    with pytest.raises(UsageError, match="ask for another one"):
        host.plan_for("debian", ("kvm", "tcg"), "")
