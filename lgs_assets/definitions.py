"""The code location: everything that Dagster is told, in one object that tests can rebuild with other parts."""

from typing import Any

import dagster as dg

from lgs_assets.assets import ALL_ASSETS
from lgs_assets.checks import ALL_CHECKS
from lgs_assets.io_managers import warehouse_io_manager
from lgs_assets.jobs import ingest, lineage, refresh
from lgs_assets.resources import Inbox, WarehouseResource
from lgs_assets.schedules import nightly_refresh
from lgs_assets.sensors import inbox_sensor, keep_current
from lgs_assets.settings import Settings


def build_definitions(**overrides: Any) -> dg.Definitions:
    """The definitions, with resources replaced by name: `warehouse`, `inbox`, `settings` or `io_manager`."""
    resources: dict[str, Any] = {
        "warehouse": WarehouseResource(),
        "inbox": Inbox(),
        "settings": Settings.from_environment(),
        "io_manager": warehouse_io_manager,
    }
    return dg.Definitions(
        assets=ALL_ASSETS,
        asset_checks=ALL_CHECKS,
        jobs=[lineage, ingest, refresh],
        schedules=[nightly_refresh],
        sensors=[inbox_sensor, keep_current],
        resources=resources | overrides,
        # The lineage is a chain of short steps: a process for each would cost several times their work.
        executor=dg.in_process_executor,
    )


defs = build_definitions()
