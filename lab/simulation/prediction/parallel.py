"""Runs independent simulations side by side; the answers come in the order of the questions, whatever the number."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from lab.errors import UsageError

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def in_parallel(work: Callable[[Item], Answer], items: Iterable[Item], jobs: int) -> list[Answer]:
    """Do the work for each item, at most ``jobs`` at a time, in threads: the C kernel runs without Python's lock.

    Args:
        work: must depend on its item only.
        items: in the order of the answers.
        jobs: at least 1; with 1 nothing runs beside the caller.

    Raises:
        UsageError: jobs is below 1.
        Exception: what work raised first, by the order of the items.

    """
    if jobs < 1:
        raise UsageError(f"jobs {jobs}: at least one simulation must run at a time")
    if jobs == 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
