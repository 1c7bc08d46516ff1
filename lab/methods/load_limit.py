"""The greatest load that a search may ask for: what the links carry and what the generator can send."""

from __future__ import annotations

from lab.errors import GeneratorError, LabError
from lab.methods.failure import Survivor
from lab.methods.repeat import Conditions, TooDisturbed, TrialEvent
from lab.methods.trial import Measurer, TrialRequest, TrialResult, line_rate_pps, mix_line_rate_pps
from lab.methods.validity import judge, require_right_frames
from lab.models import Model

SEARCH = "offerable"
_ROUNDS = 24  # a load that is far too great is lowered by a third or a twentieth at a time
_SILENT_ROUNDS = 12  # of them that tell nothing, as of a DUT that restarts again and again
_OVERLOAD = 1.5
_LEAST_SHARE = 0.02  # of the limit: a generator that offers less to a DUT has not got its core
_STEP_BELOW = 0.95  # of what was sent: the same rate asked again falls short again every other time
_HEADROOM = 0.95  # of what a lowered generator kept to once: at its edge it has no time to make up for a pause


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
    of what was sent, until a trial does not fall short, and then by some more: at its edge a generator has no time to
    make up for a pause. A load of which the DUT loses more than a third is lowered to one and a half times what it
    forwards, which is still above what can meet a goal; where that trial does not count, once another one has said the
    same.

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
    lowering = _Lowering(limit, conditions.limits.shortfall_ratio)
    survivor = Survivor(measurer, conditions.recover)
    silent = 0
    for number in range(1, _ROUNDS + 1):
        request = TrialRequest(
            frame_size_bytes=frame_size_bytes,
            rate_pps=lowering.limit.rate_pps,
            duration_s=duration_s,
            tagged=False,
            mix_bytes=mix_bytes,
        )
        recalled = conditions.recall(SEARCH, request)
        result = _judged(recalled or survivor.measure(request), number, conditions)
        if recalled is None:
            survivor.recover()
        if lowering.take(result):
            return lowering.with_headroom
        silent += not lowering.tells(result)
        if lowering.hopeless or silent == _SILENT_ROUNDS:
            break
    raise _found_none(result, number, lowering.tells(result))


def _found_none(last: TrialResult, trials: int, tells: bool) -> LabError:
    """Return why so many trials found no load; ``tells``: whether the last of them says anything."""
    size_bytes = last.request.frame_size_bytes
    if not tells:
        why = "; ".join(last.invalid)
        return TooDisturbed(f"{SEARCH} at {size_bytes} bytes: the last of {trials} trials says nothing: {why}")
    return GeneratorError(
        f"the generator keeps to no rate at {size_bytes} bytes: asked for {last.request.rate_pps:.0f} pps "
        f"it sent {100 * _share_sent(last):.1f} %; look at what else runs on its core"
    )


class _Lowering:
    """A limit that trials at it lower, until one does not; ``hopeless`` once there is nothing left to lower."""

    def __init__(self, limit: LoadLimit, shortfall_ratio: float) -> None:
        self.limit = limit
        self.hopeless = False
        self._shortfall_ratio = shortfall_ratio
        self._least_pps = _LEAST_SHARE * limit.rate_pps
        self._before = 0.0  # share sent by the last trial at this load; 0 when there was none
        self._doubted = False  # the last trial would have lowered the limit, but did not count
        self._lowered = False  # to what the generator keeps to

    @property
    def with_headroom(self) -> LoadLimit:
        """The limit; one that a generator was lowered to leaves it some time to spare."""
        return self._lowered_by(_HEADROOM) if self._lowered else self.limit

    @staticmethod
    def tells(result: TrialResult) -> bool:
        """Say whether a trial tells anything: neither the generator nor the DUT failed in it."""
        return bool(result.directions) and not result.dut_restart

    def take(self, result: TrialResult) -> bool:
        """Lower the limit by a trial at it; returns whether the generator kept to it."""
        if not self.tells(result):
            return False
        if 0 < _OVERLOAD * result.received_pps < result.sent_pps:
            self._overloaded(result)
            return False
        self._doubted = False
        share = _share_sent(result)
        if share >= 1.0 - self._shortfall_ratio:
            return True
        if share > 0.0 and self._before == 0.0:
            self._before = share
            return False
        lower = self._lowered_by(max(share, self._before) * _STEP_BELOW)
        self._before = 0.0
        self.hopeless = share == 0.0 or lower.rate_pps < self._least_pps
        if not self.hopeless:
            self.limit, self._lowered = lower, True
        return False

    def _lowered_by(self, share: float) -> LoadLimit:
        lower_pps = self.limit.rate_pps * share
        update = {"rate_pps": lower_pps, "ceiling_pps": lower_pps, "limited_by": "generator ceiling"}
        return self.limit.model_copy(update=update)

    def _overloaded(self, result: TrialResult) -> None:
        """Lower it to what the DUT takes: far above, nothing is found, and the generator's own schedule suffers.

        A link that flaps loses more than any overload: a trial that does not count has to be seconded by another one.
        """
        if result.invalid and not self._doubted:
            self._doubted = True
            return
        overload_pps = _OVERLOAD * result.received_pps
        if result.sent_pps >= self._least_pps:  # it is the DUT that takes little, and not the generator that offers it
            self._least_pps = min(self._least_pps, _LEAST_SHARE * overload_pps)
        self.limit = self.limit.model_copy(update={"rate_pps": overload_pps, "limited_by": "greatest load tried"})
        self._lowered = False
        self._before = 0.0
        self._doubted = False


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
