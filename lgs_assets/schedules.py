"""The schedules: what happens at a fixed time."""

import dagster as dg

from lgs_assets.jobs import refresh

nightly_refresh = dg.ScheduleDefinition(
    name="nightly_refresh",
    job=refresh,
    cron_schedule="0 3 * * *",
    execution_timezone="Europe/London",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Rebuilds and checks every derived table once a day, so that a fault shows within a day.",
)
