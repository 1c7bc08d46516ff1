"""Both images under traffic, deployed in turns: how many packets each forwards with a PDR of 0.5 % loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from lab import session
from lab.errors import GeneratorError, LabError
from lab.images import Manifest
from lab.measurements.greatest_load import greatest_load
from lab.methods import mlr
from lab.methods.profile import Profile
from lab.methods.repeat import Conditions, TooDisturbed
from lab.metrics.ratio import Observation
from lab.microbench.interleaved import TURNS
from lab.microbench.model import Layout
from lab.simulation import host
from lab.testbed import Testbed

FRAME_SIZE_BYTES = 64
PROBE_S = 0.2


def in_turns(
    testbed: Testbed,
    images: Mapping[Layout, Manifest],
    profile: Profile,
    blocks: int,
    run_dir: Path,
    say: Callable[[str], None],
) -> tuple[Observation, ...]:
    """Deploy the images A B B A, ``blocks`` times, and search PDR at 64 bytes each time.

    A deployment in which the host was too disturbed for a result, or the generator kept to no rate, is left out.

    Args:
        testbed: leased by the caller.
        images: one for each layout.
        profile: of the searches.
        blocks: how often.
        run_dir: existing folder, for a folder of logs for each deployment.
        say: told what happens.

    Raises:
        LabError: an image does not come up, or no load met the goal.

    """
    found = []
    for block in range(blocks):
        for turn, layout in enumerate(TURNS):
            folder = run_dir / f"turn-{block}-{turn}-{layout}"
            folder.mkdir()
            before_ns = _c2c_ns()
            with session.use(testbed, images[layout], folder, say) as used:
                try:
                    rate_pps = _pdr_pps(used, profile)
                except (TooDisturbed, GeneratorError) as error:
                    say(f"{layout}: left out: {error}")
                    continue
            say(f"block {block}: {layout} {rate_pps / 1e6:.3f} Mpps")
            found.append(Observation(block=block, side=layout, rate=rate_pps, c2c_ns=(before_ns, _c2c_ns())))
    return tuple(found)


def _c2c_ns() -> float:
    return host.measure(PROBE_S).c2c_latency_ns_median


def _pdr_pps(used: session.Session, profile: Profile) -> float:
    """Search PDR, in frames a second over all directions."""
    conditions = Conditions()
    limit = greatest_load(used, used.measurer, FRAME_SIZE_BYTES, None, conditions)
    plan = profile.mlr_plan(FRAME_SIZE_BYTES, limit, ("PDR",))
    lower_pps = mlr.search(used.measurer, plan, conditions)["PDR"].lower_pps
    if lower_pps is None:
        raise LabError("PDR: no load met the goal: run suites/ipv4_routing to see why")
    return lower_pps
