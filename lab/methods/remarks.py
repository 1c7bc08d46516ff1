"""Why a search for a rate without loss found little, or something else each time (RFC 9971, "RFC 2544 Problems").

Such a search takes the DUT to pass every load up to its throughput and none above. Where trials contradict that, it
ends below the first loss that it happened to meet, and the next one may end elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from lab.methods.classification import Outcome

_NEAR_BRACKETS = 4
"""How many final brackets wide the loads may lie at which trials disagree for it to be noise at the limit."""

_OUTVOTED = 0.1
"""Share of the trials that a goal of a majority passes over without a word."""


def remark(outcomes: Sequence[Outcome], loss_ratio: float, width_ratio: float, exceed_ratio: float = 0.0) -> str:
    """Say where trials contradict each other: a load met the goal, and the same load or a lesser one did not.

    A goal that lets some trials lose more (``exceed_ratio``) is made for noise and for rare loss, so of these nothing
    is said; but a DUT with two levels between which trials disagree far and wide is decided by a chance majority.

    Args:
        outcomes: of the trials of a search that counted, in any order.
        loss_ratio: of the goal.
        width_ratio: relative width of the final bracket: how close two loads are to the same one.
        exceed_ratio: of the goal.

    Returns:
        One sentence; empty where no trial contradicts another.

    """
    passed = [o for o in outcomes if o.loss_ratio <= loss_ratio]
    lossy = [o for o in outcomes if o.loss_ratio > loss_ratio]
    if not lossy:
        return ""
    if not passed:
        least = min(lossy, key=lambda o: o.loss_ratio)
        return f"loss at every load: at {least.rate_pps:.0f} pps still {_share(least.loss_ratio)} of the frames"
    top_pps = max(o.rate_pps for o in passed)
    below = [o for o in lossy if o.rate_pps <= top_pps]
    if not below:
        return ""
    bottom_pps = min(o.rate_pps for o in below)
    among = [o for o in outcomes if bottom_pps <= o.rate_pps <= top_pps]
    near = top_pps - bottom_pps <= _NEAR_BRACKETS * width_ratio * top_pps
    kind, so = "noise at the limit" if near else "rare loss", "a search without tolerance ends below the first loss"
    if exceed_ratio:
        if near or min(len(below), len(among) - len(below)) <= _OUTVOTED * len(among):
            return ""
        kind, so = "two levels", "what the majority is may be chance, and another search may end elsewhere"
    return (
        f"{kind}: {len(below)} of {len(among)} trials at loads from {bottom_pps:.0f} to {top_pps:.0f} pps lost up to "
        f"{_share(max(o.loss_ratio for o in below))} of their frames, the others, even at {top_pps:.0f} pps, met the "
        f"goal: {so}"
    )


def _share(loss_ratio: float) -> str:
    return f"{100 * loss_ratio:.2g} %" if loss_ratio >= 1e-4 else f"{1e6 * loss_ratio:.2g} ppm"
