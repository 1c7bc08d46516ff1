"""From a method's name to its answer: the handle is checked, and every failure becomes a polite error."""

from __future__ import annotations

import sys
import traceback
from typing import Any

from lab.errors import GeneratorError
from lab.vtrex.generator import Generator
from lab.vtrex.methods import METHODS
from lab.vtrex.params import Params
from lab.vtrex.rpc import INTERNAL_ERROR, INVALID_PARAMS, METHOD_NOT_FOUND, RpcError, refuse

WITHOUT_HANDLE = frozenset({"get_version", "api_sync", "api_sync_v2", "ping"})


def call(generator: Generator, name: str, params: Params) -> Any:
    """Run a method.

    Raises:
        RpcError: whatever goes wrong.

    """
    method = METHODS.get(name)
    if method is None:
        raise RpcError(METHOD_NOT_FOUND, "", f"Method {name} not registered")
    if name not in WITHOUT_HANDLE:
        handle = params.get("api_h")
        if handle is None:
            raise RpcError(INVALID_PARAMS, "field 'api_h' value is null")
        if handle not in generator.api_handles.values():
            raise refuse("API verification failed - API handler provided mismatch")
    try:
        return method(generator, params)
    except GeneratorError as error:
        raise refuse(str(error)) from None
    except RpcError:
        raise
    except Exception as error:  # a fault of this server: the client gets an answer, the operator the place
        traceback.print_exc(file=sys.stderr)
        raise RpcError(INTERNAL_ERROR, f"{type(error).__name__}: {error}") from None
