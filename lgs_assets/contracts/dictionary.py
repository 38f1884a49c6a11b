"""The data dictionary: every table and column as the contracts describe them, in Markdown.

`python -m lgs_assets.contracts.dictionary` prints it; `make docs` keeps the page under `docs/` current.
"""

from collections.abc import Iterator
from graphlib import TopologicalSorter

from lgs_assets.contracts.contract import ledgers, tables
from lgs_assets.contracts.declaration import columns, description
from lgs_assets.contracts.model import Model, model_path


def data_dictionary() -> str:
    """The page: the tables of the lineage in its order, then the ledgers."""
    pages = ["\n".join(_page(table)) for table in (*lineage(), *ledgers())]
    head = (
        "# Data dictionary\n\nMade from `sql/tables` by `make docs`. Money is pounds sterling, exact; "
        "timestamps are the retailer's local time, those with a time zone are moments of the platform's own.\n"
    )
    return "\n".join([head, *pages])


def lineage() -> list[str]:
    """The tables of the lineage, each after those that its model reads; last, those that no model builds or reads.

    Tables at the same distance from the dumps are in alphabetical order.
    """
    members = [table for table in tables() if table not in ledgers()]
    models = [table for table in members if model_path(table).exists()]
    reads = {table: Model(f"{table}.sql").reads.keys() - set(ledgers()) for table in models}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for table in sorted(reads.keys() | set().union(*reads.values())):
        sorter.add(table, *sorted(reads.get(table, ())))
    order = list(sorter.static_order())
    return order + [table for table in members if table not in order]


def _page(table: str) -> Iterator[str]:
    yield f"## {table}\n\n{description(table)}\n\n| column | type | |\n|---|---|---|"
    for column in columns(table):
        yield f"| `{column.name}` | {column.type}{', may be NULL' if column.nullable else ''} | {column.description} |"
    yield ""


if __name__ == "__main__":
    print(data_dictionary(), end="")
