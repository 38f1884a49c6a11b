"""Writes below each query of method.md the rows that it gives, from the warehouse that the environment names.

lgs run && lgs demo-costs && lgs costs import demo_costs.csv && python -m docs.examples
"""

import re
from collections.abc import Sequence
from decimal import Decimal
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
    columns = [_column(name, [row[name] for row in rows]) for name in rows[0]]
    return "".join(f"| {' | '.join(row)} |\n" for row in zip(*columns, strict=True))


def _column(name: str, values: Sequence[object]) -> list[str]:
    """Its head and its cells, numbers all to the same places."""
    numbers = [Decimal(str(value)) for value in values if isinstance(value, Decimal | float)]
    if numbers:
        form = f",.{_places(numbers)}f"
        return [name, "--:", *(format(number, form) for number in numbers)]
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return [name, "--:", *(f"{value:,}" for value in values)]
    return [name, "---", *map(str, values)]


def _places(numbers: Sequence[Decimal]) -> int:
    """Three show any amount exactly. What has more is a mean, to the penny, or a share, to a hundredth of a percent."""
    exact = max(-int(number.normalize().as_tuple().exponent) for number in numbers)
    if exact <= 3:
        return max(exact, 0)
    return 2 if max(map(abs, numbers)) > 1 else 4


if __name__ == "__main__":
    from lgs_assets.configuration import Configuration
    from lgs_assets.wiring.resources import Resources

    warehouse = Resources.of(Configuration.read()).warehouse
    PAGE.write_text(filled(PAGE.read_text(), warehouse))
