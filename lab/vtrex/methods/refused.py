"""Methods of TRex that this server has not, for a reason that it tells; get_supported_cmds does not list them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lab.vtrex import params as p
from lab.vtrex.generator import Generator
from lab.vtrex.rpc import refuse

_TAGGED = "tagged packet groups are not supported by this generator; use packet groups (flow_stats)"
_NAMESPACES = "this command needs TRex's stack 'linux_based'; this generator's ports have the stack 'legacy'"

REASONS = {
    "enable_tpg": _TAGGED,
    "disable_tpg": _TAGGED,
    "get_tpg_state": _TAGGED,
    "update_tpg_tags": _TAGGED,
    "get_tpg_tags": _TAGGED,
    "clear_updated": _TAGGED,
    "get_tpg_stats": _TAGGED,
    "clear_tpg_stats": _TAGGED,
    "get_tpg_tx_stats": _TAGGED,
    "clear_tpg_tx_stats": _TAGGED,
    "get_tpg_unknown_tags": _TAGGED,
    "clear_tpg_unknown_tags": _TAGGED,
    "conf_ns_batch": _NAMESPACES,
}


def _refusing(reason: str) -> Callable[[Generator, p.Params], Any]:
    def method(generator: Generator, params: p.Params) -> Any:
        raise refuse(reason)

    return method


METHODS = {name: _refusing(reason) for name, reason in REASONS.items()}
