"""The store: every run in one database, so that runs can be listed, compared and exported."""

from __future__ import annotations

from lab.results.store.database import Database, StoreError, store_url
from lab.results.store.runs import check, put

__all__ = ["Database", "StoreError", "check", "put", "store_url"]
