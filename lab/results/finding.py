"""What a method found that is more than one number: exactly one of the fields is set."""

from __future__ import annotations

from lab.methods.back_to_back import BackToBack
from lab.methods.critical_load import CriticalLoad
from lab.methods.interleaved import InterleavedComparison
from lab.methods.loss_rate import LossCurve
from lab.methods.mrr import Mrr
from lab.methods.recovery import SystemRecovery
from lab.methods.reset import ResetTime
from lab.methods.soak import Soak
from lab.models import Model


class Finding(Model):
    """The result of one method at one frame size, under the test that asked; ``variant`` says what was unlike there."""

    test: str
    variant: str = ""
    loss_curve: LossCurve | None = None
    back_to_back: BackToBack | None = None
    recovery: SystemRecovery | None = None
    reset: ResetTime | None = None
    receive_rate: Mrr | None = None
    soak: Soak | None = None
    critical_load: CriticalLoad | None = None
    in_turns: InterleavedComparison | None = None
