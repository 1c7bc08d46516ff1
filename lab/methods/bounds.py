"""What a search for a rate ends with."""

from __future__ import annotations

from lab.models import Model


class Bounds(Model):
    """The result of a search for the greatest rate that meets a loss goal.

    Rates are intended loads in frames a second, summed over the directions. ``lower_pps`` met the goal and everything
    tried above it up to ``upper_pps`` did not; None below means that no load met it, None above that the greatest load
    that could be asked for did: "line rate or more". ``upper_in_doubt`` says that at ``upper_pps`` pauses of the test
    host explain the loss in every attempt, so that an undisturbed host might find more. ``forwarding_pps`` is what
    arrived at the lower bound (RFC 9971 calls it conditional throughput). ``trials`` includes the ``invalid_trials``;
    goals of one search share them.

    A search that was repeated has what each repetition found in ``repeated_pps``, and the bounds of the one that found
    least. ``failed_confirmations`` counts loads that passed and then, tried once more, did not. ``remark`` says why a
    search without tolerance may have found little, or something else each time; empty where its trials agree.
    """

    goal: str
    frame_size_bytes: int
    loss_ratio: float
    lower_pps: float | None
    upper_pps: float | None
    upper_in_doubt: bool = False
    forwarding_pps: float | None
    trials: int
    invalid_trials: int
    repeated_pps: tuple[float | None, ...] = ()
    failed_confirmations: int = 0
    remark: str = ""
