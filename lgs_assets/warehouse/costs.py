"""The stored unit costs, and how much of sales they cover. Reads no file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.publish import disown
from lgs_assets.warehouse.schema import driver_cursor


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


def keep_costs(warehouse: Warehouse, costs: Sequence[Cost]) -> None:
    """Stores all the costs, in place of those of the same product and day. What is made with them is then outdated."""
    with warehouse.transaction() as connection:
        driver_cursor(connection).executemany(
            """
            insert into unit_costs (code, valid_from, unit_cost, imported_at) values (%s, %s, %s, now())
            on conflict (code, valid_from)
            do update set unit_cost = excluded.unit_cost, imported_at = excluded.imported_at
            """,
            costs,
        )
        for table in ("margins", "expected_margins"):
            disown(connection, table)


def profit(warehouse: Warehouse) -> Profit | None:
    """The margin on all sales; None if there are no unit costs. The table `margins` must exist."""
    query = """
        select sum(sales) as sales, sum(known_sales) as known_sales, sum(margin) as margin
        from margins
        where dimension = 'product'
    """
    (row,) = warehouse.rows(query)
    return Profit(**row) if row.sales else None
