"""The published rates of PIX beside what is simulated of their machine: a check of consistency that asserts neither."""

from __future__ import annotations

from lab.microbench.host import cpus
from lab.run import Run
from lab.simulation import published_pix

TEN_GBE_PPS = 14.89e6  # line rate of a port at 64 bytes


def test_layouts_that_hold_the_published_rates(run: Run) -> None:
    """Each published rate stands beside the prediction of every layout that the system could have had."""
    for one in published_pix.consistency(jobs=len(cpus())):
        run.record_published(one)
        assert one.fits, f"{one.about}: nothing was simulated"
        for fit in one.fits:
            assert 0 < fit.rate_pps.low <= fit.rate_pps.high <= 8 * TEN_GBE_PPS
