"""Measures one run of a client: seconds, by stage; memory of the client and of the server; bytes written."""

import os
import resource
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg

SAMPLE_SECONDS = 0.1


@dataclass(frozen=True)
class Limits:
    """When a client is stopped: a client that needs more cannot do the job on this machine."""

    seconds: float
    client_bytes: int


@dataclass(frozen=True)
class Measurement:
    """What one run took."""

    seconds: float
    """From the start of the client's process to its end."""
    stages: dict[str, float] = field(default_factory=dict)
    """Seconds of each stage: since the reported end of the one before."""
    client_bytes: int = 0
    """Peak of the resident memory of the client's processes."""
    server_bytes: int = 0
    """Peak of the memory of the server's processes; shared memory counts once."""
    written_bytes: int | None = None
    """What the server's processes wrote: WAL, tables, indexes and temporary files. None if the system does not tell."""
    wal_bytes: int = 0
    """How much of it was WAL."""
    cpu_seconds: float = 0
    """CPU time of the client, and of those of its processes that it waited for."""
    error: str = ""
    """Why the run failed; empty if it did not."""


def measure(
    command: Sequence[str], *, environment: Mapping[str, str], url: str, data: Path, log: Path, limits: Limits
) -> Measurement:
    """Runs a client that prints the names of its stages, on the server at `url` whose data directory is `data`.

    The rest of the client's output is appended to the file `log`.
    """
    # Both times the server first writes all that is pending: no client pays for another, or leaves a debt.
    wal_before = _wal_after_checkpoint(url)
    sampler = _Sampler(postmaster=psutil.Process(int((data / "postmaster.pid").read_text().split()[0])))
    written_before = sampler.written
    stages: dict[str, float] = {}
    cpu_before = _cpu_of_children()
    began = mark = time.perf_counter()
    with (
        log.open("ab") as errors,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True) as client,
    ):
        sampler.watch(psutil.Process(client.pid), limits, deadline=began + limits.seconds)
        assert client.stdout is not None  # noqa: S101 (narrows the type)
        for line in client.stdout:
            now = time.perf_counter()
            stages[line.strip()] = now - mark
            mark = now
        status = client.wait()
    seconds = time.perf_counter() - began
    cpu_seconds = _cpu_of_children() - cpu_before
    sampler.stop()
    wal = _wal_after_checkpoint(url) - wal_before
    sampler.look_at_server()
    return Measurement(
        seconds,
        stages,
        sampler.client_peak,
        sampler.server_peak,
        None if written_before is None or sampler.written is None else sampler.written - written_before,
        wal,
        cpu_seconds,
        error=sampler.stopped_for or (f"exit status {status}, see {log}" if status else ""),
    )


class _Sampler(threading.Thread):
    """Samples the processes of the client and the server repeatedly, from its own thread."""

    def __init__(self, *, postmaster: psutil.Process) -> None:
        super().__init__(daemon=True)
        self.client_peak = self.server_peak = 0
        self.stopped_for = ""
        self._postmaster = postmaster
        self._written: dict[int, int] = {}
        self._done = threading.Event()
        self.look_at_server()

    @property
    def written(self) -> int | None:
        """What the server's processes have written in their lifetimes, ended ones as last seen."""
        return sum(self._written.values()) if self._written else None

    def watch(self, client: psutil.Process, limits: Limits, *, deadline: float) -> None:
        """Starts to look."""
        self._client, self._limits, self._deadline = client, limits, deadline
        self.start()

    def stop(self) -> None:
        """Ends it."""
        self._done.set()
        self.join()

    def run(self) -> None:
        """The work of the thread."""
        while not self._done.wait(SAMPLE_SECONDS):
            self._look_at_client()
            self.look_at_server()

    def look_at_server(self) -> None:
        """Takes the memory of the server's processes, and what each of them has written."""
        size = 0
        for process in _tree(self._postmaster):
            with suppress(psutil.Error):
                memory = process.memory_full_info()
                size += getattr(memory, "pss", memory.uss)
                if hasattr(process, "io_counters"):  # not on macOS
                    self._written[process.pid] = process.io_counters().write_chars
        self.server_peak = max(self.server_peak, size)

    def _look_at_client(self) -> None:
        size, processes = 0, _tree(self._client)
        for process in processes:
            with suppress(psutil.Error):
                size += process.memory_info().rss
        self.client_peak = max(self.client_peak, size)
        if size > self._limits.client_bytes:
            self.stopped_for = f"needs more than {self._limits.client_bytes / 1e9:g} GB"
        elif time.perf_counter() > self._deadline:
            self.stopped_for = f"takes longer than {self._limits.seconds:g} s"
        if self.stopped_for:
            for process in processes:
                with suppress(psutil.Error):
                    process.kill()


def _tree(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return [process, *process.children(recursive=True)]
    return []


def _cpu_of_children() -> float:
    """The CPU seconds of all processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _wal_after_checkpoint(url: str) -> int:
    """The bytes of WAL written so far, once all pages are written."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("checkpoint")
        row = connection.execute("select wal_bytes from pg_stat_wal").fetchone()
    return int(row[0]) if row else 0


def clean_environment() -> dict[str, str]:
    """This process's environment without the settings of the platform, of Dagster and of PostgreSQL's programs."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("LGS_", "DAGSTER_", "PG"))}
