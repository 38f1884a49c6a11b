"""Dagster's own state: where it is kept, and the configuration that it starts with."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import dagster as dg

from lgs_assets.configuration import Configuration
from lgs_assets.places import private_folder
from lgs_assets.warehouse.server import folder_mode
from lgs_assets.wiring.locks import exclusively
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


def dagster_instance(configuration: Configuration) -> dg.DagsterInstance:
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
    fail_lost_runs(instance)
    return instance


def taking_turns(instance: dg.DagsterInstance, *, waiting: Callable[[], None]) -> AbstractContextManager[None]:
    """Commands that load or rebuild take turns: the checks of one would judge the half-done work of another."""
    return exclusively(Path(instance.root_directory, ".command.lock"), waiting=waiting)
