"""Exports the JSON schema of a machine file: ``python -m lab.simulation.machines.schema`` rewrites schema.json."""

from __future__ import annotations

import json
from pathlib import Path

from lab.simulation.machines.model import MachineFile

PATH = Path(__file__).with_name("schema.json")


def text() -> str:
    """Return the JSON schema (draft 2020-12) of a machine file as text."""
    return json.dumps(MachineFile.model_json_schema(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
