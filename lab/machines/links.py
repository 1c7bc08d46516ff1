"""Links between a generator and a device under test on one machine, as the generator gets them."""

from __future__ import annotations

from dataclasses import dataclass

from lab.machines.netns import NetworkNamespace


@dataclass(frozen=True)
class Links:
    """The generator's ends of links.

    ``vtrex_options`` are the options of a vtrex whose ports they are. ``interfaces`` are the names that they have as
    network interfaces in ``namespace``, in the order of the DUT's ports; both are empty where they are none, or where
    ports are cabled.
    """

    vtrex_options: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    namespace: NetworkNamespace | None = None
