"""The code location: everything that Dagster is told, in one object that tests can rebuild with other parts."""

from typing import Any

import dagster as dg

from lgs_assets.arrivals.pull import Source
from lgs_assets.assets import ALL_ASSETS
from lgs_assets.checks import ALL_CHECKS
from lgs_assets.configuration import Settings
from lgs_assets.wiring.io_manager import warehouse_io_manager
from lgs_assets.wiring.jobs import ingest, lineage, pull, refresh, retention
from lgs_assets.wiring.resources import Inbox, WarehouseResource
from lgs_assets.wiring.schedules import daily_retention, nightly_refresh, scheduled_pull
from lgs_assets.wiring.sensors import inbox_sensor, keep_current


def build_definitions(**overrides: Any) -> dg.Definitions:
    """The definitions, with resources replaced by name: `warehouse`, `inbox`, `source`, `settings` or `io_manager`.

    The pull is among them only where there is a source. Raises LgsError or pydantic.ValidationError for a variable
    whose value cannot be used.
    """
    has_source = bool(Source.url())
    resources: dict[str, Any] = {
        "warehouse": WarehouseResource(),
        "inbox": Inbox(),
        "source": Source.from_environment(),
        "settings": Settings.from_environment(),
        "io_manager": warehouse_io_manager,
    }
    return dg.Definitions(
        assets=ALL_ASSETS,
        asset_checks=ALL_CHECKS,
        jobs=[lineage, ingest, refresh, retention, *([pull] if has_source else [])],
        schedules=[nightly_refresh, daily_retention, *([scheduled_pull()] if has_source else [])],
        sensors=[inbox_sensor, keep_current],
        resources=resources | overrides,
        # The lineage is a chain of short steps: a process for each would cost several times their work.
        executor=dg.in_process_executor,
    )


defs = build_definitions()
