"""TRex's start options (``t-rex-64 -i ...``): which work, which mean nothing here, which ask for another program.

Source: TRex manual, "Command line options", and the help that its releases print.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import UsageError, near_misses
from lab.vtrex.settings import Said

DEFAULT_CONFIG = Path("/etc/trex_cfg.yaml")

_FLAGS = {"-i", "--stl", "-h", "--help"}
_WITH_VALUE = {"-c", "--cfg", "--prefix", "--iom", "--limit-ports"}
_OWN_WITH_VALUE = {"--bind", "--rpc-port", "--async-port", "--core", "--netns"}  # of `serve`; TRex has no such options

# They change nothing that a stateless server of this kind does; some only count with -f, even for TRex.
_UNUSED_FLAGS = {
    *("--allow-coredump", "--checksum-offload", "--checksum-offload-disable", "--close-at-end", "--flip", "--hdrh"),
    *("--ipv6", "--lo", "--lro-disable", "--mlx4-so", "--mlx5-so", "--bnxt-so", "--ntacc-so", "--nc", "--no-key"),
    *("--no-flow-control-change", "--no-hw-flow-stat", "--no-ofed-check", "--no-scapy-server", "--no-termio"),
    *("--no-watchdog", "--prom", "--queue-drop", "--rt", "--scapy-server", "--sleeps", "--software", "--tso-disable"),
    *("--unbind-unused-ports", "--vlan", "--x710-reset-threshold", "-e", "-p", "-pubd", "--latency-diag"),
}
_UNUSED_WITH_VALUE = {
    *("--active-flows", "--arp-refresh-period", "--hops", "--lm", "--mbuf-factor", "--rpc-log", "-d", "-k", "-l", "-m"),
    *("-pm", "-v", "-w", "--l-pkt-mode"),
}
_STATEFUL = {
    *("-f", "--astf", "--astf-server-only", "--astf-client-mask", "--astf-emul-debug", "--client-cfg", "--client_cfg"),
    *("--learn", "--learn-mode", "--learn-verify", "--rx-check", "-t", "--nat-check"),
}
_OTHER_PROGRAMS = {"--bird-server": "BIRD", "--emu": "the EMU server", "--dump-interfaces": "a lister of interfaces"}

HELP = f"""\
Usage: pixlab vtrex t-rex-64 -i [--stl] [--cfg FILE] [OPTIONS]

Serve as `pixlab vtrex serve` does, started with TRex's options:
  -i               interactive: wait for clients; required
  --cfg FILE       TRex's configuration file (default {DEFAULT_CONFIG})
  -c N             polling threads of a pair of ports, on the first CPUs of platform.dual_if.threads
  --limit-ports N  use the first N ports of the file
  --prefix NAME    name of this server among several on a machine
  --iom N          0: no status line; 1 or 2: one, also when stderr is no terminal
and with options of this generator:
  --bind ADDRESS   address to listen on (default 127.0.0.1)
  --rpc-port N, --async-port N, --core N, --netns NAME   as of `pixlab vtrex serve`
Accepted without effect: {" ".join(sorted(_UNUSED_FLAGS | _UNUSED_WITH_VALUE))}
"""


@dataclass(frozen=True)
class TrexOptions:
    """A command line; ``unused`` are options on it that change nothing."""

    config: Path
    said: Said
    port_limit: int | None
    threads: int | None
    unused: tuple[str, ...]
    wants_help: bool = False


def read(words: Sequence[str]) -> TrexOptions:
    """Read the words of a command line after the program's name.

    Raises:
        UsageError: an option is unknown, lacks its value, or asks for what this generator is not.

    """
    given, unused = _split(words)
    wants_help = bool({"-h", "--help"} & given.keys())
    if "-i" not in given and not wants_help:
        raise UsageError("t-rex-64 without -i would run a profile and end; this generator waits for clients: give -i")
    iom = _number(given, "--iom", 0, 2)
    said: Said = {
        "rpc_port": _number(given, "--rpc-port", 0, 65535),
        "async_port": _number(given, "--async-port", 0, 65535),
        "bind": given.get("--bind"),
        "core": given.get("--core"),
        "netns": given.get("--netns"),
        "prefix": given.get("--prefix"),
        "status": None if iom is None else iom > 0,
    }
    config = Path(given.get("--cfg", DEFAULT_CONFIG))
    limits = _number(given, "--limit-ports", 1, 1024), _number(given, "-c", 1, 1024)
    return TrexOptions(config, said, *limits, tuple(unused), wants_help)


def _split(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return the options that count with their values (flags: an empty one), and those that do not."""
    given: dict[str, str] = {}
    unused: list[str] = []
    rest = list(words)
    while rest:
        word, equals, value = rest.pop(0).partition("=")
        _refuse_other_modes(word)
        if word in _FLAGS | _UNUSED_FLAGS:
            if equals:
                raise UsageError(f"option {word} takes no value")
        elif word not in _WITH_VALUE | _OWN_WITH_VALUE | _UNUSED_WITH_VALUE:
            known = _FLAGS | _WITH_VALUE | _OWN_WITH_VALUE | _UNUSED_FLAGS | _UNUSED_WITH_VALUE
            raise UsageError(f"unknown option {word!r} of t-rex-64: {near_misses(word, known)}")
        elif not equals:
            if not rest:
                raise UsageError(f"option {word} needs a value")
            value = rest.pop(0)
        if word in _UNUSED_FLAGS | _UNUSED_WITH_VALUE:
            unused.append(word)
        else:
            given[word] = value
    return given, unused


def _refuse_other_modes(word: str) -> None:
    if word in _STATEFUL:
        raise UsageError(f"option {word} is of TRex's stateful modes; this generator is stateless: start it with -i")
    if word in _OTHER_PROGRAMS:
        raise UsageError(f"option {word} asks for {_OTHER_PROGRAMS[word]}, which this generator does not have")


def _number(given: dict[str, str], name: str, low: int, high: int) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not text.isdecimal() or not low <= int(text) <= high:
        raise UsageError(f"option {name} {text!r} is no number from {low} to {high}")
    return int(text)
