"""Dagster's own state: where it is kept, and the configuration that it starts with."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import dagster as dg
from sqlalchemy import Connection, Dialect, Engine, event

from lgs_assets.configuration import Configuration
from lgs_assets.file_locks import exclusively
from lgs_assets.places import private_folder
from lgs_assets.warehouse.server import folder_mode
from lgs_assets.wiring.lost_runs import fail_lost_runs

_DEFAULT_CONFIGURATION = """\
# Dagster's storage is SQLite in this folder. Edited values are kept.
telemetry:
  enabled: false
# A run whose process was killed is marked as failed and started once more. One that failed by itself is not.
run_launcher:
  module: lgs_assets.wiring.lost_runs
  class: AttendedRunLauncher
run_retries:
  enabled: true
  max_retries: 1
  retry_on_asset_or_op_failure: false
# Warnings from the warehouse, such as which session blocks a table, appear in the run as well.
python_logs:
  managed_python_loggers: [lgs_assets]
  python_log_level: WARNING
# No dialog asking newcomers for their e-mail address.
nux:
  enabled: false
# How many days the ticks of sensors and schedules are kept. The schedule daily_retention deletes old runs.
retention:
  sensor:
    purge_after_days: { skipped: 2, success: 90, failure: 90, started: 90 }
  schedule:
    purge_after_days: 90
  auto_materialize:
    purge_after_days: { skipped: 2, success: 90, failure: 90, started: 90 }
"""

STATEMENTS = 500
"""How many compiled statements are kept, about: as many as by SQLAlchemy for each engine."""


@contextmanager
def dagster_instance(configuration: Configuration) -> Iterator[dg.DagsterInstance]:
    """Dagster's instance, in the folder of the configuration; created if need be. Marks lost runs as failed.

    Two processes creating the instance at once would leave its SQLite with two versions of the schema for good, so only
    one at a time does.
    """
    private_folder(configuration.state, mode=folder_mode())
    with suppress(PermissionError):  # perhaps another account's folder, who may do with it as they like
        configuration.state.chmod(folder_mode())  # an earlier version left it open
    home = configuration.dagster_state
    with exclusively(home / ".lock"):
        if not configuration.dagster_home and not (file := home / "dagster.yaml").exists():
            file.write_text(_DEFAULT_CONFIGURATION)
        configuration.export()
        instance = dg.DagsterInstance.get()
    with instance, _quick_events():
        fail_lost_runs(instance)
        yield instance


def taking_turns(instance: dg.DagsterInstance, *, waiting: Callable[[], None]) -> AbstractContextManager[None]:
    """Commands that load or rebuild take turns: the checks of one would judge the half-done work of another."""
    return exclusively(Path(instance.root_directory, ".command.lock"), waiting=waiting)


@contextmanager
def _quick_events() -> Iterator[None]:
    """Within the block, an event of a run costs a fraction of the time.

    Dagster opens and closes its SQLite databases for each event. The last one to close a database writes its log back,
    and waits for the disk several times: so each is kept open besides. What is written survives the death of the
    process, and a power cut harms no database, but may cost the last events; what is built is in the warehouse's own
    records. Dagster also makes an engine for each event, which would compile every statement again: so all share what
    was compiled.
    """
    kept_open: dict[Path, sqlite3.Connection] = {}
    dialects: dict[str, Dialect] = {}
    compiled: dict[Any, Any] = {}

    def connected(connection: object, record: object) -> None:
        if not isinstance(connection, sqlite3.Connection):
            return
        connection.execute("pragma synchronous = normal")
        _, _, name = connection.execute("pragma database_list").fetchone()
        file = Path(name)
        if name and file not in kept_open and connection.execute("pragma journal_mode").fetchone() == ("wal",):
            # Each run has a database of its own, named by its id: of a hundred runs, those before are over.
            for earlier in filter(_is_of_a_run, list(kept_open)):
                kept_open.pop(earlier).close()
            kept_open[file] = sqlite3.connect(file, check_same_thread=False)
            kept_open[file].execute("select count(*) from sqlite_master").fetchone()  # only now it is really open

    def begins(connection: Connection) -> None:
        if len(compiled) > STATEMENTS:
            compiled.clear()
        if (name := connection.dialect.name) == "sqlite":
            connection.dialect = dialects.setdefault(name, connection.dialect)  # part of the key of what is compiled
            connection.execution_options(compiled_cache=compiled)

    event.listen(Engine, "connect", connected)
    event.listen(Engine, "engine_connect", begins)
    try:
        yield
    finally:
        event.remove(Engine, "connect", connected)
        event.remove(Engine, "engine_connect", begins)
        for connection in kept_open.values():
            connection.close()


def _is_of_a_run(database: Path) -> bool:
    try:
        return bool(UUID(database.stem))
    except ValueError:
        return False
