"""Exports the JSON schema of a testbed file: ``python -m lab.testbed.schema`` rewrites testbeds/schema.json."""

from __future__ import annotations

import json
from typing import Any

from lab import paths
from lab.testbed.model import Testbed

PATH = paths.ROOT / "testbeds" / "schema.json"


def schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a testbed file; its name is the file's and no key."""
    found = Testbed.model_json_schema()
    del found["properties"]["name"]
    found["required"].remove("name")
    return found


def text() -> str:
    """Return the schema as text."""
    return json.dumps(schema(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
