"""Which sale a returned unit came from: sequential, since each return leaves fewer units for later ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pandas as pd

COLUMNS = ["invoice_no", "line_number", "sale_invoice_no", "sale_line_number", "units"]


@dataclass
class _Sale:
    invoice_no: str
    line_number: int
    price_rank: int
    sold: int
    left: int


def match_returns(lines: pd.DataFrame) -> pd.DataFrame:
    """The sales from which returns take their units: one row per return line and sale line, with the units.

    `lines` has the columns of `returnable_lines`. In order of `place`, each return takes its units from the earlier
    sales of its customer and code, and from the first of these that have enough:

    1. the newest sale at its price of the same number of units, none of which has been returned;
    2. the newest sale at its price that has enough units left;
    3. the sales at its price, newest first;
    4. all sales, newest first, though some units may remain without one.
    """
    ordered = lines.sort_values(["customer_id", "code", "place"])
    matches = [
        match
        for _, history in groupby(ordered.itertuples(index=False), key=lambda line: (line.customer_id, line.code))
        for match in _matched(history)
    ]
    return pd.DataFrame(matches, columns=COLUMNS)


def _matched(history: Iterator[Any]) -> Iterator[tuple[str, int, str, int, int]]:
    """The matches among the lines of one customer and code."""
    sales: list[_Sale] = []
    for line in history:
        if not line.is_return:
            sales.insert(0, _Sale(line.invoice_no, line.line_number, line.price_rank, line.units, line.units))
            continue
        wanted = line.units
        for sale in _candidates(sales, line.price_rank, wanted):
            taken = min(wanted, sale.left)
            sale.left -= taken
            wanted -= taken
            yield line.invoice_no, line.line_number, sale.invoice_no, sale.line_number, taken
            if not wanted:
                break
        sales = [sale for sale in sales if sale.left]


def _candidates(sales: list[_Sale], price_rank: int, wanted: int) -> list[_Sale]:
    """The sales to take units from, in order. `sales` are those with units left, newest first."""
    same_price = [sale for sale in sales if sale.price_rank == price_rank]
    if whole := [sale for sale in same_price if sale.left == sale.sold == wanted]:
        return whole[:1]
    if enough := [sale for sale in same_price if sale.left >= wanted]:
        return enough[:1]
    if sum(sale.left for sale in same_price) >= wanted:
        return same_price
    return sales
