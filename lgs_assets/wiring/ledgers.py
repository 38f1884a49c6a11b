"""The ledgers of what leaves the house, as Dagster shows them: assets that commands write and no run builds.

A plan, a receipt and an arm are facts: they are written when somebody plans, sends or starts, and never rebuilt. So
they are external assets, whose state is observed: by the job that plans each night, and by each that applies a plan.
"""

from functools import partial
from typing import Any

import dagster as dg
import pandas as pd

from lgs_assets.contracts.declaration import columns
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wiring.derived_asset import OWNERS
from lgs_assets.wiring.metadata import described, markdown_table

_LAST = 10
_SHOWN = {
    "activation_plans": "plan, destination, audience, adds, updates, removes, state, refusal, made_by, made_at",
    "activation_receipts": "receipt, plan, batch, attempt, row_count, status, outcome, sent_at",
    "assignments": "experiment, arm, count(*) as customers, max(wave) as waves, max(counts_from) as counts_from",
}
_ORDER = {
    "activation_plans": "order by plan desc",
    "activation_receipts": "order by receipt desc",
    "assignments": "group by experiment, arm order by experiment, arm",
}

LEDGERS = [
    dg.AssetSpec(
        table,
        deps=[after],
        group_name="audiences",
        kinds={"postgres"},
        owners=OWNERS,
        description=f"{said} Written by commands and jobs, for good; no run rebuilds it.",
        metadata={
            "dagster/column_schema": dg.TableSchema(
                [dg.TableColumn(column.name, column.type, column.description) for column in columns(table)]
            )
        },
    )
    for table, after, said in (
        ("activation_plans", "audience_members", "What was planned to be sent, and what became of it."),
        ("activation_receipts", "activation_plans", "Every request to a destination, and its answer."),
        ("assignments", "audience_members", "The arm of each customer in each experiment."),
    )
]


def observe_ledgers(context: dg.OpExecutionContext, warehouse: Warehouse) -> None:
    """Tells Dagster what each ledger holds now: how many rows, and the last of them. No address is in any."""
    for spec in LEDGERS:
        table = spec.key.path[-1]
        metadata = described(table, partial(_state, warehouse, table), context.log.warning)
        context.log_event(dg.AssetObservation(spec.key, metadata=metadata))


def _state(warehouse: Warehouse, table: str) -> dict[str, Any]:
    count = warehouse.rows(f"select count(*) as rows from {table}")[0].rows
    last = warehouse.rows(f"select {_SHOWN[table]} from {table} {_ORDER[table]} limit {_LAST}")
    shown = pd.DataFrame([dict(row) for row in last])
    return {
        "dagster/row_count": count,
        "the last": dg.MetadataValue.md(markdown_table(shown)) if count else "nothing yet",
    }
