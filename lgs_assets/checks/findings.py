"""Accepted oddities: the number of rows up to which each check passes all the same, because a person said so."""

import sqlalchemy as sa

from lgs_assets.warehouse.database import Warehouse


def accepted_rows(warehouse: Warehouse, table: str, check: str) -> int:
    """How many violating rows of a check are accepted; 0 by default."""
    query = "select violating_rows from accepted_checks where table_name = :table and check_name = :check"
    return sum(row.violating_rows for row in warehouse.rows(query, table=table, check=check))


def accept_rows(warehouse: Warehouse, table: str, check: str, rows: int) -> None:
    """Accepts this many violating rows of a check, in place of any accepted before; 0 takes it back."""
    key = {"table": table, "check": check}
    with warehouse.transaction() as connection:
        connection.execute(
            sa.text("delete from accepted_checks where table_name = :table and check_name = :check"), key
        )
        if rows:
            connection.execute(
                sa.text("insert into accepted_checks values (:table, :check, :rows, now())"), key | {"rows": rows}
            )
