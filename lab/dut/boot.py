"""One boot after the other of an image on a server: PXE, the way to KVM, and the proof of what booted."""

from __future__ import annotations

import time
from collections.abc import Callable

from lab.dut.identity import identify
from lab.dut.record import BootRecord
from lab.dut.shell import Shell
from lab.errors import DutError, LabError
from lab.images import Manifest, bootproof
from lab.images.manifest import digest_of
from lab.machines.cores import CorePlan
from lab.machines.deadline import Deadline
from lab.machines.host import AcceleratorPlan
from lab.machines.protocol import Server
from lab.netboot.protocol import BootSource
from lab.netboot.service import ServedRecord

READY_LIMIT_S = 90.0
_END_LIMIT_S = 0.5


class Boot:
    """Boots the image; ``record`` is the record of the last boot."""

    def __init__(
        self,
        image: Manifest,
        server: Server,
        service: BootSource,
        plan: AcceleratorPlan,
        cores: CorePlan,
        progress: Callable[[str], None],
    ) -> None:
        """Bind an image to the server that boots it and the service that it is booted from."""
        self._image = image
        self._server = server
        self._service = service
        self._plan = plan
        self._cores = cores
        self._progress = progress
        self._record: BootRecord | None = None

    @property
    def record(self) -> BootRecord:
        """The record of the last boot."""
        assert self._record is not None, "nothing has been booted yet"
        return self._record

    def cold(self) -> Shell:
        """Power the server on, wait for the image's prompt and prove what booted.

        Raises:
            DutError: it did not get ready; with how far it came.
            ImageMismatch: something else booted.
            LabError: the lab could not run it.

        """
        started_s = time.time()
        by_emulator = self._plan.accelerator != "kvm"
        self._progress(f"booting {self._image.name} over PXE under {'TCG' if by_emulator else 'KVM'}")
        self._service.forget()
        self._server.power_on()
        powered_s = time.time()
        self._wait_ready()
        ready_s = time.time()
        served = self._service.record()
        sent_s = served.sent_at_s or ready_s
        phases_s = {"power on": powered_s - started_s, "PXE": sent_s - powered_s, "image start": ready_s - sent_s}
        if self._plan.accelerator == "tcg-then-kvm":
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
            accelerator=self._plan,
            processor=self._server.cpu,
            cores=self._cores,
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
        return digest_of((file.name, file.sha256) for file in served.sent if file.name in own)

    def _wait_ready(self) -> None:
        """Wait for the first prompt; a failure says how far the machine came."""
        deadline = Deadline(READY_LIMIT_S)
        console = self._server.console
        try:
            console.read_until(self._image.ready_text, deadline, self._server.require_running)
            console.read_until("\n" + self._image.prompt, deadline, self._server.require_running)
        except LabError as error:
            if self._server.wait_off(_END_LIMIT_S):  # its own last words say more than a closed console
                error = LabError(f"{error}; {self._server.obituary()}")
            raise DutError(f"{self._image.name} did not get ready: {self._service.diagnosis()}; {error}") from error
