"""What the Dagster UI shows of a table: columns, lineage, size, first rows. Events are kept for long: all is small."""

import base64
from collections.abc import Iterable
from typing import Any

import dagster as dg
import pandas as pd

from lgs_assets.contracts.model import Model
from lgs_assets.escaping import markdown
from lgs_assets.warehouse.database import SCHEMA
from lgs_assets.warehouse.tables import Store

PREVIEW_ROWS = 5
PREVIEW_CHARACTERS = 40
THUMBNAIL_PIXELS = 420


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
        "preview": _preview(store, table),
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


def _preview(store: Store, table: str) -> dg.MarkdownMetadataValue:
    if table != "charts":
        return dg.MetadataValue.md(markdown_table(store.read_frame(table, limit=PREVIEW_ROWS)))
    from lgs_assets.charts import thumbnail  # here: only this needs a library for pictures

    frame = store.read_frame(table, ["name", "position", "title", "png"])
    pictures = [
        f"**{markdown(chart['title'])}**\n\n![{markdown(chart['name'])}](data:image/png;base64,"
        f"{base64.b64encode(thumbnail(chart['png'], THUMBNAIL_PIXELS)).decode()})"
        for chart in frame.sort_values("position").to_dict("records")
    ]
    return dg.MetadataValue.md("\n\n".join(pictures))


def _cell(value: object) -> str:
    text = "" if pd.isna(value) else str(value)  # type: ignore[call-overload]  # a scalar
    return markdown(text if len(text) <= PREVIEW_CHARACTERS else text[: PREVIEW_CHARACTERS - 1] + "…")


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
