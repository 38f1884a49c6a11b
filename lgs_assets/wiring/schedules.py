"""The schedules: what happens at a fixed time."""

import dagster as dg

from lgs_assets.errors import ConfigurationError
from lgs_assets.places import TIME_ZONE
from lgs_assets.wiring.jobs import RETENTION, plan_lists, pull, refresh

nightly_refresh = dg.ScheduleDefinition(
    name="nightly_refresh",
    job=refresh,
    cron_schedule="0 3 * * *",
    execution_timezone=TIME_ZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Rebuilds and checks every derived table once a day, so that a fault shows within a day.",
)

nightly_plans = dg.ScheduleDefinition(
    name="nightly_plans",
    job=plan_lists,
    cron_schedule="0 4 * * *",
    execution_timezone=TIME_ZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Applies the removals and deletions of those who must leave. Plans the lists that audiences name "
    "destinations for; applies those with auto = true.",
)

daily_retention = dg.ScheduleDefinition(
    name="daily_retention",
    job_name=RETENTION,
    cron_schedule="0 5 * * *",
    execution_timezone=TIME_ZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Deletes runs older than LGS_RUN_RETENTION_DAYS days, so that Dagster's storage stays small.",
)


def scheduled_pull(cron: str) -> dg.ScheduleDefinition:
    """The schedule of the pull. Raises ConfigurationError if `cron` is not a valid crontab time."""
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
        raise ConfigurationError(f"LGS_SOURCE_CRON: expected a time such as 0 2 * * *; found {cron!r}.") from error
