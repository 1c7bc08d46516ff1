"""Links between a generator and a device under test on one machine, as the generator gets them."""

from __future__ import annotations

from dataclasses import dataclass

from lab.machines.netns import NetworkNamespace


@dataclass(frozen=True)
class Links:
    """The generator's ends of links.

    ``vtrex_options`` are the options of a vtrex whose ports they are; none where they are network interfaces in
    ``namespace``, or cables.
    """

    vtrex_options: tuple[str, ...] = ()
    namespace: NetworkNamespace | None = None
