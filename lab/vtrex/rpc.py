"""JSON-RPC 2.0 as TRex speaks it: plain or zlib-framed text, batches, and its error codes."""

from __future__ import annotations

import json
import struct
import time
import zlib
from collections.abc import Callable, Sequence
from typing import Any

MAGIC = 0xABE85CEA
FRAME = struct.Struct(">II")
MAX_REQUEST_BYTES = 999_999
MAX_BATCH_S = 5.0  # nobody else is served meanwhile

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
EXECUTE_ERROR = -32000

MESSAGES = {
    PARSE_ERROR: "Bad JSON Format",
    INVALID_REQUEST: "Invalid Request",
    INVALID_PARAMS: "Bad Parameters For Method",
    INTERNAL_ERROR: "Internal Server Error",
    EXECUTE_ERROR: "Failed To Execute Method",
}

Call = Callable[[str, dict[str, Any]], Any]


class RpcError(Exception):
    """A request that is answered by an error; ``text`` is what TRex's clients show to their user."""

    def __init__(self, code: int, text: str, message: str | None = None) -> None:
        """Keep code, the text for the user and, when it differs from the usual one, the message of the code."""
        super().__init__(text)
        self.code = code
        self.text = text
        self.message = message or MESSAGES[code]


def refuse(text: str) -> RpcError:
    """Return the error of a request that is well-formed but cannot be done."""
    return RpcError(EXECUTE_ERROR, text)


def unpack(wire: bytes) -> tuple[bytes, bool]:
    """Return the JSON text of a request and whether it was compressed.

    Raises:
        RpcError: the compressed text is damaged or longer than a request may be.

    """
    if len(wire) < FRAME.size or FRAME.unpack_from(wire)[0] != MAGIC:
        return wire, False
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(wire[FRAME.size :], MAX_REQUEST_BYTES + 1)
    except zlib.error as error:
        raise RpcError(PARSE_ERROR, f"the compressed request is damaged: {error}") from None
    return text, True


def pack(text: bytes, *, compressed: bool) -> bytes:
    """Frame a reply in the way in which its request came."""
    return FRAME.pack(MAGIC, len(text)) + zlib.compress(text, 1) if compressed else text + b"\n"


def serve_wire(parts: Sequence[bytes], call: Call) -> bytes:
    """Answer a message from a client, whatever it is; never raises for what the client sent."""
    compressed = False
    try:
        if len(parts) != 1:
            raise RpcError(INVALID_REQUEST, f"a request is a message of one part, this has {len(parts)}")
        text, compressed = unpack(parts[0])
        if len(text) > MAX_REQUEST_BYTES:
            raise RpcError(INVALID_REQUEST, f"a request may have {MAX_REQUEST_BYTES} bytes at most; split the batch")
        try:
            request = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RpcError(PARSE_ERROR, f"not JSON: {error}") from None
        answer = _serve(request, call)
    except RpcError as error:
        answer = _error(None, error)
    return pack(json.dumps(answer, separators=(",", ":")).encode(), compressed=compressed)


def _serve(request: object, call: Call) -> object:
    if not isinstance(request, list):
        return _serve_one(request, call)
    until_s = time.monotonic() + MAX_BATCH_S
    answers = [_serve_one(element, call if time.monotonic() < until_s else _too_late) for element in request]
    if not answers:
        return None
    return answers[0] if len(answers) == 1 else answers


def _too_late(name: str, params: dict[str, Any]) -> Any:
    raise refuse(f"{name} was not run: the batch takes longer than {MAX_BATCH_S:g} s; split it")


def _serve_one(request: object, call: Call) -> dict[str, Any]:
    identifier: object = None
    try:
        if not isinstance(request, dict):
            raise RpcError(INVALID_REQUEST, "a request is a JSON object")
        identifier = request.get("id")
        if request.get("jsonrpc") != "2.0" or identifier is None or not isinstance(request.get("method"), str):
            raise RpcError(INVALID_REQUEST, "a request has 'jsonrpc': '2.0', an 'id' and a 'method'")
        params = request.get("params")
        if not isinstance(params, dict):
            raise refuse("JSON-RPC2 params should be object in TRex case")
        return {"id": identifier, "jsonrpc": "2.0", "result": call(request["method"], params)}
    except RpcError as error:
        return _error(identifier, error)


def _error(identifier: object, error: RpcError) -> dict[str, Any]:
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.code != METHOD_NOT_FOUND:
        body["specific_err"] = error.text
    return {"id": identifier, "jsonrpc": "2.0", "error": body}
