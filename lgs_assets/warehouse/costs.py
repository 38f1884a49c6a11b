"""The stored unit costs, the lines that were none, and how much of sales the costs cover. Reads no file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from lgs_assets.sources import Reject
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import built_tables
from lgs_assets.warehouse.locks import lock_for_writing
from lgs_assets.warehouse.publish import mark_outdated
from lgs_assets.warehouse.schema import Cursor, driver_cursor


class Cost(NamedTuple):
    """What a unit of a product costs from a day on."""

    code: str
    """Of the product, trimmed and in capitals, as `stock_codes` has it."""
    valid_from: date
    unit_cost: Decimal
    """In pounds, exact."""


@dataclass(frozen=True)
class Profit:
    """What is known about the margin on all sales of products."""

    sales: Decimal
    """Before returns, each doubled invoice once."""
    known_sales: Decimal
    """Those with a known unit cost."""
    margin: Decimal
    """Of these."""


def keep_costs(warehouse: Warehouse, costs: Sequence[Cost], rejects: Sequence[Reject] = ()) -> None:
    """Stores all the costs, in place of those of the same product and day, and the rejected lines of their file.

    What is made with costs is then outdated.
    """
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        cursor.executemany(
            """
            insert into unit_costs (code, valid_from, unit_cost, imported_at) values (%s, %s, %s, now())
            on conflict (code, valid_from)
            do update set unit_cost = excluded.unit_cost, imported_at = excluded.imported_at
            """,
            costs,
        )
        _store_rejects(cursor, rejects)
        for table in ("margins", "expected_margins"):
            mark_outdated(connection, table)


def keep_rejected_costs(warehouse: Warehouse, rejects: Sequence[Reject]) -> None:
    """Stores the rejected lines of a file of which no cost is kept."""
    with warehouse.transaction() as connection:
        _store_rejects(driver_cursor(connection), rejects)


def rejected_costs(warehouse: Warehouse) -> list[Reject]:
    """The lines of the last file of costs that were rejected, in order."""
    query = "select line_number, line, column_name, reason from rejected_costs order by line_number"
    return [Reject(*row.values()) for row in warehouse.rows(query)]


def codes_without_lines(warehouse: Warehouse, costs: Sequence[Cost]) -> list[str]:
    """The codes of these costs that no line has, in order; none before there are lines."""
    query = """
        select code from unnest(cast(:codes as text[])) as code where exists (select from stock_codes)
        except
        select code from stock_codes
        order by code
    """
    if "stock_codes" not in built_tables(warehouse):
        return []
    return [row.code for row in warehouse.rows(query, codes=[cost.code for cost in costs])]


def are_known(warehouse: Warehouse) -> bool:
    """Whether there are unit costs, be it of products that were never sold."""
    return bool(warehouse.rows("select from unit_costs limit 1"))


def profit(warehouse: Warehouse) -> Profit | None:
    """The margin on all sales; None if there are no unit costs, or no sales. The table `margins` must exist."""
    query = """
        select sum(sales) as sales, sum(known_sales) as known_sales, sum(margin) as margin
        from margins
        where dimension = 'product'
    """
    (row,) = warehouse.rows(query)
    return Profit(**row) if row.sales else None


def _store_rejects(cursor: Cursor, rejects: Sequence[Reject]) -> None:
    lock_for_writing(cursor, "rejected_costs")  # a file that is refused waits for no other command
    cursor.execute("delete from rejected_costs")
    cursor.executemany(
        "insert into rejected_costs (line_number, line, column_name, reason) values (%s, %s, %s, %s)", rejects
    )
