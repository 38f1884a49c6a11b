"""Runs whose process was killed. To Dagster they never end, and automation waits for them: here they are failed.

A process in charge of runs holds a lock on a file of its own in Dagster's storage, and notes the runs there. The kernel
releases the lock when the process ends, however it ends; a process id would prove nothing, as ids are reused. A run
that no file names belongs to a process that is out of sight, such as one of an older release: it is left alone for a
day, longer than any run takes.

One process executes a run; before that, another may launch it. Once a run is executing, it is lost with the process
that executes it, even if the launcher, such as the daemon, is still alive; until then, with its launcher. Dagster calls
a run started a moment before its process can note it here: one that is still not noted after a while was killed in it.
"""

import fcntl
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TextIO, cast, get_args

import dagster as dg

from lgs_assets.file_locks import exclusively, is_locked

_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

_SECONDS_TO_NOTE = 60
"""From Dagster's start of a run to the note of the process that executes it: some milliseconds, and much to spare."""

_SECONDS_OUT_OF_SIGHT = 24 * 3600

_OF_ITS_OWN = ("STEP_FAILURE", "RUN_EXCEPTION", "JOB_INITIALIZATION_FAILURE")

Role = Literal["executes", "launches"]

_registers: dict[Path, TextIO] = {}
_registering = threading.Lock()


def attend(instance: dg.DagsterInstance, run_id: str, *, role: Role = "executes") -> None:
    """Notes that this process executes or launches the run, from now until the process ends."""
    with _registering:
        folder = _folder(instance)
        if folder not in _registers:
            _registers[folder] = _new_register(folder)
        print(role, run_id, file=_registers[folder], flush=True)
        os.fsync(_registers[folder].fileno())  # a power cut that spares the run must not take the note


def fail_lost_runs(instance: dg.DagsterInstance) -> list[str]:
    """Fails lost runs, and returns their ids. Several processes may call it at once."""
    with exclusively(_folder(instance) / ".lock"):
        abandoned = {path for path in _registers_in(instance) if not is_locked(path)}
        gone = _noted_in(abandoned)
        # Only now: whoever took a run over did so before its former process ended.
        held = _noted_in(_registers_in(instance) - abandoned)
        lost = (gone["executes"] | (gone["launches"] - held["launches"])) - held["executes"]
        failed = [
            record.dagster_run
            for record in instance.get_run_records(dg.RunsFilter(statuses=_UNFINISHED))
            if (run_id := record.dagster_run.run_id) in lost
            or (run_id not in held["executes"] and _is_overdue(record, launched_here=run_id in held["launches"]))
        ]
        for run in failed:
            report = (
                instance.report_run_canceled
                if run.status == dg.DagsterRunStatus.CANCELING
                else instance.report_run_failed
            )
            report(run, "The process of this run was killed, or the machine went down.")
        for path in abandoned:
            path.unlink()
    return [run.run_id for run in failed]


def _is_overdue(record: dg.RunRecord, *, launched_here: bool) -> bool:
    """Whether a run that no process has noted is lost. One that was launched here may wait for its start."""
    patience = _SECONDS_TO_NOTE if launched_here else _SECONDS_OUT_OF_SIGHT
    since = record.start_time or (None if launched_here else record.create_timestamp.timestamp())
    return since is not None and time.time() - since > patience


def was_killed(run: dg.DagsterRun) -> bool:
    """Whether a run has failed for another reason than its own: its process is gone, or has never started."""
    return run.status == dg.DagsterRunStatus.FAILURE and run.tags.get("dagster/failure_reason") not in _OF_ITS_OWN


class AttendedRunLauncher(dg.DefaultRunLauncher):
    """Dagster's own launcher; a run that it has launched is lost if it is killed before a process executes the run."""

    def launch_run(self, context: Any) -> None:
        """Has the code location start a process for the run, which then takes charge of it."""
        attend(context.workspace.instance, context.dagster_run.run_id, role="launches")
        super().launch_run(context)


class _AttendedExecutor(dg.Executor):
    def __init__(self, executor: dg.Executor) -> None:
        self._executor = executor

    @property
    def retries(self) -> Any:
        return self._executor.retries

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[Any]:
        attend(plan_context.instance, plan_context.run_id)
        yield from self._executor.execute(plan_context, execution_plan)


@dg.executor(name="in_process", config_schema=cast("Any", dg.in_process_executor.config_schema))
def attended_in_process_executor(context: dg.InitExecutorContext) -> dg.Executor:
    """Dagster's in_process_executor, in a process that takes charge of its run."""
    create = cast("Callable[[dg.InitExecutorContext], dg.Executor]", dg.in_process_executor.executor_creation_fn)
    return _AttendedExecutor(create(context))


def _folder(instance: dg.DagsterInstance) -> Path:
    return Path(instance.storage_directory(), "attendance")


def _new_register(folder: Path) -> TextIO:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".{uuid.uuid4()}"
    file = path.open("w")
    fcntl.flock(file, fcntl.LOCK_EX)
    path.rename(path.with_name(path.name.removeprefix(".")))  # nobody sees it before it is locked
    return file


def _registers_in(instance: dg.DagsterInstance) -> set[Path]:
    return {path for path in _folder(instance).iterdir() if not path.name.startswith(".")}


def _noted_in(registers: set[Path]) -> dict[Role, set[str]]:
    """The runs that these registers name, by role."""
    notes = [line.split() for path in registers for line in path.read_text().splitlines()]
    return {role: {run_id for noted, run_id in notes if noted == role} for role in get_args(Role)}
