"""Dagster's own state: where it is kept, and the configuration that it starts with."""

import os
from pathlib import Path

import dagster as dg

from lgs_assets import project
from lgs_assets.lost_runs import exclusively, fail_lost_runs

_DEFAULT_CONFIGURATION = """\
# Dagster's storage is SQLite in this folder. Edited values are kept.
telemetry:
  enabled: false
# A run whose process was killed is failed and started once more. What failed by itself, such as a bad dump, is not.
run_launcher:
  module: lgs_assets.lost_runs
  class: AttendedRunLauncher
run_retries:
  enabled: true
  max_retries: 1
  retry_on_asset_or_op_failure: false
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


def dagster_home() -> Path:
    """The folder of Dagster's state: DAGSTER_HOME, or `dagster` in the state folder, made if need be."""
    if given := os.environ.get("DAGSTER_HOME"):
        return Path(given)
    home = project.state() / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    if not (configuration := home / "dagster.yaml").exists():
        configuration.write_text(_DEFAULT_CONFIGURATION)
    return home


def dagster_instance() -> dg.DagsterInstance:
    """The instance of that folder, in which no run is lost. Its environment variable is set, for child processes.

    One process at a time makes it: two would leave Dagster's SQLite with two versions of its schema, for good.
    """
    with exclusively(project.state() / "dagster.lock"):
        os.environ["DAGSTER_HOME"] = str(dagster_home())
        instance = dg.DagsterInstance.get()
    fail_lost_runs(instance)
    return instance
