"""Processes of the platform that tests and the drill kill, and what must hold afterwards."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg
import psutil

from lgs_assets.configuration import Configuration
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import loaded_dumps
from lgs_assets.wiring.lineage import built_specs
from lgs_assets.wiring.versions import outdated
from lgs_assets_tests.builders import FEW

SPECS = built_specs()
LGS = "from lgs_assets.command.cli import app; app()"
LGS_WITH_FEW_TABLES = f"from lgs_assets_tests.builders import leave_few_tables as few; few(); {LGS}"
"""The command as code for Python."""
UNFINISHED = dg.RunsFilter(
    statuses=[status for status in dg.DagsterRunStatus if status.value not in ("SUCCESS", "FAILURE", "CANCELED")]
)


def start(code: str, *arguments: str, **options: Any) -> subprocess.Popen:
    """Starts Python on this code."""
    return subprocess.Popen([sys.executable, "-c", code, *arguments], start_new_session=True, **options)


def ui_with_few_tables(folder: Path) -> str:
    """`lgs ui`, of a code location with few tables, as code for Python. Its workspace is written into the folder."""
    workspace = "load_from: [{python_module: {module_name: lgs_assets_tests.wiring.few_tables_location}}]"
    (folder / "workspace.yaml").write_text(workspace)
    return f"import os; to = os.chdir; os.chdir = lambda _: to({str(folder)!r}); {LGS}"


def kill(process: subprocess.Popen) -> None:
    """kill -9 for a process and everything it started."""
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(process.pid)
        parent.suspend()  # it starts nothing more
        for one in [parent, *parent.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                one.kill()
    process.wait()


def kill_worker(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """kill -9 for the process that executes the run, if it still does."""
    notes = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    noted = [note.get_dagster_event().engine_event_data.metadata for note in notes]
    pids = [int(str(metadata["pid"].value)) for metadata in noted if "pid" in metadata]
    with suppress(ProcessLookupError):
        os.kill(pids[-1], signal.SIGKILL)


def at_work(instance: dg.DagsterInstance, *, besides: Collection[str]) -> list[dg.DagsterRun]:
    """The runs that a process executes, but for those named."""
    runs = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    return [run for run in runs if run.run_id not in besides]


def is_current(instance: dg.DagsterInstance, warehouse: Warehouse, lines: int, tables: set[str] = FEW) -> bool:
    """Whether no run is under way, and these tables are built from dumps with so many lines."""
    return (
        not instance.get_runs_count(UNFINISHED)
        and sum(dump.lines for dump in loaded_dumps(warehouse)) == lines
        and tables.isdisjoint(outdated(SPECS, Configuration.read().settings, warehouse))
    )


def schema_versions(home: Path) -> dict[Path, int]:
    """How many versions of their schema Dagster's databases have: one each, unless two processes made them at once."""
    versions: dict[Path, int] = {}
    for database in (home / "dagster").rglob("*.db"):
        with sqlite3.connect(database) as connection:
            ((versions[database],),) = connection.execute("select count(*) from alembic_version").fetchall()
    return versions
