"""Answers the points of a sweep: in processes of this machine, or on the workers of a Dask scheduler."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import socket
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from lab.errors import LabError
from lab.simulation import native
from lab.simulation.prediction import Question, predict
from lab.simulation.sweep_record import Answer
from lab.simulation.version import MODEL_VERSION

CONNECT_TIMEOUT_S = 3
PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True)
class Program:
    """What must be the same wherever the points of one sweep are answered."""

    model_version: str
    c_kernel: bool


def here() -> Program:
    """Return what this process simulates with."""
    return Program(MODEL_VERSION, native.available())


@dataclass(frozen=True)
class Task:
    """A point to be answered: its values as they were written, and its question with all numbers."""

    values: dict[str, str]
    question: Question
    program: Program


def answer(task: Task) -> Answer:
    """Answer one point with the one process that this runs in.

    Raises:
        LabError: this process simulates with another program than who asks.

    """
    worker = f"{socket.gethostname()}:{os.getpid()}"
    if here() != task.program:
        raise LabError(
            f"worker {worker} simulates with {here()}, this process with {task.program}: install that version there "
            "and build its kernel (make native)"
        )
    digest = task.question.digest
    try:
        return Answer(digest=digest, values=task.values, prediction=predict(task.question, jobs=1), worker=worker)
    except LabError as error:
        return Answer(digest=digest, values=task.values, error=str(error), worker=worker)


def in_processes(tasks: Sequence[Task], jobs: int) -> Generator[Answer]:
    """Answer points in ``jobs`` processes of this machine; answers come as they are ready.

    Processes and not threads: making a scene is Python, which runs one thread at a time. Whoever stops listening ends
    the processes.

    Raises:
        LabError: a process ended by itself.

    """
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(min(jobs, len(tasks)), fork, _begin, (os.getpid(),)) as pool:
        before = set(multiprocessing.active_children())
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # not before a worker has _begun
        futures = [pool.submit(answer, task) for task in tasks]
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise LabError(
                f"one of {jobs} worker processes ended by itself (was it killed, is memory short?): try fewer --jobs"
            ) from error
        finally:
            if not all(future.done() for future in futures):
                pool.shutdown(wait=False, cancel_futures=True)
                for child in set(multiprocessing.active_children()) - before:
                    child.terminate()


def _begin(parent: int) -> None:
    """Have this worker end with its parent, however that ends, and leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def on_dask(tasks: Sequence[Task], address: str) -> Generator[Answer]:
    """Answer points on the workers of a Dask scheduler; answers come as they are ready.

    Questions are sent whole, so that workers need no files of the user, only the same version of this package.

    Args:
        tasks: the points.
        address: of the scheduler, ``tcp://HOST:PORT``.

    Raises:
        LabError: nobody answers there, it has no workers, or a worker failed.

    """
    import distributed  # takes a second, and few need it

    try:
        client = distributed.Client(address, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise LabError(
            f"--dask {address}: no Dask scheduler answers there within {CONNECT_TIMEOUT_S} s: start one with "
            "'dask scheduler', and workers with 'dask worker ADDRESS'"
        ) from error
    try:
        if not client.scheduler_info()["workers"]:
            raise LabError(f"--dask {address}: the scheduler has no workers: start some with 'dask worker {address}'")
        futures = client.map(answer, tasks, pure=False)
        for _, found in distributed.as_completed(futures, loop=client.loop, with_results=True):
            if not isinstance(found, Answer):  # as it hands out what was cancelled
                raise LabError(f"--dask {address}: the scheduler or its workers are gone")
            yield found
    except (distributed.KilledWorker, distributed.CancelledError, OSError, ImportError) as error:
        raise LabError(f"--dask {address}: a worker failed: {' '.join(str(error).split())}") from error
    finally:
        client.close()
