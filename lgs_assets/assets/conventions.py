"""What all assets of the lineage have in common, so that each says only what is its own."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from lgs_assets.versions import code_version

OWNERS = ["team:analytics"]

# The daily schedule rebuilds every derived table: two missed days are a fault.
DERIVED_FRESHNESS = dg.FreshnessPolicy.time_window(
    warn_window=timedelta(hours=30), fail_window=timedelta(hours=54)
)
# The retailer hands over a dump a month.
DUMP_FRESHNESS = dg.FreshnessPolicy.time_window(warn_window=timedelta(days=35), fail_window=timedelta(days=65))

# Rebuild when an input was rebuilt. A dump that is registered but not loaded, because it is bad, must not hold up
# the lines of the good ones, so missing partitions are no reason to wait.
KEEP_CURRENT = dg.AutomationCondition.eager().without(~dg.AutomationCondition.any_deps_missing())


def derived_asset(
    *, group: str, kinds: set[str], sources: tuple[Path, ...] = (), **arguments: Any
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """`@dg.asset` for a table that is built from others; `sources` are the files that its content depends on."""

    def decorate(function: Callable[..., Any]) -> dg.AssetsDefinition:
        return dg.asset(
            group_name=group,
            kinds=kinds,
            owners=OWNERS,
            code_version=code_version(function.__name__, *sources),
            automation_condition=KEEP_CURRENT,
            freshness_policy=DERIVED_FRESHNESS,
            **arguments,
        )(function)

    return decorate


IN_WAREHOUSE = {"postgres", "sql"}
"""The kinds of an asset whose work is a SELECT."""
