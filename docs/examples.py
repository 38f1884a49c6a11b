"""Writes below each query of method.md the rows that it gives, from the warehouse that the environment names.

lgs run && python -m docs.examples
"""

import re
from pathlib import Path

from lgs_assets.warehouse.database import Warehouse

PAGE = Path(__file__).with_name("method.md")
_EXAMPLE = re.compile(r"```sql\n(?P<query>.*?)\n```\n(?:\n(?:\|[^\n]*\n)+)?", re.S)


def filled(page: str, warehouse: Warehouse) -> str:
    """The page with the rows of its queries, as Markdown tables."""
    return _EXAMPLE.sub(
        lambda example: f"```sql\n{example['query']}\n```\n\n{_table(warehouse, example['query'])}", page
    )


def _table(warehouse: Warehouse, query: str) -> str:
    rows = warehouse.rows(query)
    cells: list[list[str]] = [[*rows[0].keys()], ["---"] * len(rows[0])]
    cells += [[_cell(value) for value in row.values()] for row in rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


if __name__ == "__main__":
    from lgs_assets.configuration import Configuration
    from lgs_assets.wiring.resources import Resources

    warehouse = Resources.of(Configuration.read()).warehouse
    PAGE.write_text(filled(PAGE.read_text(), warehouse))
