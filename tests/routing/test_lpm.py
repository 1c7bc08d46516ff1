"""The model of longest prefix match against Python's own networks."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from lab.routing.lpm import LongestPrefixMatch, prefix_mask

addresses = st.integers(0, 2**32 - 1)
networks = st.tuples(st.sampled_from([0, 0x0A000000, 0x0A0000FF, 0x0AFFFFFF, 0xFFFFFFFF]), st.integers(0, 32)).map(
    lambda pair: (pair[0] & prefix_mask(pair[1]), pair[1])
)


@given(st.lists(networks, unique=True, max_size=12), addresses)
def test_the_longest_network_that_has_the_address_is_found(routes: list[tuple[int, int]], address: int) -> None:
    model = LongestPrefixMatch((prefix, length, f"{prefix}/{length}") for prefix, length in routes)
    for probe in (address, *(prefix for prefix, _ in routes)):
        covering = [
            (length, prefix)
            for prefix, length in routes
            if ipaddress.IPv4Address(probe) in ipaddress.IPv4Network((prefix, length))
        ]
        found = model.lookup(probe)
        if not covering:
            assert found is None
        else:
            length, prefix = max(covering)
            assert found == (prefix, length, f"{prefix}/{length}")
