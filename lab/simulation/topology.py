"""Where the cores of a machine sit, and how far they are from each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lab.errors import UsageError
from lab.simulation.workload.case import Placement

Distance = Literal["near", "complex", "far"]
"""How far two cores are from each other; also the names of a machine's transfer times."""


@dataclass(frozen=True)
class Place:
    """Where a core sits: the number of its socket, and that of its core complex within the socket."""

    socket: int
    complex: int


def distance(a: Place, b: Place) -> Distance:
    """Return how far two cores are apart; cores of one complex are near."""
    if a.socket != b.socket:
        return "far"
    return "near" if a.complex == b.complex else "complex"


@dataclass(frozen=True)
class Topology:
    """Groups of cores.

    Attributes:
        sockets: packages with cores.
        complexes_per_socket: groups of cores in a socket; those of one group are nearer to each other than to others.
        cores_per_complex: cores of each group.

    """

    sockets: int
    complexes_per_socket: int
    cores_per_complex: int

    def __str__(self) -> str:
        return (
            f"{self.sockets} socket(s) of {self.complexes_per_socket} core complex(es) of "
            f"{self.cores_per_complex} core(s)"
        )

    def places(self, cores: int, placement: Placement, whose: str) -> tuple[Place, ...]:
        """Return where that many cores lie.

        ``spread``: evenly over the sockets, and in a socket evenly over its complexes. ``near``: all in one complex.
        ``complex``: half of them in each of two complexes of a socket. ``far``: half of them in one complex of each of
        two sockets.

        Args:
            cores: how many.
            placement: which way.
            whose: topology it is, for the error.

        Raises:
            UsageError: there are not so many cores, complexes or sockets.

        """
        pairs: dict[Placement, tuple[Place, ...]] = {
            "near": (Place(0, 0),),
            "complex": (Place(0, 0), Place(0, 1)),
            "far": (Place(0, 0), Place(1, 0)),
        }
        groups = pairs.get(placement) or self._groups()
        if groups[-1].socket >= self.sockets or groups[-1].complex >= self.complexes_per_socket:
            raise UsageError(f"placement {placement!r}: {whose} has {self}: use another placement or machine")
        room = self.cores_per_complex * len(groups)
        if cores > room:
            raise UsageError(
                f"{cores} cores, placement {placement!r}: {whose} has {self}: use at most {room} or another placement"
            )
        if placement != "spread":
            return tuple(groups[core * len(groups) // cores] for core in range(cores))
        homes = [core * self.sockets // cores for core in range(cores)]
        return tuple(
            Place(home, (core - homes.index(home)) * self.complexes_per_socket // homes.count(home))
            for core, home in enumerate(homes)
        )

    def _groups(self) -> tuple[Place, ...]:
        return tuple(Place(s, c) for s in range(self.sockets) for c in range(self.complexes_per_socket))
