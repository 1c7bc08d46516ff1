"""Answers all points of a sweep and keeps each answer as soon as it is there, so that an interruption costs little."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path

from lab import paths
from lab.errors import LabError
from lab.progress import Progress
from lab.simulation.sweep_record import Answer, Record
from lab.simulation.workers import Task

Source = Callable[[Sequence[Task]], Generator[Answer]]


class Interrupted(LabError):
    """Somebody pressed Ctrl-C; what is done is kept."""

    exit_code = 130


def sweep(tasks: Sequence[Task], source: Source, resumed: Path | None) -> list[Answer]:
    """Answer tasks that the file has no answer of yet; equal questions are answered once.

    Args:
        tasks: all points.
        source: answers tasks, in any order.
        resumed: file of answers, which stays; None: one of its own, which is left only if not all could be answered.

    Returns:
        an answer for each task, in their order.

    Raises:
        Interrupted: by Ctrl-C.
        LabError: the file or a worker failed. Both say how to go on.

    """
    path = resumed or paths.state_dir() / "sweeps" / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.jsonl"
    record = Record(path)
    by_digest = {task.question.digest: task for task in tasks}
    todo = [task for digest, task in by_digest.items() if digest not in record.known]
    progress = Progress(len(todo), "points")
    try:
        if todo:
            with closing(source(todo)) as answers:
                for answer in answers:
                    record.append(answer)
                    progress.step()
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; {_left(record, by_digest, path)}") from None
    except LabError as error:
        raise type(error)(f"{error}; {_left(record, by_digest, path)}") from error
    finally:
        progress.end()
        record.close()
        if not record.known or (resumed is None and by_digest.keys() <= record.known.keys()):
            path.unlink()
    return [record.known[task.question.digest].model_copy(update={"values": task.values}) for task in tasks]


def _left(record: Record, by_digest: dict[str, Task], path: Path) -> str:
    done = sum(digest in record.known for digest in by_digest)
    if not done:
        return "no point was done"
    return f"{done} of {len(by_digest)} points are done: go on with the same options and --resume {path}"
