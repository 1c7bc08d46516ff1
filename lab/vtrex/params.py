"""Typed access to the parameters of a request; what is missing or of another type is answered by TRex's error."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from typing import Any

from lab.vtrex.rpc import INVALID_PARAMS, RpcError

Params = Mapping[str, Any]
_REQUIRED: Any = object()


def _get(params: Params, name: str, kind: str, default: Any) -> Any:
    value = params.get(name)
    if value is None:
        if default is _REQUIRED:
            raise RpcError(INVALID_PARAMS, f"field '{name}' value is null")
        return default
    types: dict[str, type | tuple[type, ...]] = {
        "bool": bool, "int": int, "number": (int, float), "string": str, "object": dict, "array": list
    }  # fmt: skip
    if not isinstance(value, types[kind]) or (isinstance(value, bool) and kind != "bool"):
        raise RpcError(INVALID_PARAMS, f"field '{name}' is {value!r}, expected a value of type {kind}")
    return value


def integer(params: Params, name: str, default: Any = _REQUIRED, *, low: int = 0, high: int = 2**64 - 1) -> int:
    """Return an integer field between ``low`` and ``high``."""
    value = _get(params, name, "int", default)
    if not low <= value <= high:
        raise RpcError(INVALID_PARAMS, f"field '{name}' is {value}, expected {low} to {high}")
    return int(value)


def number(params: Params, name: str, default: Any = _REQUIRED) -> float:
    """Return a finite number field."""
    value = _get(params, name, "number", default)
    if not abs(value) < 1e300 or not math.isfinite(value):
        raise RpcError(INVALID_PARAMS, f"field '{name}' is no finite number")
    return float(value)


def boolean(params: Params, name: str, default: Any = _REQUIRED) -> bool:
    """Return a boolean field."""
    return bool(_get(params, name, "bool", default))


def string(params: Params, name: str, default: Any = _REQUIRED) -> str:
    """Return a text field; half a surrogate pair, which JSON can have, is no text."""
    value = str(_get(params, name, "string", default))
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise RpcError(INVALID_PARAMS, f"field '{name}' is no Unicode text")
    return value


def mapping(params: Params, name: str, default: Any = _REQUIRED) -> dict[str, Any]:
    """Return an object field."""
    value: dict[str, Any] = _get(params, name, "object", default)
    return value


def array(params: Params, name: str, default: Any = _REQUIRED) -> list[Any]:
    """Return an array field."""
    value: list[Any] = _get(params, name, "array", default)
    return value


def binary(params: Params, name: str) -> bytes:
    """Return the bytes of a base64 field."""
    try:
        return base64.b64decode(string(params, name), validate=True)
    except (binascii.Error, ValueError):
        raise RpcError(INVALID_PARAMS, f"field '{name}' is not base64") from None
