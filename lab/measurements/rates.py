"""Searches for rates, each recorded with its bounds, baselines and verdict."""

from __future__ import annotations

from dataclasses import dataclass

from lab.measurements.core import Core
from lab.methods import mlr, throughput
from lab.methods.bounds import Bounds
from lab.methods.load_limit import LoadLimit


@dataclass
class Rates(Core):
    """NDR, PDR and throughput. What was found of NDR and PDR is kept: latency is measured at fractions of them."""

    def ndr_and_pdr(self, frame_size_bytes: int) -> dict[str, Bounds]:
        """Search NDR and PDR (RFC 9971) at a frame size, or return what was found before.

        Returns:
            The bounds by name, ``NDR`` and ``PDR``.

        Raises:
            LabError: the search came to no result.

        """
        if frame_size_bytes not in self._found:
            self._found[frame_size_bytes] = self._rates(frame_size_bytes, {"NDR", "PDR"})
        return self._found[frame_size_bytes]

    def pdr(self, frame_size_bytes: int) -> Bounds:
        """Search PDR alone (RFC 9971), for a comparison of many cases: with fewer trials than ``ndr_and_pdr``.

        Raises:
            LabError: the search came to no result.

        """
        return self._rates(frame_size_bytes, {"PDR"})["PDR"]

    def throughput(self, frame_size_bytes: int) -> Bounds:
        """Search the throughput by bisection (RFC 2544 section 26.1).

        Raises:
            LabError: the search came to no result.

        """

        def search(limit: LoadLimit) -> Bounds:
            with self.run.search(self.test, throughput.GOAL, frame_size_bytes) as bounds:
                plan = self.profile.throughput_plan(frame_size_bytes, limit)
                bounds.append(throughput.search(self.used.measurer, plan, self.conditions()))
            return bounds[0]

        found, limit = self.below_limit(frame_size_bytes, search)
        self.record_bounds(found, limit)
        self._throughputs[frame_size_bytes] = found
        return found

    def throughput_once(self, frame_size_bytes: int) -> Bounds:
        """Return the throughput that was found, or search it; raises as ``throughput``."""
        return self._throughputs.get(frame_size_bytes) or self.throughput(frame_size_bytes)

    def _rates(self, frame_size_bytes: int, goals: set[str]) -> dict[str, Bounds]:
        def search(limit: LoadLimit) -> dict[str, Bounds]:
            with self.run.search(self.test, mlr.SEARCH, frame_size_bytes) as bounds:
                plan = self.profile.mlr_plan(frame_size_bytes, limit, goals)
                found = mlr.search(self.used.measurer, plan, self.conditions())
                bounds.extend(found.values())
            return found

        found, limit = self.below_limit(frame_size_bytes, search)
        for one in found.values():
            self.record_bounds(one, limit)
        return found
