"""The code location: everything that Dagster is told, in one object that tests can rebuild with other parts."""

from typing import Any

import dagster as dg

from lgs_assets.checks import ALL_CHECKS
from lgs_assets.configuration import Configuration
from lgs_assets.wiring.activation import apply_plan, plan_lists
from lgs_assets.wiring.drawings import drawings
from lgs_assets.wiring.io_manager import warehouse_io_manager
from lgs_assets.wiring.jobs import ingest, ingest_many, lineage, pull, refresh, retention
from lgs_assets.wiring.ledgers import LEDGERS
from lgs_assets.wiring.lineage import ASSETS
from lgs_assets.wiring.lost_runs import attended_in_process_executor
from lgs_assets.wiring.resources import Resources
from lgs_assets.wiring.schedules import daily_retention, nightly_plans, nightly_refresh, scheduled_pull
from lgs_assets.wiring.sensors import inbox_sensor, keep_current, lost_runs, refused_dumps


def build_definitions(configuration: Configuration, **overrides: Any) -> dg.Definitions:
    """The definitions for a configuration, with resources replaced by name: those of `Resources`, or `io_manager`.

    The pull is among them only if there is a source. Raises ConfigurationError for an invalid schedule.
    """
    resources = vars(Resources.of(configuration)) | overrides
    has_source = resources["source"] is not None
    return dg.Definitions(
        assets=[*ASSETS, *LEDGERS],
        asset_checks=ALL_CHECKS,
        jobs=[
            *(
                lineage,
                ingest,
                ingest_many,
                refresh,
                apply_plan,
                plan_lists,
                retention(configuration.run_retention_days),
            ),
            *([pull] if has_source else []),
        ],
        schedules=[
            nightly_refresh,
            daily_retention,
            *([nightly_plans] if configuration.contact_key else []),
            *([scheduled_pull(configuration.source_cron)] if has_source else []),
        ],
        sensors=[inbox_sensor, keep_current, lost_runs, refused_dumps],
        resources={
            "io_manager": warehouse_io_manager,
            "drawings": drawings,
            **{name: _as_is(value) for name, value in resources.items()},
        },
        # The lineage is a chain of short steps: a process for each would cost several times their work.
        executor=attended_in_process_executor,
    )


def _as_is(value: object) -> object:
    """A resource that takes no configuration; Dagster itself would accept any, and ignore it."""
    if isinstance(value, dg.ConfigurableResource):
        return value
    return dg.ResourceDefinition(lambda _: value, config_schema={})


defs = build_definitions(Configuration.read())
