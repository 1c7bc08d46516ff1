"""TRex's start options: those that work, those without effect, those that ask for another program."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.vtrex import trex_options


def test_a_command_line_of_a_rack() -> None:
    line = "-i --stl -c 1 --cfg /tmp/x.yaml --no-ofed-check --software --iom 0 -v 7 --prefix a --no-scapy-server"
    options = trex_options.read(f"{line} --close-at-end --lo -d 60 --limit-ports 2 --bind 0.0.0.0".split())
    assert options.config == Path("/tmp/x.yaml")
    assert (options.port_limit, options.threads) == (2, 1)
    assert {key: value for key, value in options.said.items() if value is not None} == {
        "prefix": "a",
        "bind": "0.0.0.0",
        "status": False,
    }
    assert options.unused == (
        *("--no-ofed-check", "--software", "-v", "--no-scapy-server"),
        *("--close-at-end", "--lo", "-d"),
    )


def test_the_default_file_is_that_of_trex() -> None:
    assert trex_options.read(["-i"]).config == Path("/etc/trex_cfg.yaml")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "give -i"),
        ("--cfg x", "give -i"),
        ("-f cap2/dns.yaml", "option -f is of TRex's stateful modes"),
        ("-i --astf", "option --astf is of TRex's stateful modes"),
        ("-i --emu", "the EMU server"),
        ("-i --softwar", "unknown option '--softwar' of t-rex-64: did you mean '--software'?"),
        ("-i --cfg", "option --cfg needs a value"),
        ("-i -c", "option -c needs a value"),
        ("-i -c 0", "option -c '0' is no number from 1"),
        ("-i -c two", "option -c 'two'"),
        ("-i --iom 3", "option --iom '3' is no number from 0 to 2"),
        ("-i --limit-ports 0", "option --limit-ports '0'"),
        ("-i --rpc-port 70000", "option --rpc-port '70000' is no number from 0 to 65535"),
        ("-i --stl=yes", "option --stl takes no value"),
        ("-i profile.yaml", "unknown option 'profile.yaml'"),
    ],
)
def test_what_cannot_be_is_one_line(line: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        trex_options.read(line.split())
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
