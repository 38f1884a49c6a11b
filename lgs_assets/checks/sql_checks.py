"""The asset checks: each query of `sql/checks`, run on the tables, as a check that Dagster knows.

People who know about the rows that a warning counts can accept their number: see `findings`.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import Any

import dagster as dg
import pandas as pd

from lgs_assets.checks.findings import Finding, accepted_rows, kept, record
from lgs_assets.contracts.check import CHECKS, SqlCheck
from lgs_assets.contracts.model import parameters_of
from lgs_assets.warehouse.publish import mark_outdated
from lgs_assets.warehouse.tables import Tables
from lgs_assets.wiring.derived_asset import op_tags
from lgs_assets.wiring.failures import plain_failures
from lgs_assets.wiring.lineage import built_specs
from lgs_assets.wiring.metadata import markdown_table, sql_block
from lgs_assets.wiring.retries import retried
from lgs_assets.wiring.versions import settings_of

SHOWN_ROWS = 5


def evaluate(check: SqlCheck, tables: Tables) -> dg.AssetCheckResult:
    """Runs a check, with the settings that its table was built with. It passes with up to the accepted number of rows.

    Its metadata are the number of violating rows, how many are accepted, the first of them, the query to see all, and
    how long it took.
    """
    query = check.query
    counted = f"select count(*) over () as violating_rows, violations.* from ({query}) as violations limit {SHOWN_ROWS}"
    settings = settings_of(tables.warehouse, check.table).values()
    began = time.perf_counter()
    rows = tables.rows(counted, {name: settings[name] for name in parameters_of(query)})
    seconds = round(time.perf_counter() - began, 3)
    found = rows[0]["violating_rows"] if rows else 0
    accepted = accepted_rows(tables.warehouse, check.table, check.name) if check.is_warning else 0
    metadata: dict[str, Any] = {"violating_rows": found, "accepted_rows": accepted, "query_seconds": seconds}
    metadata["query"] = sql_block(query)
    if rows:
        sample = pd.DataFrame([dict(row) for row in rows], dtype=object).drop(columns="violating_rows")
        metadata["sample"] = dg.MetadataValue.md(markdown_table(sample))
    return dg.AssetCheckResult(
        passed=found <= accepted,
        check_name=check.name,
        asset_key=check.table,
        severity=dg.AssetCheckSeverity.WARN if check.is_warning else dg.AssetCheckSeverity.ERROR,
        description=check.description,
        metadata=metadata,
    )


def finding(check: SqlCheck, result: dg.AssetCheckResult) -> Finding:
    """What a check has found, as the warehouse keeps it."""
    rows, accepted = (int(str(result.metadata[name].value)) for name in ("violating_rows", "accepted_rows"))
    return Finding(check.table, check.name, check.degree, rows, accepted)


def findings(tables: Tables, built: Collection[str], *, every: bool = False) -> list[tuple[SqlCheck, Finding]]:
    """What each check of these tables found when it ran last; one that has not run since its table was written runs.

    With `every`, all of them run.
    """
    known = {} if every else {(found.table_name, found.check_name): found for found in kept(tables.warehouse)}
    return [
        (check, known.get((check.table, check.name)) or finding(check, evaluate(check, tables)))
        for check in CHECKS
        if check.table in built
    ]


def evaluation(check: SqlCheck, tables: Tables) -> dg.AssetCheckEvaluation:
    """What a check finds now, as Dagster records it where no run has evaluated the check; it is kept, too."""
    result = evaluate(check, tables)
    record(tables.warehouse, [finding(check, result)])
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(check.table),
        check_name=check.name,
        passed=result.passed,
        severity=result.severity,
        description=result.description,
        metadata=dict(result.metadata),
        blocking=check.is_blocking,
    )


_GROUPS = {spec.key.path[-1]: spec.group_name for spec in built_specs()}


def _checks_of(table: str, checks: Sequence[SqlCheck]) -> dg.AssetChecksDefinition:
    """All checks of one table as one step: a step costs more than most of these queries."""
    by_name = {check.name: check for check in checks}

    @dg.multi_asset_check(
        name=f"check_{table}",
        specs=[
            dg.AssetCheckSpec(check.name, asset=table, description=check.description, blocking=check.is_blocking)
            for check in checks
        ],
        can_subset=True,
        op_tags=op_tags(_GROUPS.get(table)),
    )
    def run_checks(
        context: dg.AssetCheckExecutionContext, tables: dg.ResourceParam[Tables]
    ) -> Iterator[dg.AssetCheckResult]:
        findings = []
        for name in sorted(key.name for key in context.selected_asset_check_keys):
            with plain_failures(), retried():
                result = evaluate(by_name[name], tables)
                if by_name[name].is_blocking and not result.passed:
                    # Or the next run would find it current, and build on it.
                    with tables.warehouse.transaction() as connection:
                        mark_outdated(connection, table)
            findings.append(finding(by_name[name], result))
            yield result
        record(tables.warehouse, findings)

    return run_checks


ALL_CHECKS = [_checks_of(table, [*checks]) for table, checks in groupby(CHECKS, key=lambda check: check.table)]
