"""What this host can do for a virtual machine, found out once a boot of the host."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Collection
from pathlib import Path
from typing import Literal, get_args

from pydantic import ValidationError

from lab import paths
from lab.errors import LabError, UsageError, near_misses
from lab.machines import probe_rom
from lab.machines.deadline import Deadline
from lab.models import Model
from lab.process import dying_with_parent

Accelerator = Literal["kvm", "tcg-then-kvm", "tcg"]
QEMU = "qemu-system-x86_64"

# A PXE boot takes some 10^8 instructions in ring 0 before the image runs; below this rate that is minutes.
_FAST_INSTRUCTIONS_PER_S = 50e6
_PROBE_LIMIT_S = 10.0


class AcceleratorPlan(Model):
    """How to run the virtual machine, and why, in words for the record of a run.

    ``kvm``: all of it; ``tcg-then-kvm``: booted by the emulator and handed over; ``tcg``: all of it emulated.
    ``ring0_instructions_per_s`` is what the probe measured under KVM (a lower bound on a fast host), None without KVM.
    """

    accelerator: Accelerator
    reason: str
    qemu_version: str
    ring0_instructions_per_s: float | None = None


class _NoAnswer(LabError):
    """The probe's guest neither answered in time nor ended."""


class _Cached(Model):
    key: str
    plan: AcceleratorPlan


def plan() -> AcceleratorPlan:
    """Return how virtual machines run on this host; the environment variable PIXLAB_ACCELERATOR overrides the probe.

    Raises:
        UsageError: PIXLAB_ACCELERATOR names no accelerator.
        LabError: QEMU is not installed.

    """
    version = qemu_version()
    asked = os.environ.get("PIXLAB_ACCELERATOR")
    if asked:
        for accelerator in get_args(Accelerator):
            if asked == accelerator:
                return AcceleratorPlan(
                    accelerator=accelerator, reason="set by PIXLAB_ACCELERATOR", qemu_version=version
                )
        raise UsageError(f"PIXLAB_ACCELERATOR={asked!r} is unknown: {near_misses(asked, get_args(Accelerator))}")
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    key, file = f"{boot_id} {version} {_kvm_problem()}", paths.state_dir() / "host-probe.json"
    try:
        cached = _Cached.model_validate_json(file.read_text(encoding="utf-8"))
        if cached.key == key:
            return cached.plan
    except (OSError, ValidationError):
        pass  # never probed, or by another version of the lab
    fresh = probe(version)
    if fresh.ring0_instructions_per_s is None and not _kvm_problem():
        return fresh  # there is KVM and the probe failed this once: ask again at the next run
    temporary = file.with_suffix(f".{os.getpid()}")
    temporary.write_text(_Cached(key=key, plan=fresh).model_dump_json(indent=1), encoding="utf-8")
    temporary.replace(file)
    return fresh


def plan_for(what: str, accelerators: Collection[Accelerator], sharing: str) -> AcceleratorPlan:
    """Return how one machine runs on this host: as ``plan`` says, or by the emulator where that does not fit.

    Args:
        what: the image, for the message.
        accelerators: those that it can be run by.
        sharing: why its exclusive vCPUs share host cores (CorePlan.sharing); empty when they do not. Polling vCPUs that
            wait for each other are then run by the emulator, unless PIXLAB_ACCELERATOR says otherwise: ring 0 of many
            of them is slower still on a host where it is slow.

    Raises:
        UsageError: PIXLAB_ACCELERATOR, or this host, cannot run it.

    """
    found, forced = plan(), bool(os.environ.get("PIXLAB_ACCELERATOR"))
    if found.accelerator not in accelerators:
        takes = f"{what} runs by {' or '.join(accelerators)} only"
        if forced or "tcg" not in accelerators:
            raise UsageError(f"{takes}, and here it would by {found.accelerator} ({found.reason}): ask for another one")
        return _emulated(found, f"{takes}; of this host: {found.reason}")
    if sharing and not forced and found.accelerator != "tcg":
        return _emulated(found, sharing)
    return found


def _emulated(found: AcceleratorPlan, reason: str) -> AcceleratorPlan:
    return found.model_copy(update={"accelerator": "tcg", "reason": reason})


def qemu_version() -> str:
    """Return the version of QEMU, for example ``7.2.22``; LabError when it is not installed."""
    if shutil.which(QEMU) is None:
        raise LabError(f"{QEMU} is not installed: run 'apt-get install qemu-system-x86 ipxe-qemu'")
    said = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=True).stdout
    return said.split("version ", 1)[1].split()[0]


def probe(version: str) -> AcceleratorPlan:
    """Find out how virtual machines run on this host, without the cache: may take seconds where ring 0 is slow."""
    problem = _kvm_problem()
    if problem:
        return AcceleratorPlan(accelerator="tcg", reason=f"no KVM: {problem}", qemu_version=version)
    try:
        rate = _ring0_rate()
    except LabError as error:
        return AcceleratorPlan(accelerator="tcg", reason=f"KVM does not work: {error}", qemu_version=version)
    fast = rate >= _FAST_INSTRUCTIONS_PER_S
    verdict = "fast enough to boot over PXE" if fast else "too slow to boot over PXE: booted emulated, then handed over"
    return AcceleratorPlan(
        accelerator="kvm" if fast else "tcg-then-kvm",
        reason=f"a guest's ring 0 runs {rate / 1e6:.1f} million instructions a second under KVM, {verdict}",
        qemu_version=version,
        ring0_instructions_per_s=rate,
    )


def _kvm_problem() -> str:
    """Say why /dev/kvm cannot be used; empty when it can be opened."""
    try:
        os.close(os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        return f"/dev/kvm: {(error.strerror or str(error)).lower()}"
    return ""


def _ring0_rate() -> float:
    """Time the probe firmware under KVM; returns instructions a second."""
    with tempfile.NamedTemporaryFile(suffix=".rom") as rom:
        rom.write(probe_rom.build())
        rom.flush()
        command = [
            QEMU,
            "-accel",
            "kvm",
            "-cpu",
            "host",
            "-m",
            "16",
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
        ]
        command += ["-vga", "none", "-bios", rom.name, "-chardev", "stdio,id=d,signal=off"]
        command += ["-device", "isa-debugcon,chardev=d,iobase=0xe9"]
        with subprocess.Popen(
            dying_with_parent(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as guest:
            try:
                begun_s = _wait_for(guest, b"A")
                try:
                    ended_s = _wait_for(guest, b"B")
                except _NoAnswer:  # it runs, slower than this: what matters is that KVM works
                    ended_s = begun_s + _PROBE_LIMIT_S
            finally:
                guest.kill()
    return probe_rom.INSTRUCTIONS / max(ended_s - begun_s, 1e-6)


def _wait_for(guest: subprocess.Popen[bytes], wanted: bytes) -> float:
    """Return the time at which the guest has written a byte."""
    assert guest.stdout is not None
    assert guest.stderr is not None
    deadline = Deadline(_PROBE_LIMIT_S)
    if not select.select([guest.stdout], [], [], deadline.remaining_s)[0]:
        raise _NoAnswer(f"a guest that counts to a million did not do so within {_PROBE_LIMIT_S:g} s")
    got = os.read(guest.stdout.fileno(), 1)
    if got != wanted:
        said = guest.stderr.read().decode(errors="replace").strip().splitlines()
        raise LabError(said[-1] if said else "QEMU ended and said nothing")
    return time.monotonic()
