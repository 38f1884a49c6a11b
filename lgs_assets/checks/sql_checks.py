"""The asset checks: each runs a query of `sql/checks` that returns the rows that violate it.

Three degrees: a *blocking* failure stops what would be built on the table, an *error* makes figures untrustworthy and
is to be mended, a *warning* counts oddities of the data that somebody should know of.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pandas as pd
import sqlalchemy as sa

from lgs_assets import project
from lgs_assets.warehouse.tables import Tables
from lgs_assets.wiring.metadata import markdown_table
from lgs_assets.wiring.resources import WarehouseResource
from lgs_assets.wiring.retries import retried
from lgs_assets.wiring.versions import distrust, settings_of

SHOWN_ROWS = 5


@dataclass(frozen=True)
class SqlCheck:
    """A check by the name of its query: `sql/checks/<table>_<name>.sql`, which begins with its description."""

    table: str
    name: str
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR
    blocking: bool = False

    @property
    def query(self) -> str:
        """The SELECT of the violating rows."""
        return (project.SQL / "checks" / f"{self.table}_{self.name}.sql").read_text()

    @property
    def description(self) -> str:
        """The comment at the head of the query."""
        lines = self.query.splitlines()
        head = lines[: next(i for i, line in enumerate(lines) if not line.startswith("--"))]
        return " ".join(line.removeprefix("--").strip() for line in head)

    @property
    def spec(self) -> dg.AssetCheckSpec:
        """The check as Dagster knows it."""
        return dg.AssetCheckSpec(self.name, asset=self.table, description=self.description, blocking=self.blocking)


_WARNING = dg.AssetCheckSeverity.WARN

CHECKS = (
    SqlCheck("raw_invoices", "lines_match_ledger", blocking=True),
    SqlCheck("raw_invoices", "no_line_is_rejected", _WARNING),
    SqlCheck("clean_invoices", "reconcile_with_raw", blocking=True),
    SqlCheck("clean_invoices", "cancellations_are_negative", _WARNING),
    SqlCheck("clean_invoices", "prices_are_positive", _WARNING),
    SqlCheck("clean_invoices", "lines_do_not_repeat", _WARNING),
    SqlCheck("invoice_totals", "reconcile_with_lines", blocking=True),
    SqlCheck("monthly_metrics", "sum_to_all_lines"),
    SqlCheck("monthly_metrics", "no_month_missing"),
    SqlCheck("user_activity", "new_users_are_customers"),
    SqlCheck("invoice_amounts", "sum_to_all_lines"),
    SqlCheck("rfm_scores", "reconcile_with_sales", blocking=True),
    SqlCheck("rfm_scores", "are_quintiles", blocking=True),
    SqlCheck("rfm_scores", "quintiles_are_balanced", blocking=True),
    SqlCheck("rfm_scores", "recency_is_not_constant", blocking=True),
    SqlCheck("segment_playbook", "covers_each_cell_once", blocking=True),
    SqlCheck("segments", "match_scores", blocking=True),
    SqlCheck("segment_summary", "reconciles_with_sales", blocking=True),
    SqlCheck("charts", "are_pictures"),
)


def evaluate(check: SqlCheck, tables: Tables) -> dg.AssetCheckResult:
    """Runs a check, with the settings that its table was built with.

    Its metadata are the number of violating rows, the first of them, and the query to see them all.
    """
    query = check.query
    counted = f"select count(*) over () as violating_rows, violations.* from ({query}) as violations limit {SHOWN_ROWS}"
    names = set(sa.text(query).compile().params)
    settings = settings_of(tables.warehouse, check.table)
    rows = tables.rows(counted, {name: getattr(settings, name) for name in names})
    metadata: dict[str, Any] = {
        "violating_rows": rows[0]["violating_rows"] if rows else 0,
        "query": dg.MetadataValue.md(f"```sql\n{query}\n```"),
    }
    if rows:
        sample = pd.DataFrame([dict(row) for row in rows], dtype=object).drop(columns="violating_rows")
        metadata["sample"] = dg.MetadataValue.md(markdown_table(sample))
    return dg.AssetCheckResult(
        passed=not rows,
        check_name=check.name,
        asset_key=check.table,
        severity=check.severity,
        description=check.description,
        metadata=metadata,
    )


def _checks_of(table: str, checks: Iterable[SqlCheck]) -> dg.AssetChecksDefinition:
    """All checks of one table as one step: a step costs more than most of these queries."""
    by_name = {check.name: check for check in checks}

    @dg.multi_asset_check(name=f"check_{table}", specs=[check.spec for check in by_name.values()], can_subset=True)
    def run_checks(
        context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource
    ) -> Iterator[dg.AssetCheckResult]:
        for name in sorted(key.name for key in context.selected_asset_check_keys):
            with retried():
                result = evaluate(by_name[name], warehouse.tables())
                if by_name[name].blocking and not result.passed:
                    distrust(warehouse.get(), table)  # else the next run would find it current, and build on it
            yield result

    return run_checks


ALL_CHECKS = [
    _checks_of(table, [check for check in CHECKS if check.table == table])
    for table in dict.fromkeys(check.table for check in CHECKS)
]
