"""Goals of a search for a rate, as data (RFC 9971, section "Search Goal"), and those that have a name."""

from __future__ import annotations

from lab.errors import UsageError, near_misses
from lab.models import Model

PDR_LOSS_RATIO = 0.005


class RateGoal(Model):
    """One goal of a search (RFC 9971): a load meets it when its trials lose no more than ``loss_ratio``.

    At the end, of at least ``duration_sum_s`` seconds of trials of ``final_trial_s`` each at a load, at most the share
    ``exceed_ratio`` may lose more; the search begins with trials of ``initial_trial_s``. ``width_ratio`` is the
    relative width of the final bracket. An exceed ratio of 0 and a sum of one trial is the strict reading of RFC 2544.

    ``initial_trial_s`` and ``preceding_targets`` only say how a search gets there: with ``preceding_targets`` coarser
    brackets before the final one, each with less to measure at a load.

    The width of 0.2 % keeps NDR and PDR of a DUT with a noise of 0.2 % within 0.5 % of the truth. RFC 9971 advises no
    width below the loss ratio, lest the conditional throughput for PDR be below that for NDR; what is judged and
    compared here is the lower bound, which cannot be.
    """

    name: str
    loss_ratio: float
    exceed_ratio: float = 0.5
    width_ratio: float = 0.002
    initial_trial_s: float = 1.0
    final_trial_s: float = 1.0
    duration_sum_s: float = 21.0
    preceding_targets: int = 3


NDR = RateGoal(name="NDR", loss_ratio=0.0)
"""No-drop rate as FD.io CSIT has it: of 21 trials of 1 s at most half lose a frame."""
PDR = RateGoal(name="PDR", loss_ratio=PDR_LOSS_RATIO)
"""Partial-drop rate: the same with half a per cent of loss."""
STRICT = RateGoal(
    name="RFC2544",
    loss_ratio=0.0,
    width_ratio=0.005,
    exceed_ratio=0.0,
    initial_trial_s=5.0,
    preceding_targets=2,
    final_trial_s=60.0,
    duration_sum_s=60.0,
)
"""Throughput of RFC 2544 sections 24 and 26.1: one trial of 60 s, no loss (goal 1 of RFC 9971, "Example Goals")."""
TST009 = RateGoal(
    name="TST009",
    loss_ratio=0.0,
    width_ratio=0.005,
    exceed_ratio=0.5,
    initial_trial_s=5.0,
    preceding_targets=2,
    final_trial_s=60.0,
    duration_sum_s=120.0,
)
"""ETSI GS NFV-TST 009, binary search with loss verification: a load whose trial lost frames is tried once more, and
meets the goal when the second does not lose any (goal 2 of RFC 9971, "Example Goals")."""

GOALS = {goal.name: goal for goal in (NDR, PDR, STRICT, TST009)}


def goal(name: str) -> RateGoal:
    """Return the goal of that name.

    Raises:
        UsageError: there is none; the message names those there are.

    """
    if name not in GOALS:
        raise UsageError(f"no search goal {name!r}: {near_misses(name, GOALS)}")
    return GOALS[name]
