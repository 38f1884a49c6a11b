"""What the Dagster UI shows of a table: columns, lineage, size, first rows. Events are kept for long: all is small."""

from collections.abc import Iterable
from typing import Any

import dagster as dg
import pandas as pd

from lgs_assets.contracts.model import Model
from lgs_assets.warehouse.catalog import Column
from lgs_assets.warehouse.database import SCHEMA
from lgs_assets.warehouse.tables import Store

PREVIEW_ROWS = 5
PREVIEW_CHARACTERS = 40


def describe_table(store: Store, table: str, *, model: Model | None) -> dict[str, Any]:
    """Dagster metadata of an existing table; with its column lineage if a model made it."""
    extent = store.extent(table)
    schema = dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                column.type,
                column.description,
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in extent.columns
        ]
    )
    described: dict[str, Any] = {
        "dagster/row_count": extent.rows,
        "dagster/table_name": f"{SCHEMA}.{table}",
        "dagster/column_schema": schema,
        "table_bytes": extent.bytes,
        "preview": _preview(store, table, extent.columns),
    }
    if model:
        described["dagster/column_lineage"] = _column_lineage(table, model)
    return described


def markdown_table(frame: pd.DataFrame) -> str:
    """A frame as a table in Markdown, long values cut."""
    lines: list[Iterable[object]] = [
        frame.columns,
        ["---"] * len(frame.columns),
        *frame.itertuples(index=False, name=None),
    ]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _preview(store: Store, table: str, columns: Iterable[Column]) -> dg.MarkdownMetadataValue:
    """The first rows, without columns of bytes, which nobody reads."""
    legible = [column.name for column in columns if column.type != "bytea"]
    return dg.MetadataValue.md(markdown_table(store.read_frame(table, legible, limit=PREVIEW_ROWS)))


def _cell(value: object) -> str:
    text = "" if pd.isna(value) else str(value)  # type: ignore[call-overload]  # a scalar
    text = text.replace("|", "\\|").replace("\n", " ")
    return text if len(text) <= PREVIEW_CHARACTERS else text[: PREVIEW_CHARACTERS - 1] + "…"


def _column_lineage(table: str, model: Model) -> dg.TableColumnLineage:
    """From which columns of its inputs each column of a table comes, as the SELECT of its model says."""
    # Imported here: a run that finds everything up to date understands no SQL.
    from sqlglot import exp
    from sqlglot.lineage import lineage

    from lgs_assets.contracts.declaration import declared_types

    inputs = {relation.name for relation in model.inputs}
    deps_by_column = {}
    for column in declared_types()[table]:
        leaves = lineage(column, model.select, schema=declared_types(), dialect="postgres").walk()
        origins = {
            (leaf.source.name, leaf.name.split(".")[-1])
            for leaf in leaves
            if not leaf.downstream and isinstance(leaf.source, exp.Table) and leaf.source.name in inputs
        }
        deps_by_column[column] = [dg.TableColumnDep(dg.AssetKey(origin), name) for origin, name in sorted(origins)]
    return dg.TableColumnLineage(deps_by_column)
