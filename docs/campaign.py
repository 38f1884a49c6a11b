"""A campaign on the demo shop, made up, with a lift that is known: what the shop sells in the window of an experiment.

    python -m docs.campaign EXPERIMENT FILE.csv

Every customer does again what they did 52 weeks before. A call wins over some of those who would not buy in the window:
the treated among them place one order all the same. What calls to everybody would have changed is printed: the lift, of
which the two arms are samples. Nothing random is drawn, so the same arms give the same file.
"""

import csv
import sys
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from lgs_assets.action.experiments.declaration import CONTROL, LATE_DAYS
from lgs_assets.action.experiments.state import state
from lgs_assets.configuration import Configuration
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wiring.resources import Resources

HEADER = ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country")
WON_OVER = 0.25
"""The share of those who would not buy whom a call brings to place an order."""

_AGAIN = """
select
    case when is_cancellation then 'C' else '' end || (600000 + dense_rank() over (order by invoice_no)),
    stock_code, description, quantity, invoice_date + interval '364 days', unit_price, customer_id, country
from clean_invoices
where invoice_date + interval '364 days' >= :begins and invoice_date + interval '364 days' < :ends
order by invoice_date, invoice_no, line_number
"""
_WITHOUT_A_SALE = """
select customer_id, country, typical_order, arm <> :control as is_treated
from assignments
inner join customer_profile using (customer_id)
where experiment = :experiment and customer_id not in (
    select customer_id
    from clean_invoices
    where is_sale and invoice_date + interval '364 days' >= :begins
        and invoice_date + interval '364 days' < cast(:begins as timestamp) + make_interval(days => :days)
)
order by customer_id
"""


def write_campaign(warehouse: Warehouse, experiment: str, file: Path) -> float:
    """Writes the lines as CSV, and returns the lift: buyers more of each customer if all were treated, in 0..1."""
    found = state(warehouse, experiment)
    days = found.declaration.primary.days
    begins = found.due - timedelta(days=days)
    window = {"begins": begins, "ends": found.due + timedelta(days=LATE_DAYS + 7)}
    lines: list[tuple[Any, ...]] = [tuple(row.values()) for row in warehouse.rows(_AGAIN, **window)]
    idle = warehouse.rows(_WITHOUT_A_SALE, experiment=experiment, control=CONTROL, begins=begins, days=days)
    won = [row for row in idle if sha256(f"{experiment} {row.customer_id}".encode()).digest()[0] < 256 * WON_OVER]
    for number, row in enumerate(row for row in won if row.is_treated):
        day = begins + timedelta(days=7 + number % (days - 7))
        order = (f"{990_000 + number}", "22423", "REGENCY CAKESTAND 3 TIER", 1, f"{day} 11:00:00")
        lines.append((*order, row.typical_order, row.customer_id, row.country))
    with file.open("w", newline="") as target:
        csv.writer(target).writerows([HEADER, *lines])
    return len(won) / sum(found.arms.values())


if __name__ == "__main__":
    name, path = sys.argv[1:]
    lift = write_campaign(Resources.of(Configuration.read()).warehouse, name, Path(path))
    print(f"{path}: a campaign that wins over {100 * lift:.1f} of a hundred")
