"""Every recorded reply of a real TRex v3.08 server has, field by field, the shape of ours.

recorded_v308.jsonl holds the requests in their order; repeated ones were left out of it, so the traffic that must run
meanwhile is started here. Durations are shortened.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.vtrex.serving import Rpc, Server, connected

RECORD = Path(__file__).with_name("recorded_v308.jsonl")
SESSION = 3137008520
# Where ours may lack what the recorded server had, and why.
LACKING = {
    "result.attr.layer_cfg.ipv4.dst": "no address by a configuration file",
    "result.attr.layer_cfg.ipv4.src": "no address by a configuration file",
}
KEYED_BY_DATA = ("cpu-socket-0", "histogram", "ver_id", "tp", "tb", "rp", "rb", "tps", "tbs", "rps", "rbs")


def differences(theirs: Any, ours: Any, path: str = "result") -> Iterator[str]:
    """Name what ours lacks or has of another type. Numbers may be integers where theirs happen to be fractions of 0."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        if path.rsplit(".", 1)[-1] in KEYED_BY_DATA:
            theirs, ours = list(theirs.values()), list(ours.values())
            yield from differences(theirs, ours, f"{path}.values")
            return
        for key, value in theirs.items():
            here = f"{path}.{key}"
            if key in ours:
                yield from differences(value, ours[key], here)
            elif here not in LACKING:
                yield f"{here} is missing"
    elif isinstance(theirs, list) and isinstance(ours, list):
        if theirs and ours:
            yield from differences(theirs[0], ours[0], f"{path}[]")
    elif isinstance(theirs, bool) or isinstance(ours, bool) or theirs is None or ours is None:
        if type(theirs) is not type(ours):
            yield f"{path} is {ours!r}, recorded {theirs!r}"
    elif isinstance(theirs, int | float) and isinstance(ours, int | float):
        if isinstance(ours, float) and isinstance(theirs, int):
            yield f"{path} is the fraction {ours!r}, recorded {theirs!r}"
    elif type(theirs) is not type(ours):
        yield f"{path} is {ours!r}, recorded {theirs!r}"


class Replay:
    """Sends the recorded requests with this server's handles and collects the differences."""

    def __init__(self, rpc: Rpc, api_h: str) -> None:
        self.rpc = rpc
        self.recorded_api_h = api_h
        self.seen: set[str] = set()
        self.found: list[str] = []

    def start(self, duration: float) -> None:
        mul = {"type": "raw", "value": 1.0, "op": "abs"}
        self.rpc.call("start_traffic", port_id=0, profile_id="_", mul=mul, duration=duration, force=False)

    def before(self, phase: str) -> None:
        """Do what the record leaves out ahead of the first request of a phase."""
        if phase == "wait":
            self.rpc.wait_idle(0)
        elif phase == "stop":
            self.start(-1)
            self.rpc.call("get_async_events", session_id=SESSION)
        elif phase == "errors":
            self.rpc.call("stop_traffic", port_id=0, profile_id="_")

    def adapt(self, request: dict[str, Any]) -> dict[str, Any]:
        params = dict(request["params"])
        if params.get("api_h") == self.recorded_api_h:
            params["api_h"] = self.rpc.api_h
        if params.get("handler") not in (None, "bogus"):
            params["handler"] = self.rpc.handlers.get(params["port_id"], "none")
        if params.get("duration", 0) > 0:
            params["duration"] = 0.4
        if params.get("command") in ("stop", "fetch", "remove"):
            params["capture_id"] = self.capture_id
        return {**request, "params": params}

    def one(self, recorded: dict[str, Any], theirs: dict[str, Any], ours: dict[str, Any]) -> None:
        method = recorded["method"]
        self.seen.add(method)
        if "error" in theirs:
            if ours.get("error", {}).get("code") != theirs["error"]["code"]:
                self.found.append(f"{method}: {ours}, recorded {theirs['error']}")
            return
        if "error" in ours:
            self.found.append(f"{method}: refused with {ours['error']}")
            return
        self.found += [f"{method}: {text}" for text in differences(theirs["result"], ours["result"])]
        if method == "api_sync":
            self.rpc.api_h = ours["result"]["api_vers"][0]["api_h"]
        if method == "acquire":
            self.rpc.handlers[recorded["params"]["port_id"]] = ours["result"]
        if recorded["params"].get("command") == "start":
            self.capture_id = ours["result"]["capture_id"]

    def entry(self, entry: dict[str, Any]) -> None:
        batch = isinstance(entry["request"], list)
        recorded = entry["request"] if batch else [entry["request"]]
        theirs = entry["response"] if isinstance(entry["response"], list) else [entry["response"]]
        adapted = [self.adapt(request) for request in recorded]
        answer = self.rpc.send(adapted if batch else adapted[0], compressed=True)
        ours = answer if isinstance(answer, list) else [answer]
        assert [reply["id"] for reply in ours] == [request["id"] for request in recorded]
        for request, their, our in zip(recorded, theirs, ours, strict=True):
            self.one(request, their, our)


@pytest.fixture
def replayed(wire_server: Server) -> Iterator[Replay]:
    with connected(wire_server) as rpc:
        replay = Replay(rpc, "55sbVfei")
        phase = ""
        for line in RECORD.read_text().splitlines():
            entry = json.loads(line)
            if entry["phase"] != phase:
                phase = entry["phase"]
                replay.before(phase)
            requests = entry["request"] if isinstance(entry["request"], list) else [entry["request"]]
            if requests[0]["method"] == "resume_traffic":
                replay.start(-1)
                replay.rpc.call("pause_traffic", port_id=0, profile_id="_")
            replay.entry(entry)
        yield replay


def test_replies_have_the_recorded_shape(replayed: Replay) -> None:
    assert replayed.found == []
    assert len(replayed.seen) > 30
