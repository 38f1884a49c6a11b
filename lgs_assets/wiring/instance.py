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
# A run whose process was killed is failed and started once more. What failed by itself, such as a bad dump, is not.
run_launcher:
  module: lgs_assets.wiring.lost_runs
  class: AttendedRunLauncher
run_retries:
  enabled: true
  max_retries: 1
  retry_on_asset_or_op_failure: false
# What the warehouse has to say, such as who is in the way of a table, is told by the run, too.
python_logs:
  managed_python_loggers: [lgs_assets]
  python_log_level: WARNING
# No dialog that asks newcomers for their e-mail address.
nux:
  enabled: false
# What the sensors and schedules did is kept for so many days. The schedule daily_retention sees to the runs.
retention:
  sensor:
    purge_after_days: { skipped: 2, success: 90, failure: 90, started: 90 }
  schedule:
    purge_after_days: 90
  auto_materialize:
    purge_after_days: { skipped: 2, success: 90, failure: 90, started: 90 }
"""


def dagster_instance(configuration: Configuration) -> dg.DagsterInstance:
    """Dagster's instance, in the folder of the configuration; made if need be. Fails the runs that are lost.

    Two processes that made the instance at once would leave its SQLite with two versions of the schema for good, so
    only one at a time does.
    """
    private_folder(configuration.state, mode=folder_mode())
    with suppress(PermissionError):  # perhaps the folder of another account, who may do with it as they like
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
    """Commands that load or rebuild do so one after the other: the checks of one would judge what another half did."""
    return exclusively(Path(instance.root_directory, ".command.lock"), waiting=waiting)
