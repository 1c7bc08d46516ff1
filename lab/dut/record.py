"""The record of a boot: what ran where, how it got there, and the proof of what it is."""

from __future__ import annotations

from lab.machines.cores import CorePlan
from lab.machines.host import AcceleratorPlan
from lab.models import Model
from lab.netboot.record import ServedRecord


class BootRecord(Model):
    """One boot of an image.

    ``phases_s`` are the durations of its phases in seconds, in their order; ``processor`` is QEMU's name of the CPU
    that a virtual guest sees; ``accelerator`` and ``cores`` are those of a virtual machine, None for a real one;
    ``booted_sha256`` is what the machine computed of the file as it was loaded into its memory, None where it cannot;
    ``booted_build_id`` is what it tells in any case.
    """

    image: str
    accelerator: AcceleratorPlan | None
    processor: str
    cores: CorePlan | None
    served: ServedRecord
    asked_sha256: str
    served_sha256: str
    booted_sha256: str | None
    booted_build_id: str
    phases_s: dict[str, float]
