"""The base of every data model of the lab."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A frozen record that refuses keys it does not know. Units stand in the names of its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
