"""The greatest load to ask for on a testbed in use: what its links carry, and what its generator keeps to."""

from __future__ import annotations

from lab.methods.load_limit import LoadLimit, load_limit, offerable
from lab.methods.repeat import Conditions
from lab.methods.trial import Measurer
from lab.session import Session
from lab.traffic.calibration import Calibration


def greatest_load(
    used: Session,
    measurer: Measurer,
    frame_size_bytes: int,
    calibration: Calibration | None,
    conditions: Conditions,
    mix_bytes: tuple[int, ...] = (),
) -> LoadLimit:
    """Find the greatest load at a frame size by trials (see lab.methods.load_limit).

    Args:
        used: each of its ports that sends has a link of its own.
        measurer: runs single trials on it.
        frame_size_bytes: with FCS.
        calibration: of the generator; None where it was not calibrated.
        conditions: of the run.
        mix_bytes: sizes in turn, where frames have several.

    Raises:
        LabError: the generator keeps to no load, or the trials say nothing.

    """
    links = len({direction.tx.port for direction in used.directions})
    card_pps = used.testbed.card_rate_pps
    of_wire_pps = calibration.ceiling_pps(frame_size_bytes) if calibration else None
    of_cards_pps = None if card_pps is None else links * card_pps
    ceiling_pps = min((pps for pps in (of_wire_pps, of_cards_pps) if pps is not None), default=None)
    limit = load_limit(frame_size_bytes, used.speed_gbps, links, ceiling_pps, mix_bytes)
    return offerable(measurer, limit, frame_size_bytes, conditions, mix_bytes=mix_bytes)
