"""What the Dagster UI shows of a table: columns, lineage, size, first rows. Events are kept for long: all is small."""

from collections.abc import Callable, Iterable
from typing import Any

import dagster as dg
import pandas as pd

from lgs_assets.contracts.contract import Column
from lgs_assets.contracts.model import Model
from lgs_assets.escaping import markdown
from lgs_assets.warehouse.ledger import LoadedDump
from lgs_assets.warehouse.loading import DumpFile
from lgs_assets.warehouse.schema import SCHEMA
from lgs_assets.warehouse.tables import Tables

PREVIEW_ROWS = 5
PREVIEW_CHARACTERS = 40


def described(table: str, describe: Callable[[], dict[str, Any]], warn: Callable[[str], None]) -> dict[str, Any]:
    """The metadata of a table that is published; if it cannot be described, a warning, which is told as well.

    What fails for its description must not count as failed: its rows are there, and others are to be built on them.
    """
    try:
        return describe()
    except Exception as error:  # whatever it is
        reason = f"{table} is published, but cannot be described: {type(error).__name__}: {error}"
        warn(reason)
        return {"not described": reason}


def describe_table(tables: Tables, table: str, *, model: Model | None) -> dict[str, Any]:
    """Dagster metadata of an existing table; with its column lineage if a model made it."""
    extent = tables.extent(table)
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
        "preview": _preview(tables, table, extent.columns),
    }
    if model:
        described["dagster/column_lineage"] = _column_lineage(table, model)
    return described


def describe_dump(file: DumpFile, loaded: LoadedDump) -> dict[str, Any]:
    """Dagster metadata of a partition of raw_invoices. It has no lines if another dump has brought the same content."""
    return {
        "dagster/partition_row_count": loaded.lines if loaded.dump == file.name else 0,
        "dump_version": file.version,
        "dump_sha256": loaded.sha256,
        "dump_bytes": loaded.bytes,
        "dump_format": loaded.format,
        "dump_lines": loaded.lines,
        "rejected_lines": loaded.rejected,
        "content_of": loaded.dump,
        "first_invoice_at": str(loaded.first_invoice_at),
        "last_invoice_at": str(loaded.last_invoice_at),
    } | {fact: value for fact, value in loaded.facts.items() if fact != "format"}


def markdown_table(frame: pd.DataFrame) -> str:
    """A frame as a table in Markdown, long values cut."""
    lines: list[Iterable[object]] = [
        frame.columns,
        ["---"] * len(frame.columns),
        *frame.itertuples(index=False, name=None),
    ]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _preview(tables: Tables, table: str, columns: Iterable[Column]) -> dg.MarkdownMetadataValue:
    """The first rows, without columns of bytes, which nobody reads."""
    legible = [column.name for column in columns if column.type != "bytea"]
    return dg.MetadataValue.md(markdown_table(tables.read_frame(table, legible, limit=PREVIEW_ROWS)))


def _cell(value: object) -> str:
    text = "" if pd.isna(value) else str(value)  # type: ignore[call-overload]  # a scalar
    return markdown(text if len(text) <= PREVIEW_CHARACTERS else text[: PREVIEW_CHARACTERS - 1] + "…")


def _column_lineage(table: str, model: Model) -> dg.TableColumnLineage:
    """From which columns of its inputs each column of a table comes, as the SELECT of its model says."""
    # Imported here: a run that finds everything up to date parses no SQL.
    from sqlglot import exp
    from sqlglot.lineage import lineage

    from lgs_assets.contracts.declaration import declared_types

    inputs = {relation.name for relation in model.inputs}
    schema, deps_by_column = declared_types(), {}
    for column in schema[table]:
        leaves = lineage(column, model.select, schema=schema, dialect="postgres").walk()
        origins = {
            (leaf.source.name, leaf.name.split(".")[-1])
            for leaf in leaves
            if not leaf.downstream and isinstance(leaf.source, exp.Table) and leaf.source.name in inputs
        }
        deps_by_column[column] = [dg.TableColumnDep(dg.AssetKey(origin), name) for origin, name in sorted(origins)]
    return dg.TableColumnLineage(deps_by_column)
