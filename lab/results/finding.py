"""What a method found that is more than one number: exactly one of the fields is set."""

from __future__ import annotations

from lab.methods.back_to_back import BackToBack
from lab.methods.loss_rate import LossCurve
from lab.methods.recovery import SystemRecovery
from lab.methods.reset import ResetTime
from lab.models import Model


class Finding(Model):
    """The result of one method at one frame size, under the test that asked; ``variant`` says what was unlike there."""

    test: str
    variant: str = ""
    loss_curve: LossCurve | None = None
    back_to_back: BackToBack | None = None
    recovery: SystemRecovery | None = None
    reset: ResetTime | None = None
