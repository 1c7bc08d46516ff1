"""What is asked of the simulator, complete and fixed: equal questions have equal answers, to the last bit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

from lab.errors import UsageError
from lab.simulation import native
from lab.simulation.calibration.frozen import Frozen
from lab.simulation.layout import Layout
from lab.simulation.machine import Machine
from lab.simulation.version import MODEL_VERSION
from lab.simulation.workload.case import Case
from lab.simulation.workload.catalogue import workload

SEEDS = (1, 2, 3, 4, 5)
DRAWS_PER_SEED = 8
WINDOW_US = 200.0
PS_PER_US = 1_000_000
REFERENCE_SHARE = 20  # the plain-Python reference simulates this much less time
BURSTY = "virtio"


@dataclass(frozen=True)
class Question:
    """One machine, workload, layout and case, and how what is not known is drawn.

    Attributes:
        machine: with the ranges that are drawn from.
        workload: by its name in the catalogue.
        layout: where the words lie that cores share.
        case: ports, cores, frame size and so on.
        seeds: each gives draws of its own.
        draws_per_seed: strata of each range; one draw lies in each.
        frozen: calibrated parameters: the fitted numbers are drawn from them, and rates spread by their error; None for
            what is known of the machine alone.
        window_us: simulated time that counts, after the warm-up.

    Raises:
        UsageError: there is no such workload, nothing to draw, or no time.

    """

    machine: Machine
    workload: str
    layout: Layout
    case: Case = field(default_factory=Case)
    seeds: tuple[int, ...] = SEEDS
    draws_per_seed: int = DRAWS_PER_SEED
    frozen: Frozen | None = None
    window_us: float = WINDOW_US

    def __post_init__(self) -> None:
        workload(self.workload)
        if not self.seeds or self.draws_per_seed < 1:
            raise UsageError(f"prediction: {len(self.seeds)} seeds of {self.draws_per_seed} draws; needs one of each")
        if self.case.burst > 1 and self.workload != BURSTY:
            raise UsageError(f"prediction: {self.workload} offers no bursts, only {BURSTY} does: leave burst out")
        if self.window_us < 1:
            raise UsageError(f"prediction: a window of {self.window_us} us; it must be 1 at least")

    def of(self, layout: Layout) -> Question:
        """Return the same question of another layout: the same draws, so that answers can be compared draw by draw."""
        return replace(self, layout=layout)

    @property
    def log_error(self) -> float:
        """Standard deviation of the logarithm of measured over predicted, as a calibration saw it; 0 without one."""
        return 0.0 if self.frozen is None else self.frozen.rms_log_error

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def ps_per_us(self) -> int:
        """Picoseconds that are simulated for each microsecond of warm-up and window: fewer without the C kernel."""
        return PS_PER_US if native.available() else PS_PER_US // REFERENCE_SHARE

    @property
    def digest(self) -> str:
        """SHA-256 of everything that the answer depends on: the model's version and the simulated time, too."""
        return hashlib.sha256(f"{MODEL_VERSION} {self.ps_per_us} {self!r}".encode()).hexdigest()
