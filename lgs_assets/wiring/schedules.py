"""The schedules: what happens at a fixed time."""

import os

import dagster as dg

from lgs_assets.errors import LgsError
from lgs_assets.project import TIME_ZONE
from lgs_assets.wiring.jobs import pull, refresh, retention

nightly_refresh = dg.ScheduleDefinition(
    name="nightly_refresh",
    job=refresh,
    cron_schedule="0 3 * * *",
    execution_timezone=TIME_ZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Rebuilds and checks every derived table once a day, so that a fault shows within a day.",
)

daily_retention = dg.ScheduleDefinition(
    name="daily_retention",
    job=retention,
    cron_schedule="0 5 * * *",
    execution_timezone=TIME_ZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Deletes runs of more than LGS_RUN_RETENTION_DAYS days ago, so that Dagster's storage stays small.",
)


def scheduled_pull() -> dg.ScheduleDefinition:
    """The schedule of the pull, by LGS_SOURCE_CRON. Raises LgsError if that is no such time."""
    cron = os.environ.get("LGS_SOURCE_CRON") or "0 2 * * *"
    try:
        return dg.ScheduleDefinition(
            name="scheduled_pull",
            job=pull,
            cron_schedule=cron,
            execution_timezone=TIME_ZONE,
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description="Pulls new lines from the database of LGS_SOURCE_URL, each night or as LGS_SOURCE_CRON says.",
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise LgsError(f"LGS_SOURCE_CRON: expected a time such as 0 2 * * *, found {cron!r}.") from error
