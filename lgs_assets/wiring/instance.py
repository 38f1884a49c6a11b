"""Dagster's own state: where it is kept, and the configuration that it starts with."""

import dagster as dg

from lgs_assets.configuration import Configuration

_DEFAULT_CONFIGURATION = """\
# Dagster's storage is SQLite in this folder. Edited values are kept.
telemetry:
  enabled: false
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
    """Dagster's instance, in the folder of the configuration, which is made if need be."""
    if not configuration.dagster_home:
        home = configuration.dagster_state
        home.mkdir(parents=True, exist_ok=True)
        if not (file := home / "dagster.yaml").exists():
            file.write_text(_DEFAULT_CONFIGURATION)
    configuration.export()
    return dg.DagsterInstance.get()
