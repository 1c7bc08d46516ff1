"""The listing of what a port can be keeps to what a port can be."""

from __future__ import annotations

from lab.vtrex.port_examples import EXAMPLES, listing
from lab.vtrex.port_options import FORMS, parse_port


def test_every_form_has_an_example_that_is_of_this_form() -> None:
    assert EXAMPLES.keys() == FORMS.keys()
    for kind, (_, example) in EXAMPLES.items():
        assert example.partition(":")[0] == kind
        parse_port(example, 0)


def test_the_listing_has_a_line_for_each() -> None:
    assert [line.split(":")[0] for line in listing().splitlines()] == ["--wire", *(f"--port {kind}" for kind in FORMS)]
