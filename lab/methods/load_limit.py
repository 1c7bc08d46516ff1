"""The greatest load that a search may ask for: what the links carry and what the generator can send."""

from __future__ import annotations

from lab.errors import GeneratorError
from lab.methods.failure import Survivor
from lab.methods.repeat import Conditions, TooDisturbed, TrialEvent
from lab.methods.trial import Measurer, TrialRequest, TrialResult, line_rate_pps, mix_line_rate_pps
from lab.methods.validity import judge, require_right_frames
from lab.models import Model

SEARCH = "offerable"
_ROUNDS = 12
_OVERLOAD = 1.5
_LEAST_SHARE = 0.02  # of the limit: a generator that offers less to a DUT has not got its core
_STEP_BELOW = 0.95  # of what was sent: the same rate asked again falls short again every other time


class LoadLimit(Model):
    """The greatest load to ask for, in frames a second summed over the directions, and what sets it."""

    rate_pps: float
    line_rate_pps: float
    ceiling_pps: float | None
    limited_by: str

    @property
    def words(self) -> str:
        """How a result is called that reached the limit: ``line rate or more``."""
        return f"{self.limited_by} or more"


def load_limit(
    frame_size_bytes: int,
    speed_gbps: float,
    directions: int,
    ceiling_pps: float | None,
    mix_bytes: tuple[int, ...] = (),
) -> LoadLimit:
    """Return the limit by line rate (RFC 2544 section 20) and by the calibrated ceiling of the generator.

    Args:
        frame_size_bytes: with FCS.
        speed_gbps: of each link.
        directions: number of directions that carry traffic, each with a link of its own to send on.
        ceiling_pps: greatest rate that the generator was seen to send and receive, summed; None where not calibrated.
        mix_bytes: sizes in turn, where frames have several; then these set the line rate.

    """
    of_one = mix_line_rate_pps(mix_bytes, speed_gbps) if mix_bytes else line_rate_pps(frame_size_bytes, speed_gbps)
    line = directions * of_one
    if ceiling_pps is not None and ceiling_pps < line:
        return LoadLimit(
            rate_pps=ceiling_pps, line_rate_pps=line, ceiling_pps=ceiling_pps, limited_by="generator ceiling"
        )
    return LoadLimit(rate_pps=line, line_rate_pps=line, ceiling_pps=ceiling_pps, limited_by="line rate")


def offerable(
    measurer: Measurer,
    limit: LoadLimit,
    frame_size_bytes: int,
    conditions: Conditions,
    duration_s: float = 0.5,
    mix_bytes: tuple[int, ...] = (),
) -> LoadLimit:
    """Lower a limit to what the generator really offers this DUT.

    A ceiling is calibrated on a wire; towards a DUT (another ring, another memory) the generator may do less. Without
    this, every trial near the ceiling falls short and is invalid. A load that fell short twice is lowered to the better
    of what was sent, until a trial does not fall short. A load of which the DUT loses more than a third is lowered to
    one and a half times what it forwards, which is still above what can meet a goal; where that trial does not count,
    once another one has said the same.

    Args:
        measurer: runs single trials.
        limit: by line rate and calibration.
        frame_size_bytes: with FCS.
        conditions: of the run; its progress is told of these trials as ``offerable``.
        duration_s: of each trial.
        mix_bytes: sizes in turn, where frames have several.

    Returns:
        The same limit when the generator keeps to it, else a lower one.

    Raises:
        GeneratorError: the generator fell short of whatever was asked, or keeps to so little that its core is not its
            own: what would be found then is not the DUT's.
        TooDisturbed: the DUT restarted in trial after trial.
        WrongFramesReceived: the DUT sent frames that are not the ones it was sent.

    """
    least_pps = _LEAST_SHARE * limit.rate_pps
    survivor = Survivor(measurer, conditions.recover)
    share = 0.0
    doubted = False  # the last trial would have lowered the limit, but did not count
    before = 0.0  # share sent by the last trial at this load; 0 when there was none
    for number in range(1, _ROUNDS + 1):
        request = TrialRequest(
            frame_size_bytes=frame_size_bytes,
            rate_pps=limit.rate_pps,
            duration_s=duration_s,
            tagged=False,
            mix_bytes=mix_bytes,
        )
        recalled = conditions.recall(SEARCH, request)
        result = _judged(recalled or survivor.measure(request), number, conditions)
        if recalled is None:
            survivor.recover()
        if not result.directions or result.dut_restart:  # the generator or the DUT failed: the trial says nothing
            continue
        overload_pps = _OVERLOAD * result.received_pps
        if 0 < overload_pps < result.sent_pps:
            if result.invalid and not doubted:  # a link that flaps loses more than any overload
                doubted = True
                continue
            doubted = False
            # Far above what the DUT takes nothing is to be found, and the generator's own schedule suffers there.
            if result.sent_pps >= least_pps:  # it is the DUT that takes little, and not the generator that offers it
                least_pps = min(least_pps, _LEAST_SHARE * overload_pps)
            limit = limit.model_copy(update={"rate_pps": overload_pps, "limited_by": "greatest load tried"})
            before = 0.0
            continue
        share = _share_sent(result)
        if share >= 1.0 - conditions.limits.shortfall_ratio:
            return limit
        if share == 0.0:
            break
        if before == 0.0:
            before = share
            continue
        lower_pps = limit.rate_pps * max(share, before) * _STEP_BELOW
        before = 0.0
        if lower_pps < least_pps:
            break
        limit = limit.model_copy(
            update={"rate_pps": lower_pps, "ceiling_pps": lower_pps, "limited_by": "generator ceiling"}
        )
    if not result.directions or result.dut_restart:
        why = "; ".join(result.invalid)
        raise TooDisturbed(f"{SEARCH} at {frame_size_bytes} bytes: the last of {number} trials says nothing: {why}")
    raise GeneratorError(
        f"the generator keeps to no rate at {frame_size_bytes} bytes: asked for {result.request.rate_pps:.0f} pps "
        f"it sent {100 * share:.1f} %; look at what else runs on its core"
    )


def _judged(result: TrialResult, number: int, conditions: Conditions) -> TrialResult:
    """Return a trial with the reasons why it does not count, told to who watches; its frames are right."""
    result = result.model_copy(update={"invalid": judge(result, conditions.limits)})
    conditions.progress(TrialEvent(search=SEARCH, number=number, result=result, remaining_s=None))
    require_right_frames(result, SEARCH)
    return result


def _share_sent(result: TrialResult) -> float:
    """Return sent / intended of the direction that fell shortest."""
    shares = [d.sent_frames / d.intended_frames for d in result.directions if d.intended_frames]
    return min(shares, default=0.0)
