"""One tree of errors; each class carries the exit code by which CI tells whose fault a failed run is.

Every message is one line that says what is wrong, where, and what to do. Users never see a traceback of these.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LabError(Exception):
    """The lab itself cannot go on: a machine, a service or a tool is missing or broken."""

    exit_code = 10


class UsageError(LabError):
    """What the user asked for cannot be: an option, a testbed file, an image or a manifest is wrong."""

    exit_code = 11


class TestbedUnreachable(LabError):
    """A testbed is described correctly but its machines do not answer."""

    __test__ = False  # not a test class, whatever its name begins with
    exit_code = 12


class TestbedBusy(LabError):
    """Somebody else holds the lease of the testbed, or has taken it away from this run."""

    __test__ = False
    exit_code = 13


class TestbedQuarantined(LabError):
    """The testbed was set aside: its health check failed, or it would not boot. `pixlab testbed restore` ends that."""

    __test__ = False
    exit_code = 18


class GeneratorError(LabError):
    """The traffic generator failed or refused a command; says nothing about the DUT."""

    exit_code = 14


class DutError(LabError):
    """The device under test did not do what it must: no boot, no prompt, a refused command."""

    exit_code = 20


class ImageMismatch(DutError):
    """What booted is not what was asked for or not what was served."""

    exit_code = 21


class WrongFramesReceived(DutError):
    """The device under test sent frames that are not those it was sent: damaged, stale, twice, or to a wrong port."""

    exit_code = 22


def near_misses(wrong: str, known: Iterable[str]) -> str:
    """Name what the user may have meant.

    Args:
        wrong: the word that is not known.
        known: the words that are.

    Returns:
        A clause for the end of an error message: ``did you mean 'a'? there are: a, b``.

    """
    names = sorted(known)
    close = difflib.get_close_matches(wrong, names, n=1, cutoff=0.6)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}there are: {', '.join(names) if names else '(none)'}"
