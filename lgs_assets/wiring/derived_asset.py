"""What all assets of the lineage have in common, so that each states only what is its own."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any

import dagster as dg

from lgs_assets.contracts.contract import RAW_INVOICES
from lgs_assets.contracts.model import Model
from lgs_assets.wiring.failures import plain_failures
from lgs_assets.wiring.metadata import describe_model
from lgs_assets.wiring.versions import SETTINGS, built_from, code_version

OWNERS = ["team:analytics"]

# The daily schedule rebuilds every derived table: two missed days are a fault.
DERIVED_FRESHNESS = dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=30), fail_window=timedelta(hours=54))
# The retailer hands over a dump a month.
DUMP_FRESHNESS = dg.FreshnessPolicy.time_window(warn_window=timedelta(days=35), fail_window=timedelta(days=65))

_SEEN_FIRST = {"invoices", "customers", "history", "months"}

# Typed loosely: Dagster's annotations do not let conditions on assets and on assets and checks be combined.
_Condition: Any = dg.AutomationCondition

# An input that failed a blocking check, unless it is rebuilt in the same run, which then stops on its own.
_ANY_INPUT_BLOCKED = _Condition.any_deps_match(
    _Condition.any_checks_match(_Condition.check_failed(), blocking_only=True) & ~_Condition.will_be_requested()
)

# As AutomationCondition.eager(), but for three things. Changed code rebuilds a table, too. A dump that is registered
# but not loaded, because it is bad, must not hold up the lines of the good ones, so dumps may be missing. And an input
# that failed a blocking check holds up what is built on it.
KEEP_CURRENT: dg.AutomationCondition[Any] = (
    (
        _Condition.newly_missing()
        | _Condition.any_deps_updated()
        | (_Condition.code_version_changed() & ~_Condition.missing())
    ).since_last_handled()
    & ~_Condition.any_deps_missing().ignore(dg.AssetSelection.assets(RAW_INVOICES))
    & ~_Condition.any_deps_in_progress()
    & ~_ANY_INPUT_BLOCKED
    & ~_Condition.in_progress()
)

# Build what has no inputs at the first opportunity, and again when its code or its file has changed.
BUILD_ONCE: dg.AutomationCondition[Any] = (
    (_Condition.missing() & ~_Condition.execution_failed()) | _Condition.code_version_changed().since_last_handled()
) & ~_Condition.in_progress()


def op_tags(group: str | None) -> dict[str, str]:
    """The tags of a step of the group: of the steps that could be next, those of the segments and months come first.

    A run takes many times as long as they do, and people wait for them.
    """
    return {"dagster/priority": "1"} if group in _SEEN_FIRST else {}


def derived_asset(
    *,
    group: str,
    kinds: set[str],
    sources: tuple[Path, ...] = (),
    settings: tuple[str, ...] = (),
    automation: dg.AutomationCondition[Any] = KEEP_CURRENT,
    **arguments: Any,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """`@dg.asset` for a table built from others.

    `sources` are the files that its content depends on, `settings` those that its function reads; what a SELECT binds
    need not be named.
    """

    def decorate(function: Callable[..., Any]) -> dg.AssetsDefinition:
        @wraps(function)
        def build(*given: Any, **inputs: Any) -> Any:
            with plain_failures():
                made = function(*given, **inputs)
            return made if isinstance(made, Model) else built_from(made, (*given, *inputs.values()))

        asset: dg.AssetsDefinition = dg.asset(
            group_name=group,
            op_tags=op_tags(group),
            kinds=kinds,
            owners=OWNERS,
            code_version=code_version(function.__name__, *sources, function=function),
            automation_condition=automation,
            freshness_policy=DERIVED_FRESHNESS,
            metadata=describe_model(function.__name__) | ({SETTINGS: list(settings)} if settings else {}),
            **arguments,
        )(build)
        return asset

    return decorate


def columns(*names: str) -> dg.AssetIn:
    """An input of which these columns are loaded."""
    return dg.AssetIn(metadata={"columns": list(names)})


IN_WAREHOUSE = {"postgres", "sql"}
"""The kinds of an asset whose work is a SELECT."""
