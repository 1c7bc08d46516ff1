"""Whether the engine's memory is of huge pages: when enough of them are free, or as told."""

from __future__ import annotations

from pathlib import Path

from lab.errors import UsageError

HUGE_PAGES = Path("/sys/kernel/mm/hugepages")
CHOICES = ("auto", "on", "off")


def free_mb(pool: Path) -> int:
    """Return the megabytes that are free in a pool of huge pages, a folder ``hugepages-2048kB``."""
    page_kb = int(pool.name.removeprefix("hugepages-").removesuffix("kB"))
    free = int((pool / "free_hugepages").read_text()) - int((pool / "resv_hugepages").read_text())
    return max(0, free) * page_kb // 1024


def use_huge_pages(choice: str, needed_mb: int) -> bool:
    """Tell whether to use huge pages.

    Args:
        choice: ``auto``: if there are enough free ones of one size; ``on``, ``off``.
        needed_mb: how much memory it is about.

    Raises:
        UsageError: ``on``, and there are too few; or no choice at all.

    """
    if choice not in CHOICES:
        raise UsageError(f"--huge {choice} is not one of {', '.join(CHOICES)}")
    if choice == "off":
        return False
    most_mb = max((free_mb(pool) for pool in HUGE_PAGES.glob("hugepages-*")), default=0)
    if most_mb >= needed_mb:
        return True
    if choice == "on":
        how = f"sysctl vm.nr_hugepages={needed_mb // 2} makes some of 2 MB"
        raise UsageError(f"--huge on: {needed_mb} MB of free huge pages are needed, and there are {most_mb}; {how}")
    return False
