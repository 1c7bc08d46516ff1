"""A rack in a box: networks, controllers and machines that the lab raises around a testbed, on the machine it runs on.

What the controllers run (lab.rackbox.machine) is started often and must be quick: nothing is imported here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.testbed import Testbed


@contextmanager
def raised(testbed: Testbed, run_dir: Path) -> Iterator[None]:
    """Raise the box of a testbed around the calling thread, which must be the main one, and take it down again.

    Inside, the thread is in the network of the lab's own machine (its children and later threads are, too), and
    ``$PIXLAB_RACKBOX`` is the box's folder. Paths of a testbed file are put in when it is loaded: load the testbed
    again inside.

    Args:
        testbed: with a box.
        run_dir: folder for the logs of what runs in the box (rackbox-*.log).

    Raises:
        UsageError: the testbed is none that a box can be raised around.
        LabError: not root, or a program of the box is missing or did not start; with what it said.

    """
    from lab.rackbox.box import raise_box

    with raise_box(testbed, run_dir):
        yield
