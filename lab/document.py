"""A YAML file that a user writes: a testbed, a machine, a layout. What is wrong with it is one line with its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import yaml
from pydantic import BaseModel, ValidationError, model_validator

from lab import paths
from lab.errors import UsageError, near_misses
from lab.models import Model

AnyModel = TypeVar("AnyModel", bound=BaseModel)
Location = tuple[int | str, ...]


class Misplaced(ValueError):
    """Something wrong at a place below the record that notices it; ``location`` leads from the record to the place."""

    def __init__(self, problem: str, *location: int | str) -> None:
        super().__init__(problem)
        self.location: Location = location


class Record(Model):
    """A frozen record of a file: unknown keys are named with what may have been meant."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        """Pydantic names an unknown key but not the known ones: a typing error is found faster beside them."""
        if isinstance(data, dict):
            for key in data:
                if key not in cls.model_fields:
                    raise Misplaced(f"unknown key: {near_misses(str(key), cls.model_fields)}", str(key))
        return data


@dataclass(frozen=True)
class Document:
    """A file as it was read: its data, and the nodes that know the lines."""

    path: Path
    node: yaml.MappingNode
    data: dict[str, Any]

    @classmethod
    def read(cls, path: Path, keys: str) -> Self:
        """Read a file whose top is a mapping.

        Args:
            path: the file.
            keys: what it should have, for the remedy: ``kind, description, nodes and links``.

        Raises:
            UsageError: it is no such file.

        """
        try:
            text = path.read_text(encoding="utf-8")
            node, data = yaml.compose(text, Loader=yaml.SafeLoader), yaml.safe_load(text)
        except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
            raise UsageError(f"{shown(path)}: {_one_line(error)}: correct it to be a YAML file") from error
        if node is None:
            raise UsageError(f"{shown(path)}: the file is empty: write {keys} into it")
        if not isinstance(node, yaml.MappingNode):
            raise UsageError(f"{shown(path)}: the top is no mapping: write {keys} as keys")
        _refuse_double_keys(node, path)
        return cls(path, node, data)

    def validated(self, model: type[AnyModel], **more: Any) -> AnyModel:
        """Return the file's data as a model.

        Args:
            model: what it must be.
            more: fields that the file does not have, such as its name.

        Raises:
            UsageError: it is not.

        """
        try:
            return model.model_validate({**self.data, **more})
        except ValidationError as error:
            raise self._explained(error) from error

    def refused(self, location: Location, problem: str) -> UsageError:
        """Return the error that names a place of the file and what is wrong there."""
        return UsageError(f"{self._place(location)}: {problem}")

    def _explained(self, error: ValidationError) -> UsageError:
        """Turn the first complaint of pydantic into one line."""
        first = error.errors()[0]
        cause = first.get("ctx", {}).get("error")
        if isinstance(cause, Misplaced):
            return self.refused((*first["loc"], *cause.location), str(cause))
        if cause is not None:
            return self.refused(first["loc"], str(cause))
        if first["type"] == "missing":
            return self.refused(first["loc"], "the key is missing: add it")
        value = repr(first["input"])
        value = value if len(value) <= 60 else value[:57] + "..."
        message = first["msg"][0].lower() + first["msg"][1:]
        return self.refused(first["loc"], f"{message}: correct the value {value}")

    def _place(self, location: Location) -> str:
        """Name a place of the file: its line and key path. The tags that pydantic puts into a location are left out."""
        node: yaml.Node = self.node
        line, words = node.start_mark.line, ""
        last = len(location) - 1
        for depth, part in enumerate(location):
            child = _child(node, part)
            if child is not None:
                line, node = child
            elif depth != last:
                continue  # the tag of a union, such as "dut" or "qemu"
            words += f"[{part}]" if isinstance(part, int) else f".{part}"
        return f"{shown(self.path)} line {line + 1}{': ' if words else ''}{words.lstrip('.')}"


def named_file(name: str, folder: Path, kind: str, others: Iterable[str] = ()) -> Path:
    """Find a file by the name of one in a folder, or by its path.

    Args:
        name: ``e5-2670x2`` for folder/e5-2670x2.yaml, or any path that ends in .yaml.
        folder: of the named files.
        kind: what it is, for the error: ``machine``.
        others: names that are no files, for the error.

    Raises:
        UsageError: there is no such file.

    """
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        if not path.is_file():
            raise UsageError(f"{kind} {name!r}: there is no such file")
        return path
    known = [path.stem for path in sorted(folder.glob("*.yaml"))]
    if name not in known:
        hint = near_misses(name, [*known, *others])
        raise UsageError(f"unknown {kind} {name!r}: {hint} (or the path of a .yaml file)")
    return folder / f"{name}.yaml"


def shown(path: Path) -> str:
    """Show a path as the user typed or sees it: from the top of the checkout where it lies in it."""
    return str(path.relative_to(paths.ROOT)) if path.is_relative_to(paths.ROOT) else str(path)


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
                    f"{shown(path)} line {key.start_mark.line + 1}: the key {key.value!r} was already given in line "
                    f"{seen[key.value]}: remove one"
                )
            seen[key.value] = key.start_mark.line + 1
            _refuse_double_keys(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_double_keys(value, path)


def _one_line(error: Exception) -> str:
    """Reduce the many lines of a YAML error to problem and place."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return f"line {mark.line + 1}: not YAML: {getattr(error, 'problem', 'syntax error')}"
    return " ".join(str(error).split())
