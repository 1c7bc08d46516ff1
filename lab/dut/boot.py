"""One boot after the other of an image on a server: PXE, the way to KVM, and the proof of what booted."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from lab.dut.identity import identify
from lab.dut.record import BootRecord
from lab.dut.shell import Shell
from lab.errors import DutError, ImageMismatch, LabError
from lab.images import Manifest, bootproof
from lab.images.manifest import digest_of
from lab.machines.cores import CorePlan
from lab.machines.deadline import Deadline
from lab.machines.host import AcceleratorPlan
from lab.machines.protocol import Server
from lab.netboot.protocol import BootSource
from lab.netboot.record import ServedRecord

_END_LIMIT_S = 0.5


class HowRun(NamedTuple):
    """How a virtual machine is run on this host, and on which of its cores."""

    accelerator: AcceleratorPlan
    cores: CorePlan

    def at_first(self) -> str:
        """Say in words what runs it while it boots."""
        return f" under {'KVM' if self.accelerator.accelerator == 'kvm' else 'TCG'}"


class BootLimits(NamedTuple):
    """How long a boot may take from power on to the prompt, in seconds, and how often it is tried."""

    ready_s: float = 90.0
    attempts: int = 1


class Boot:
    """Boots the image; ``record`` is the record of the last boot."""

    def __init__(
        self,
        image: Manifest,
        server: Server,
        service: BootSource,
        progress: Callable[[str], None],
        *,
        how: HowRun | None,
        limits: BootLimits,
    ) -> None:
        """Bind an image to the server that boots it and the service that it is booted from.

        Args:
            image: to boot.
            server: that boots it.
            service: that it boots from.
            progress: told what happens.
            how: a virtual machine is run; None for a real one.
            limits: of a boot.

        """
        self._image = image
        self._server = server
        self._service = service
        self._how = how
        self._limits = limits
        self._progress = progress
        self._record: BootRecord | None = None

    @property
    def record(self) -> BootRecord:
        """The record of the last boot."""
        assert self._record is not None, "nothing has been booted yet"
        return self._record

    def cold(self) -> Shell:
        """Power the server on, wait for the image's prompt and prove what booted; once more where it does not come.

        Raises:
            DutError: it did not get ready; with how far it came.
            ImageMismatch: something else booted.
            LabError: the lab could not run it.

        """
        for attempt in range(1, self._limits.attempts):
            try:
                return self._cold()
            except ImageMismatch:
                raise
            except DutError as error:
                self._progress(f"boot {attempt} of {self._limits.attempts} failed: {error}")
                self._server.power_off()  # whatever it was about to do
        return self._cold()

    def _cold(self) -> Shell:
        started_s = time.time()
        self._progress(f"booting {self._image.name} over PXE{'' if self._how is None else self._how.at_first()}")
        self._service.forget()
        self._server.power_on()
        powered_s = time.time()
        self._wait_ready()
        ready_s = time.time()
        served = self._service.record()
        sent_s = served.sent_at_s or ready_s
        phases_s = {"power on": powered_s - started_s, "PXE": sent_s - powered_s, "image start": ready_s - sent_s}
        if self._how is not None and self._how.accelerator.accelerator == "tcg-then-kvm":
            self._progress("handing the machine over from TCG to KVM")
            self._server.hand_over()
            phases_s["hand-over to KVM"] = time.time() - ready_s
        shell = Shell(self._server.console, self._image.prompt, self._server.require_running)
        proof_s = time.time()
        booted = identify(shell, self._image)
        served_sha256 = self._digest_of_sent(served)
        bootproof.prove(self._image.digest, served_sha256, booted.sha256)
        bootproof.prove_build(self._image.build_id, booted.build_id)
        phases_s["proof"] = time.time() - proof_s
        self._server.settle()
        self._progress(f"{self._image.name} is up and proved, {time.time() - started_s:.1f} s after power on")
        self._record = BootRecord(
            image=self._image.name,
            accelerator=None if self._how is None else self._how.accelerator,
            processor=self._server.cpu,
            cores=None if self._how is None else self._how.cores,
            served=served,
            asked_sha256=self._image.digest,
            served_sha256=served_sha256,
            booted_sha256=booted.sha256,
            booted_build_id=booted.build_id,
            phases_s=phases_s,
        )
        return shell

    def _digest_of_sent(self, served: ServedRecord) -> str:
        """Return the digest of what the machine fetched of the image's files, as the boot service sent it."""
        own = {file.name for file in self._image.boot_files}
        return digest_of((file.name, file.sha256) for file in served.delivered if file.name in own)

    def _wait_ready(self) -> None:
        """Wait for the first prompt; a failure says how far the machine came."""
        deadline = Deadline(self._limits.ready_s)
        console = self._server.console
        try:
            console.read_until(self._image.ready_text, deadline, self._server.require_running)
            console.read_until("\n" + self._image.prompt, deadline, self._server.require_running)
        except LabError as error:
            if self._server.wait_off(_END_LIMIT_S):  # its own last words say more than a closed console
                error = LabError(f"{error}; {self._server.obituary()}")
            raise DutError(f"{self._image.name} did not get ready: {self._service.diagnosis()}; {error}") from error
