"""Reading a testbed file. Whatever is wrong with it is one line: file, line, place, remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from lab import paths
from lab.errors import UsageError, near_misses
from lab.testbed.base import UnknownKey
from lab.testbed.model import Testbed


def load(name: str, directory: Path = paths.TESTBEDS) -> Testbed:
    """Load the testbed that is described in ``directory/name.yaml``.

    Raises:
        UsageError: there is no such file, or something in it is wrong.

    """
    known = [path.stem for path in sorted(directory.glob("*.yaml"))]
    if name not in known:
        raise UsageError(f"unknown testbed {name!r} in {_shown(directory)}: {near_misses(name, known)}")
    path = directory / f"{name}.yaml"
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"{_shown(path)}: {_one_line(error)}: correct it to be a YAML file") from error
    if node is None:
        raise UsageError(f"{_shown(path)}: the file is empty: write kind, description, nodes and links into it")
    if not isinstance(node, yaml.MappingNode):
        raise UsageError(f"{_shown(path)}: the top is no mapping: write kind, description, nodes and links as keys")
    _refuse_double_keys(node, path)
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    if "name" in data:
        raise UsageError(f"{_shown(path)}: name: a testbed is named by its file: remove the key")
    try:
        testbed = Testbed.model_validate({**data, "name": name})
    except ValidationError as error:
        raise UsageError(_explain(error, node, path)) from error
    return testbed


def _explain(error: ValidationError, node: yaml.Node, path: Path) -> str:
    """Turn the first complaint of pydantic into one line."""
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, UnknownKey):
        return f"{_place(path, node, (*first['loc'], cause.key))}: {cause}"
    if cause is not None:
        return f"{_place(path, node, first['loc'])}: {cause}"
    if first["type"] == "missing":
        return f"{_place(path, node, first['loc'])}: the key is missing: add it"
    shown = repr(first["input"])
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    message = first["msg"][0].lower() + first["msg"][1:]
    return f"{_place(path, node, first['loc'])}: {message}: correct the value {shown}"


def _place(path: Path, node: yaml.Node, location: tuple[int | str, ...]) -> str:
    """Name a place of a file: its line and key path. The tags that pydantic puts into a location are left out."""
    line, words = node.start_mark.line, ""
    last = len(location) - 1
    for depth, part in enumerate(location):
        child = _child(node, part)
        if child is not None:
            line, node = child
        elif depth != last:
            continue  # the tag of a union, such as "dut" or "qemu"
        words += f"[{part}]" if isinstance(part, int) else f".{part}"
    return f"{_shown(path)} line {line + 1}{': ' if words else ''}{words.lstrip('.')}"


def _child(node: yaml.Node, part: int | str) -> tuple[int, yaml.Node] | None:
    """Return line and node of what stands under a key or an index, or None."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key.start_mark.line, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        value = node.value[part]
        return value.start_mark.line, value
    return None


def _refuse_double_keys(node: yaml.Node, path: Path) -> None:
    """YAML forbids a key written twice; PyYAML silently keeps the last one."""
    if isinstance(node, yaml.MappingNode):
        seen: dict[Any, int] = {}
        for key, value in node.value:
            if key.value in seen:
                raise UsageError(
                    f"{_shown(path)} line {key.start_mark.line + 1}: the key {key.value!r} was already given in line "
                    f"{seen[key.value]}: remove one"
                )
            seen[key.value] = key.start_mark.line + 1
            _refuse_double_keys(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_double_keys(value, path)


def _shown(path: Path) -> str:
    """Show a path as the user typed or sees it: from the top of the checkout where it lies in it."""
    return str(path.relative_to(paths.ROOT)) if path.is_relative_to(paths.ROOT) else str(path)


def _one_line(error: Exception) -> str:
    """Reduce the many lines of a YAML error to problem and place."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return f"line {mark.line + 1}: not YAML: {getattr(error, 'problem', 'syntax error')}"
    return " ".join(str(error).split())
