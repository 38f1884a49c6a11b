"""Locks between processes, on files. The kernel releases them when a process ends, however it ends."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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


@contextmanager
def locked_if_free(lock: Path) -> Iterator[int | None]:
    """Takes the lock, a file or a folder, for the block. Yields its descriptor, or None if it is taken.

    A program that inherits the descriptor keeps the lock until it ends, after the block or this process.
    """
    descriptor = os.open(lock, os.O_RDONLY if lock.is_dir() else os.O_RDWR | os.O_CREAT, 0o666)
    try:
        is_free = False
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_free = True
        yield descriptor if is_free else None
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether a process holds a lock on the file."""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
