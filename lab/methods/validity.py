"""The one place that decides whether a trial counts.

Invalid is not bad: an invalid trial says nothing about the DUT and is repeated, a lossy one says that the DUT lost
frames. What disturbs a core of the test host can make frames get lost; it can never bring a lost frame back. So a
trial without loss counts however disturbed it was, and a trial with loss counts when it would be on the same side of
every loss ratio that the method asks about without the frames that the disturbances can explain. Only what lies
between is invalid: it leaves the method in doubt.
"""

from __future__ import annotations

from lab.errors import WrongFramesReceived
from lab.methods.trial import DirectionCount, Disturbance, HopBalance, TrialResult
from lab.models import Model

WRONG_WORDS = {
    "wrong_content": "with wrong content",
    "stale": "of an earlier trial",
    "duplicate": "received twice",
    "misdelivered": "at the wrong port",
}


class ValidityLimits(Model):
    """What a valid trial may show.

    ``shortfall_ratio``: share of the intended frames that the generator may leave unsent in any direction; 0.1 % is
    what a software generator keeps to when nothing is wrong.

    ``harmless_gap_ns``: a pause of a polling core that is too short to overflow a ring explains no loss. 50 us is less
    than 1024 descriptors last at 14.88 Mpps (69 us).

    ``explain_factor``: frames that may be lost for each that arrived during the disturbed time; above 1 because a core
    that comes back finds its caches cold and a full ring.

    ``doubt_share``: share of the frames that the disturbances may explain for a trial to say anything at all. Beyond,
    the polling cores were not the lab's, and to search on would only find how busy the host is.

    ``loss_ratios``: the goals that a trial has to tell apart, 0 for zero loss; the methods set them. With none, loss is
    not judged.

    ``restart_asked``: the method has the DUT reset in its trials (RFC 2544 section 26.6), so that is no reason.
    """

    shortfall_ratio: float = 0.001
    harmless_gap_ns: int = 50_000
    explain_factor: float = 1.5
    doubt_share: float = 0.2
    loss_ratios: tuple[float, ...] = ()
    restart_asked: bool = False

    def telling_apart(self, *loss_ratios: float) -> ValidityLimits:
        """Return the same limits for a method that asks whether the loss ratio exceeds one of ``loss_ratios``."""
        return self.model_copy(update={"loss_ratios": loss_ratios})


def judge(result: TrialResult, limits: ValidityLimits) -> tuple[str, ...]:
    """Say why a trial does not count.

    Args:
        result: of the trial; the reasons that its driver has already noted are kept.
        limits: what is allowed.

    Returns:
        One sentence a reason; empty when the trial counts.

    """
    reasons = list(result.invalid)
    if not result.settled:
        reasons.append("the counters still moved after the traffic had stopped")
    if result.sent_frames == 0 and not reasons:
        reasons.append("the generator sent nothing")
    if result.dut_restart and not limits.restart_asked:
        reasons.append(f"the DUT restarted during the trial: {result.dut_restart}")
    for direction in result.directions:
        reasons += _of_direction(direction, limits)
    reasons += _slow_bursts(result, limits)
    reasons += [_imbalance(balance) for balance in result.balances if not balance.adds_up]
    if doubts(result, limits):
        reasons.append(_doubt_sentence(result, limits))
    return tuple(dict.fromkeys(reasons))


def doubts(result: TrialResult, limits: ValidityLimits) -> tuple[float, ...]:
    """Return the loss ratios of ``limits`` that a trial exceeded and would not have exceeded undisturbed, perhaps."""
    sent = result.sent_frames
    own = max(0.0, result.lost_frames - explained_frames(result, limits)) / sent if sent else 0.0
    return tuple(goal for goal in limits.loss_ratios if own <= goal < result.loss_ratio)


def disturbed(result: TrialResult, limits: ValidityLimits) -> tuple[str, ...]:
    """Name what disturbed a trial more than is harmless, one clause a core, whether it counts or not.

    Latency and reordering of such a trial are those of the test host as much as of the DUT: they are marked.
    """
    return tuple(_named(d) for d in result.disturbances if _disturbed_ns(d, limits) > 0)


def overwhelmed(result: TrialResult, limits: ValidityLimits) -> bool:
    """Say whether the disturbances explain so many frames that a trial in doubt is no sign of anything."""
    return explained_frames(result, limits) > limits.doubt_share * result.sent_frames


def explained_frames(result: TrialResult, limits: ValidityLimits) -> float:
    """Return how many frames the disturbances of a trial can have cost, by the rate at which frames came.

    A core cannot have been away for longer than the trial, though what watches it may have watched for longer.
    """
    away_s = sum(min(_disturbed_ns(d, limits) / 1e9, result.duration_s) for d in result.disturbances)
    return limits.explain_factor * result.sent_pps * away_s


def require_right_frames(result: TrialResult, search: str) -> None:
    """End a measurement in which the DUT sent frames that are not the ones that it was sent.

    Such a trial is neither valid nor lossy: no count of it means anything, and no repetition makes the DUT right.

    Args:
        result: of a trial.
        search: name of the method, for the message.

    Raises:
        WrongFramesReceived: with the first kind of wrong frame of the first direction that has any.

    """
    request = result.request
    for direction in result.directions:
        for wrong in direction.wrong:
            where = f"port {direction.tx_port} to {direction.rx_port}"
            what = f"{wrong.frames} frames {WRONG_WORDS[wrong.kind]}"
            reason = f"{wrong.reason}; " if wrong.reason else ""
            raise WrongFramesReceived(
                f"{search} at {request.frame_size_bytes} bytes, {request.rate_pps:.0f} pps, {where}: {what}; "
                f"the first, at port {wrong.port}: {reason}{wrong.first_hex}"
            )


def _of_direction(count: DirectionCount, limits: ValidityLimits) -> list[str]:
    where = f"port {count.tx_port} to {count.rx_port}"
    if count.received_frames > count.sent_frames:
        surplus = count.received_frames - count.sent_frames
        return [f"{where}: {surplus} frames more received than sent (counters or foreign traffic)"]
    missing = count.intended_frames - count.sent_frames
    if missing > limits.shortfall_ratio * count.intended_frames:
        share = 100 * missing / count.intended_frames
        return [f"{where}: the generator fell {share:.2f} % short of the {count.intended_frames} frames it was to send"]
    return []


def _imbalance(balance: HopBalance) -> str:
    where = balance.hop if balance.port is None else f"{balance.hop}, its port {balance.port}"
    return (
        f"counters do not add up at the {where}: {balance.frames_in} frames came there, and "
        f"{balance.frames_out} left it or stayed"
    )


def _slow_bursts(result: TrialResult, limits: ValidityLimits) -> list[str]:
    """Refuse a burst that passed because it was not sent as fast as asked: buffers had time to empty.

    One that lost frames would have lost them at full speed as well.
    """
    request = result.request
    if request.burst_frames is None or result.lost_frames:
        return []
    longest_s = request.duration_s * (1.0 + limits.shortfall_ratio) + limits.harmless_gap_ns / 1e9
    return [
        f"port {d.tx_port} to {d.rx_port}: the burst took {1e3 * d.sending_s:.2f} ms and not "
        f"{1e3 * request.duration_s:.2f} ms: not back to back"
        for d in result.directions
        if d.sending_s is not None and d.sending_s > longest_s
    ]


def _doubt_sentence(result: TrialResult, limits: ValidityLimits) -> str:
    lost, explained = result.lost_frames, int(explained_frames(result, limits))
    who = "; ".join(disturbed(result, limits))
    return f"{lost} frames lost, of which the test host can have cost {min(lost, explained)}: {who}"


def _disturbed_ns(disturbance: Disturbance, limits: ValidityLimits) -> int:
    """Return the time lost to one core, 0 when no pause can have been long enough to matter.

    A loop that sees its own gaps has seen every pause, whatever its cause; of those over 100 us each is at most as long
    as the longest. Of a core that does not, the system's two views of the same pauses remain: the greater counts.
    """
    longest = disturbance.gap_max_ns
    if longest is None:
        outside = max(disturbance.run_delay_ns or 0, disturbance.steal_ns or 0)
        return outside if outside > limits.harmless_gap_ns else 0
    if longest <= limits.harmless_gap_ns:
        return 0
    at_most = longest * max(1, disturbance.gaps_over_100us or 1)
    if disturbance.gap_total_ns is None:
        return at_most
    return (
        min(at_most, disturbance.gap_total_ns) if disturbance.gaps_over_100us is not None else disturbance.gap_total_ns
    )


def _named(disturbance: Disturbance) -> str:
    parts = [
        f"{text} {value / 1e6:.2f} ms"
        for text, value in (
            ("longest gap", disturbance.gap_max_ns),
            ("gaps in all", disturbance.gap_total_ns),
            ("waited for its core", disturbance.run_delay_ns),
            ("stolen by the host", disturbance.steal_ns),
        )
        if value
    ]
    return f"{disturbance.who} on core {disturbance.core}: {', '.join(parts)}"
