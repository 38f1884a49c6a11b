"""The schedules: what happens at a fixed time."""

from typing import Any

import dagster as dg

from lgs_assets.errors import ConfigurationError
from lgs_assets.places import TIME_ZONE
from lgs_assets.wiring.activation import plan_lists
from lgs_assets.wiring.jobs import RETENTION, pull, refresh


def _running(name: str, cron: str, description: str, **of: Any) -> dg.ScheduleDefinition:
    """A schedule of a job that runs, in the shop's time, until somebody stops it."""
    return dg.ScheduleDefinition(
        name=name,
        cron_schedule=cron,
        execution_timezone=TIME_ZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=description,
        **of,
    )


nightly_refresh = _running(
    "nightly_refresh",
    "0 3 * * *",
    "Rebuilds and checks every derived table once a day, so that a fault shows within a day.",
    job=refresh,
)

nightly_plans = _running(
    "nightly_plans",
    "0 4 * * *",
    "Applies the removals and deletions of those who must leave. Plans the lists that audiences name destinations for; "
    "applies those with auto = true.",
    job=plan_lists,
)

daily_retention = _running(
    "daily_retention",
    "0 5 * * *",
    "Deletes runs older than LGS_RUN_RETENTION_DAYS days, so that Dagster's storage stays small.",
    job_name=RETENTION,
)


def scheduled_pull(cron: str) -> dg.ScheduleDefinition:
    """The schedule of the pull. Raises ConfigurationError if `cron` is not a valid crontab time."""
    description = "Pulls new lines from the database of LGS_SOURCE_URL, each night or as LGS_SOURCE_CRON says."
    try:
        return _running("scheduled_pull", cron, description, job=pull)
    except dg.DagsterInvalidDefinitionError as error:
        raise ConfigurationError(f"LGS_SOURCE_CRON: expected a time such as 0 2 * * *; found {cron!r}.") from error
