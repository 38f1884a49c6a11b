"""What checks have found, and the number of rows up to which each passes all the same, because a person said so."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from lgs_assets.warehouse.database import Warehouse


@dataclass(frozen=True)
class Finding:
    """What a check has found."""

    table_name: str
    check_name: str
    degree: str
    violating_rows: int
    accepted_rows: int


def record(warehouse: Warehouse, findings: Iterable[Finding]) -> None:
    """Keeps what checks have found, in place of what they found before, for readers of the warehouse."""
    rows = [asdict(finding) for finding in findings]
    if not rows:
        return
    with warehouse.transaction() as connection:
        connection.execute(
            sa.text(
                """
                insert into check_results (
                    table_name, check_name, degree, violating_rows, accepted_rows, checked_at
                )
                values (:table_name, :check_name, :degree, :violating_rows, :accepted_rows, now())
                on conflict (table_name, check_name) do update set
                    degree = excluded.degree, violating_rows = excluded.violating_rows,
                    accepted_rows = excluded.accepted_rows, checked_at = excluded.checked_at
                """
            ),
            rows,
        )


def kept(warehouse: Warehouse) -> list[Finding]:
    """What each check found that has run since its table was last written."""
    rows = warehouse.rows(
        """
        select table_name, check_name, degree, violating_rows, accepted_rows
        from check_results
        left join publications using (table_name) -- raw_invoices is not among them
        where checked_at >= coalesce(published_at, (select max(loaded_at) from dumps))
        order by table_name, check_name
        """
    )
    return [Finding(**row) for row in rows]


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
