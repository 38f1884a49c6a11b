"""Locks between processes, on files. The kernel releases them when a process ends, however it ends."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusively(lock: Path, *, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Runs the block while no other process runs one under the same lock; calls `waiting` if it has to wait.

    The lock is a file. It and its folder are created if need be.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    if lock.exists() and is_locked(lock):
        waiting()
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_locked(path: Path) -> bool:
    """Whether a process holds a lock on the file."""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
