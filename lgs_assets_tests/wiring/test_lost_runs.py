"""Runs whose process was killed are told from live ones, and made up for; with real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from lgs_assets.configuration import Configuration
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wiring.instance import dagster_instance
from lgs_assets.wiring.lost_runs import attend, attended_in_process_executor, fail_lost_runs
from lgs_assets_tests.builders import Line, write_dump
from lgs_assets_tests.wiring import killing
from lgs_assets_tests.wiring.killing import (
    LGS_WITH_FEW_TABLES,
    UNFINISHED,
    at_work,
    is_current,
    kill,
    kill_worker,
    ui_with_few_tables,
)

PATIENCE_SECONDS = 60
"""For what is to happen, on a machine that has nothing else to do. One that has takes longer by as much."""


@dg.op
def endless() -> None:
    """Works until it is killed."""
    time.sleep(3600)


@dg.job(executor_def=attended_in_process_executor)
def endless_job() -> None:
    """A run that never ends by itself."""
    endless()


EXECUTE = """
import dagster as dg
from lgs_assets_tests.wiring.test_lost_runs import endless_job
dg.execute_job(dg.reconstructable(endless_job), dg.DagsterInstance.get())
"""
ATTEND = """
import sys, time, dagster as dg
from lgs_assets.wiring.lost_runs import attend
attend(dg.DagsterInstance.get(), sys.argv[1])
print("attended", flush=True)
time.sleep(3600)
"""


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_HOME", "")  # what is set by the instance goes with the test
    with dagster_instance(Configuration.read()) as instance:
        yield instance


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts Python on some code, and kills the process and everything it started when the test is over."""
    started: list[subprocess.Popen] = []

    def start(code: str, *arguments: str, **options: Any) -> subprocess.Popen:
        started.append(killing.start(code, *arguments, **options))
        return started[-1]

    yield start
    for process in started:
        kill(process)


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    began, busy = time.monotonic(), 1.0
    while not (result := condition()):
        busy = max(busy, os.getloadavg()[0] / (os.cpu_count() or 1))
        if time.monotonic() - began > PATIENCE_SECONDS * busy:
            pytest.fail(f"Not within {PATIENCE_SECONDS * busy:.0f} s: {what}")
        time.sleep(0.2)
    return result


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run
    return run.status


@pytest.fixture
def working(instance: dg.DagsterInstance, start: Callable[..., subprocess.Popen]) -> tuple[subprocess.Popen, str]:
    """A process in the midst of a run, and the run."""
    process = start(EXECUTE)

    def in_a_step() -> list[str]:
        runs = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
        return [run.run_id for run in runs if instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_START)]

    (run_id,) = wait_until(in_a_step, "a step begins")
    return process, run_id


def test_a_killed_run_is_failed_once_and_a_live_one_never(
    instance: dg.DagsterInstance, working: tuple[subprocess.Popen, str]
) -> None:
    """The kernel tells which is which: not a process id, which another process may have by then, nor a clock."""
    process, run_id = working
    assert [fail_lost_runs(instance) for _ in range(3)] == [[]] * 3
    assert status(instance, run_id) == dg.DagsterRunStatus.STARTED
    kill(process)
    assert [fail_lost_runs(instance) for _ in range(2)] == [[run_id], []]
    assert status(instance, run_id) == dg.DagsterRunStatus.FAILURE


def test_a_run_killed_while_it_is_cancelled_is_cancelled(
    instance: dg.DagsterInstance, working: tuple[subprocess.Popen, str]
) -> None:
    """Somebody wanted its end: it is not to be started once more."""
    process, run_id = working
    run = instance.get_run_by_id(run_id)
    assert run
    instance.report_run_canceling(run)
    kill(process)
    fail_lost_runs(instance)
    assert status(instance, run_id) == dg.DagsterRunStatus.CANCELED


@pytest.mark.parametrize(
    ("launcher_lives", "minutes", "is_lost"),
    [(True, 0, False), (True, 2, True), (False, 1380, False), (False, 1500, True)],
)
def test_a_run_that_nobody_notes_is_lost_after_a_while(
    instance: dg.DagsterInstance, launcher_lives: bool, minutes: int, is_lost: bool
) -> None:
    """Started, says Dagster, and no process has come to its first line: if one was launched here, it should have.

    Of another nothing is known, such as one of an older release: no run takes a day.
    """
    run = instance.create_run_for_job(endless_job)
    if launcher_lives:
        attend(instance, run.run_id, role="launches")
    instance.handle_new_event(
        dg.EventLogEntry(  # type: ignore[no-untyped-call]  # Dagster has no types for it
            error_info=None,
            level=20,
            user_message="",
            run_id=run.run_id,
            timestamp=time.time() - 60 * minutes,
            dagster_event=dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name),
        )
    )
    assert fail_lost_runs(instance) == ([run.run_id] if is_lost else [])
    assert status(instance, run.run_id) == (dg.DagsterRunStatus.FAILURE if is_lost else dg.DagsterRunStatus.STARTED)


def test_a_run_is_lost_when_all_who_attended_to_it_are_gone(
    instance: dg.DagsterInstance, start: Callable[..., subprocess.Popen]
) -> None:
    """The process that launched it may go before the one that executes it; of a stranger's run nothing is known."""
    launched, taken_over, foreign = (instance.create_run_for_job(endless_job).run_id for _ in range(3))
    for run_id in (launched, taken_over):
        process = start(ATTEND, run_id, stdout=subprocess.PIPE)
        assert process.stdout and process.stdout.readline() == b"attended\n"
        assert fail_lost_runs(instance) == []
        if run_id == taken_over:
            attend(instance, run_id)
        kill(process)
        assert fail_lost_runs(instance) == ([run_id] if run_id == launched else [])
    assert status(instance, foreign) == status(instance, taken_over) == dg.DagsterRunStatus.NOT_STARTED


LINES = [Line(str(i), customer_id=100 + i, invoice_date=f"2011-03-{i + 1:02} 10:00:00") for i in range(20)]


@pytest.mark.parametrize("step", ["checks of raw_invoices", "rfm_scores"])
def test_the_next_command_makes_up_for_one_that_was_killed(
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    start: Callable[..., subprocess.Popen],
    tmp_path: Path,
    step: str,
) -> None:
    """Killed after a step in the midst, the run is failed by the next command, which does what was left."""
    dump = write_dump(tmp_path / "retail.sql", LINES)
    killed = start(LGS_WITH_FEW_TABLES, "run", str(dump), stdout=subprocess.PIPE, text=True)
    assert killed.stdout and any(step in line for line in killed.stdout)
    kill(killed)
    lost = next((run.run_id for run in instance.get_runs(UNFINISHED)), None)
    done = subprocess.run([sys.executable, "-c", LGS_WITH_FEW_TABLES, "run"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert lost is None or status(instance, lost) == dg.DagsterRunStatus.FAILURE
    assert is_current(instance, warehouse, len(LINES))


@pytest.fixture
def start_ui(start: Callable[..., subprocess.Popen], tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen]]:
    """Starts `lgs ui`, of a code location with few tables."""
    code = ui_with_few_tables(tmp_path)
    with (tmp_path / "ui.log").open("ab") as log:
        yield lambda: start(code, "ui", "--port", "0", stdout=log, stderr=log)


@contextmanager
def held_up(warehouse: Warehouse) -> Iterator[None]:
    """Within the block no run that loads lines or reads them comes to its end: it waits for a lock."""
    with warehouse.engine.begin() as connection:
        connection.exec_driver_sql("lock table raw_invoices in access exclusive mode")
        yield


def begun(
    instance: dg.DagsterInstance, what: Callable[[dg.DagsterRun], bool], *, besides: Collection[str]
) -> dg.DagsterRun:
    """A run of that kind, none of `besides`, which a process executes."""
    runs: list[dg.DagsterRun] = wait_until(
        lambda: [*filter(what, at_work(instance, besides=besides))], "such a run begins"
    )
    return runs[0]


def loads(run: dg.DagsterRun) -> bool:
    return run.job_name == "ingest"


def builds(run: dg.DagsterRun) -> bool:
    return dg.AssetKey("segments") in (run.asset_selection or ())


def assert_retried_once(instance: dg.DagsterInstance, killed: list[str]) -> None:
    """Both runs have failed; the second was Dagster's own attempt to make up for the first."""
    assert (retry := instance.get_run_by_id(killed[1])) and retry.parent_run_id == killed[0]
    assert {status(instance, run_id) for run_id in killed} == {dg.DagsterRunStatus.FAILURE}


def test_what_is_killed_twice_is_made_up_for(
    warehouse: Warehouse, instance: dg.DagsterInstance, start_ui: Callable[[], subprocess.Popen], tmp_path: Path
) -> None:
    """Dagster starts a killed run once more, and no second time: neither tables nor lines must wait for the night.

    First a command dies between two runs: its dump is loaded, no run is lost, and automation has seen nothing change.
    The run of the UI that makes up for it is killed, too, and the UI itself in the midst of Dagster's second attempt.
    Another UI builds the tables. Then a dump arrives, whose load is killed twice.
    """
    dies = "import os; from lgs_assets.command import runner; runner.unbuilt = lambda *_: os.kill(os.getpid(), 9)"
    dump = write_dump(tmp_path / "retail.sql", LINES)
    command = subprocess.run([sys.executable, "-c", f"{dies}; {LGS_WITH_FEW_TABLES}", "run", str(dump)])
    assert command.returncode == -signal.SIGKILL
    assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.SUCCESS]
    with held_up(warehouse):
        ui = start_ui()
        first = begun(instance, builds, besides=[])
        kill_worker(instance, first)
        second = begun(instance, builds, besides=[first.run_id])
        kill(ui)
    start_ui()
    wait_until(lambda: is_current(instance, warehouse, len(LINES)), "all is made up for")
    assert_retried_once(instance, [first.run_id, second.run_id])
    arrived = write_dump(tmp_path / "lgs" / "inbox" / "april.sql", [Line("april", customer_id=101)])
    arrived.with_name("april.sql.done").touch()
    killed: list[str] = []
    with held_up(warehouse):
        for _ in range(2):
            run = begun(instance, loads, besides=killed)
            kill_worker(instance, run)
            killed.append(run.run_id)
    wait_until(lambda: is_current(instance, warehouse, len(LINES) + 1), "all is made up for")
    assert_retried_once(instance, killed)
