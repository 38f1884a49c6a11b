"""The data dictionary: every table and column as the contracts describe them, in Markdown.

`python -m lgs_assets.contracts.dictionary` prints it; `make docs` keeps the page under `docs/` current.
"""

from collections.abc import Iterator

from sqlglot import exp

from lgs_assets.contracts.declaration import comments, declaration
from lgs_assets.wiring.lineage import ASSETS

LEDGERS = ("rejected_lines", "dumps", "publications", "lake_parts")


def data_dictionary() -> str:
    """The page: the tables of the lineage in its order, then the ledgers."""
    tables = [asset.key.path[-1] for asset in ASSETS] + list(LEDGERS)
    pages = ["\n".join(_page(table)) for table in tables]
    head = (
        "# Data dictionary\n\nMade from `sql/tables` by `make docs`. Money is pounds sterling, exact; "
        "timestamps are the retailer's local time, those with a time zone are moments of the platform's own.\n"
    )
    return "\n".join([head, *pages])


def _page(table: str) -> Iterator[str]:
    said = comments(table)
    yield f"## {table}\n\n{said['']}\n\n| column | type | |\n|---|---|---|"
    for column in declaration(table).find_all(exp.ColumnDef):
        kind = column.args["kind"].sql(dialect="postgres").lower()
        required = any(
            isinstance(constraint.kind, exp.NotNullColumnConstraint | exp.PrimaryKeyColumnConstraint)
            for constraint in column.constraints
        )
        yield f"| `{column.name}` | {kind}{'' if required else ', may be NULL'} | {said[column.name]} |"
    yield ""


if __name__ == "__main__":
    print(data_dictionary(), end="")
