"""Exports the JSON schema of results.json: ``python -m lab.results.schema`` rewrites schema.json beside this file."""

from __future__ import annotations

import json
from pathlib import Path

from lab.results.model import Results

PATH = Path(__file__).with_name("schema.json")


def text() -> str:
    """Return the JSON schema (draft 2020-12) of results.json as text."""
    return json.dumps(Results.model_json_schema(mode="serialization"), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
