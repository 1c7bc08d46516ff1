"""The base of the records of a testbed file: unknown keys are named with what may have been meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import model_validator

from lab.errors import near_misses
from lab.models import Model


class UnknownKey(ValueError):
    """A key that a record does not have; the loader finds its line by ``key``."""

    def __init__(self, key: str, known: Iterable[str]) -> None:
        super().__init__(f"unknown key: {near_misses(key, known)}")
        self.key = key


class Record(Model):
    """A frozen record of a testbed file."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        """Pydantic names an unknown key but not the known ones: a typing error is found faster beside them."""
        if isinstance(data, dict):
            for key in data:
                if key not in cls.model_fields:
                    raise UnknownKey(str(key), cls.model_fields)
        return data
