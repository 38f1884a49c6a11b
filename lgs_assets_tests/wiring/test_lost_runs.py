"""Runs whose process was killed are told from live ones, and made up for; with real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pytest

from lgs_assets.configuration import Configuration
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import loaded_dumps
from lgs_assets.wiring.instance import dagster_instance
from lgs_assets.wiring.lineage import built_specs
from lgs_assets.wiring.lost_runs import attend, attended_in_process_executor, fail_lost_runs
from lgs_assets.wiring.versions import outdated
from lgs_assets_tests.builders import FEW, Line, write_dump

PATIENCE_SECONDS = 60
"""For what is to happen, on a machine that has nothing else to do. One that has takes longer by as much."""
ENGINE_EVENT = dg.DagsterEventType.ENGINE_EVENT
UNFINISHED = dg.RunsFilter(
    statuses=[status for status in dg.DagsterRunStatus if status.value not in ("SUCCESS", "FAILURE", "CANCELED")]
)


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
    """Starts a Python process, and kills it and everything it started when the test is over."""
    started: list[subprocess.Popen] = []

    def start(*arguments: str, **options: Any) -> subprocess.Popen:
        process = subprocess.Popen([sys.executable, *arguments], start_new_session=True, **options)
        started.append(process)
        return process

    yield start
    for process in started:
        kill(process)


def kill(process: subprocess.Popen) -> None:
    """kill -9 for a process and everything it started."""
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(process.pid)
        for one in [parent, *parent.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                one.kill()
    process.wait()


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
    process = start("-c", EXECUTE)

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


def test_a_run_is_lost_when_all_who_attended_to_it_are_gone(
    instance: dg.DagsterInstance, start: Callable[..., subprocess.Popen]
) -> None:
    """The process that launched it may go before the one that executes it; of a stranger's run nothing is known."""
    launched, taken_over, foreign = (instance.create_run_for_job(endless_job).run_id for _ in range(3))
    for run_id in (launched, taken_over):
        process = start("-c", ATTEND, run_id, stdout=subprocess.PIPE)
        assert process.stdout and process.stdout.readline() == b"attended\n"
        assert fail_lost_runs(instance) == []
        if run_id == taken_over:
            attend(instance, run_id)
        kill(process)
        assert fail_lost_runs(instance) == ([run_id] if run_id == launched else [])
    assert status(instance, foreign) == status(instance, taken_over) == dg.DagsterRunStatus.NOT_STARTED


def is_current(instance: dg.DagsterInstance, warehouse: Warehouse, lines: int, tables: set[str]) -> bool:
    """Whether no run is under way, and these tables are built from the dump with this many lines."""
    return (
        not instance.get_runs_count(UNFINISHED)
        and [dump.lines for dump in loaded_dumps(warehouse)] == [lines]
        and tables.isdisjoint(outdated(SPECS, Configuration.read().settings, warehouse))
    )


LINES = [Line(str(i), customer_id=100 + i, invoice_date=f"2011-03-{i + 1:02} 10:00:00") for i in range(20)]
SPECS = built_specs()
LGS = ("-c", "from lgs_assets.command.cli import app; app()")
LGS_WITH_FEW_TABLES = ("-c", f"from lgs_assets_tests.builders import leave_few_tables as few; few(); {LGS[1]}")


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
    killed = start(*LGS_WITH_FEW_TABLES, "run", str(dump), stdout=subprocess.PIPE, text=True)
    assert killed.stdout and any(step in line for line in killed.stdout)
    kill(killed)
    lost = next((run.run_id for run in instance.get_runs(UNFINISHED)), None)
    done = subprocess.run([sys.executable, *LGS_WITH_FEW_TABLES, "run"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert lost is None or status(instance, lost) == dg.DagsterRunStatus.FAILURE
    assert is_current(instance, warehouse, len(LINES), FEW)


@pytest.fixture
def start_ui(start: Callable[..., subprocess.Popen], tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen]]:
    """Starts `lgs ui`, of a code location with few tables."""
    workspace = "load_from: [{python_module: {module_name: lgs_assets_tests.wiring.few_tables_location}}]"
    (tmp_path / "workspace.yaml").write_text(workspace)
    elsewhere = f"import os; to = os.chdir; os.chdir = lambda _: to({str(tmp_path)!r}); {LGS[1]}"
    with (tmp_path / "ui.log").open("ab") as log:
        yield lambda: start("-c", elsewhere, "ui", "--port", "0", stdout=log, stderr=log)


def begun(instance: dg.DagsterInstance, job: str, *, besides: Iterable[str] = ()) -> dg.DagsterRun:
    """A run of the job that has just begun to execute; none of `besides`."""

    def at_work() -> list[dg.DagsterRun]:
        runs = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
        return [run for run in runs if run.job_name.startswith(job) and run.run_id not in besides]

    run: dg.DagsterRun = wait_until(at_work, f"a run of {job} begins")[0]
    return run


def kill_worker(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """kill -9 for the process that executes the run."""
    notes = [entry.get_dagster_event() for entry in instance.all_logs(run.run_id, of_type=ENGINE_EVENT)]
    pids = [note.engine_event_data.metadata["pid"] for note in notes if "pid" in note.engine_event_data.metadata]
    os.kill(int(pids[-1].value), signal.SIGKILL)


def test_a_run_that_is_killed_twice_is_made_up_for(
    warehouse: Warehouse, instance: dg.DagsterInstance, start_ui: Callable[[], subprocess.Popen], tmp_path: Path
) -> None:
    """Dagster starts a killed run once more, and no second time: neither a load nor tables must wait for the night."""
    dump = write_dump(tmp_path / "lgs" / "inbox" / "retail.sql", LINES)
    dump.with_name("retail.sql.done").touch()
    start_ui()
    killed: dict[str, str] = {}
    for job in ("ingest", "__ASSET_JOB"):
        for _ in range(2):
            run = begun(instance, job, besides=killed)
            kill_worker(instance, run)
            killed[run.run_id] = job
    wait_until(lambda: is_current(instance, warehouse, len(LINES), FEW), "all is made up for")
    assert {status(instance, run_id) for run_id in killed} == {dg.DagsterRunStatus.FAILURE}


def test_a_ui_that_is_killed_twice_goes_on_where_it_was(
    warehouse: Warehouse, instance: dg.DagsterInstance, start_ui: Callable[[], subprocess.Popen], tmp_path: Path
) -> None:
    """Its processes are gone in the midst of a run that builds tables; the next UI fails that run and ends the work."""
    dump = write_dump(tmp_path / "lgs" / "inbox" / "retail.sql", LINES)
    dump.with_name("retail.sql.done").touch()
    killed: list[str] = []
    for _ in range(2):
        ui = start_ui()
        killed.append(begun(instance, "__ASSET_JOB", besides=killed).run_id)
        os.kill(ui.pid, signal.SIGSTOP)
        kill(ui)
    start_ui()
    wait_until(lambda: is_current(instance, warehouse, len(LINES), FEW), "all is made up for")
    assert {status(instance, run_id) for run_id in killed} <= {dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS}


def test_the_first_ui_makes_up_for_a_command_killed_between_two_runs(
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    start: Callable[..., subprocess.Popen],
    start_ui: Callable[[], subprocess.Popen],
    tmp_path: Path,
) -> None:
    """Its dump is loaded, no run is lost, and automation has seen nothing change."""
    dies = "import os; from lgs_assets.command import runner; runner.unbuilt = lambda *_: os.kill(os.getpid(), 9)"
    dump = write_dump(tmp_path / "retail.sql", LINES)
    killed = start("-c", f"{dies}; {LGS_WITH_FEW_TABLES[1]}", "run", str(dump))
    assert killed.wait() == -signal.SIGKILL
    assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.SUCCESS]
    assert len(loaded_dumps(warehouse)) == 1
    start_ui()
    wait_until(lambda: is_current(instance, warehouse, len(LINES), FEW), "all is made up for")
