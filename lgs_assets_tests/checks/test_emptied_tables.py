"""Checks against lost rows: a table that is emptied, while what it is made of has rows, fails one of its checks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lgs_assets.checks.sql_checks import evaluate
from lgs_assets.contracts.check import CHECKS
from lgs_assets.contracts.model import Value
from lgs_assets.demo.costs import demo_costs
from lgs_assets.warehouse.costs import keep_costs
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.tables import PostgresTables
from lgs_assets_tests.builders import TABLES, MakeDatabase, build_tables

MAY_BE_EMPTY = {
    "audiences": "the folder of audiences may be",
    "audience_members": "a rule may pick nobody; that an audience shrank, its history warns",
    "value_backtests": "a past day on which nothing could be fitted has no rows; model_evaluations says so",
    "risk_backtests": "likewise",
    "forecast_backtests": "likewise",
    "model_cards": "they hold texts, one for each model of the code",
}
"""The tables of which rows cannot be asked for, and why."""
WITHOUT_ROWS = {"experiment_reports", "experiment_results", "exposures", "judged_predictions"}
"""The tables that the demo shop does not fill, so that nothing is known of them here: no experiment was started, and no
prediction is old enough to be judged."""


@dataclass(frozen=True)
class Uncommitted(PostgresTables):
    """The tables as a transaction sees them."""

    connection: sa.Connection

    def rows(self, query: str, parameters: Mapping[str, Value] | None = None) -> Sequence[Mapping[str, Any]]:
        """See `Tables.rows`."""
        rows = self.connection.execute(sa.text(query), parameters or {}).mappings()
        return [{str(name): value for name, value in row.items()} for row in rows]


def goes_unnoticed(warehouse: Warehouse, table: str) -> bool:
    """Whether every check of a table passes without its rows. They come back."""
    with warehouse.engine.connect() as connection:  # nothing is committed
        connection.exec_driver_sql(f"delete from {table}")
        emptied = Uncommitted(warehouse, connection)
        return all(evaluate(check, emptied).passed for check in CHECKS if check.table == table)


def test_no_table_is_emptied_unnoticed(demo: Warehouse, make_database: MakeDatabase) -> None:
    """Whatever the demo shop fills, its costs included: each table has a check with a source other than itself."""
    demo.engine.dispose()
    warehouse = Warehouse(make_database(template=demo.url))
    keep_costs(warehouse, demo_costs(seed=2009))
    build_tables(warehouse, "margins", "expected_margins")
    assert {table for table in TABLES if not warehouse.rows(f"select from {table} limit 1")} == WITHOUT_ROWS
    assert {table for table in TABLES if goes_unnoticed(warehouse, table)} <= MAY_BE_EMPTY.keys() | WITHOUT_ROWS
    warehouse.engine.dispose()
