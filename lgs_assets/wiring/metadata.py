"""What the Dagster UI shows of a table: its columns and where they come from, what built it, its size, its rows.

Events are kept for long, so everything is small. What is the same for every build is metadata of the asset instead.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cache
from typing import Any

import dagster as dg
import pandas as pd

from lgs_assets.configuration import as_written
from lgs_assets.contracts.contract import Column
from lgs_assets.contracts.model import Model, model_path
from lgs_assets.dashboard import PORT
from lgs_assets.escaping import markdown, printable
from lgs_assets.warehouse.catalog import Extent
from lgs_assets.warehouse.ledger import LoadedDump
from lgs_assets.warehouse.loading import DumpFile
from lgs_assets.warehouse.publish import Provenance
from lgs_assets.warehouse.schema import SCHEMA
from lgs_assets.warehouse.tables import Tables

WHOLE_ROWS = 60
"""A table with at most this many rows, such as the months of five years, is shown in full."""
PREVIEW_ROWS = 5
"""How many rows of a larger one are shown."""
VERSION_CHARACTERS = 16
"""Enough to tell versions apart, and to fit on the page."""
PREVIEW_CHARACTERS = 40
FILE_CHARACTERS = 1_000
"""A column with a longer text holds files, such as drawings, and is not shown."""


_PAGES = {
    "monthly_metrics": "",
    "segments": "segments",
    "segment_summary": "segments",
    "customer_groups": "segments",
    "segment_migrations": "movements",
    "customer_profile": "customers",
    "cohort_retention": "cohorts",
    "products": "products-countries",
    "product_movers": "products-countries",
    "product_pairs": "products-countries",
    "country_months": "products-countries",
    "forecasts": "outlook",
    "audience_members": "campaigns",
    "experiment_results": "experiments",
    "exposures": "experiments",
    "natural_return": "experiments",
}
"""The page of the dashboard on which a table is shown best."""


def describe_model(table: str) -> dict[str, Any]:
    """Dagster metadata of a table's asset, before it is built: the SELECT that builds it and its page, if any."""
    path = model_path(table)
    made_by: dict[str, Any] = {"sql": sql_block(path.read_text())} if path.exists() else {}
    page: dict[str, Any] = (
        {"dashboard": dg.MetadataValue.url(f"http://127.0.0.1:{PORT}/{_PAGES[table]}")} if table in _PAGES else {}
    )
    return made_by | page


def describe_provenance(provenance: Provenance) -> dict[str, Any]:
    """Dagster metadata of what built a table: its version, and the settings that it depends on."""
    settings = ", ".join(f"{name} {as_written(value)}" for name, value in provenance.settings.items())
    return {"version": provenance.version[:VERSION_CHARACTERS]} | ({"settings": settings} if settings else {})


def described(table: str, describe: Callable[[], dict[str, Any]], warn: Callable[[str], None]) -> dict[str, Any]:
    """The metadata of a published table; if it cannot be described, a warning, which is logged as well.

    A table that cannot be described must not count as failed: its rows are there, and others are built on them.
    """
    try:
        return describe()
    except Exception as error:  # whatever the error is
        reason = printable(f"{table} is published, but cannot be described: {type(error).__name__}: {error}", keep="\n")
        warn(reason)
        return {"not described": reason}


def describe_table(tables: Tables, table: str, *, model: Model | None) -> dict[str, Any]:
    """Dagster metadata of an existing table, with the origin of its columns if a model built it."""
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
        "preview": _preview(tables, table, extent),
    }
    if model:
        lineage = _column_lineage(table, model.select, tuple(relation.name for relation in model.inputs))
        # The second for the open-source UI, which does not draw the first.
        described |= {"dagster/column_lineage": lineage, "column_origins": _origins(lineage)}
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


def markdown_table(frame: pd.DataFrame, *, characters: int = PREVIEW_CHARACTERS) -> str:
    """A frame as a table in Markdown, long values cut."""
    lines: list[Iterable[object]] = [
        frame.columns,
        ["---"] * len(frame.columns),
        *frame.itertuples(index=False, name=None),
    ]
    return "\n".join("| " + " | ".join(_cell(value, characters) for value in line) + " |" for line in lines)


def sql_block(select: str) -> dg.MarkdownMetadataValue:
    """A SELECT as Markdown."""
    return dg.MetadataValue.md(f"```sql\n{select}\n```")


def _preview(tables: Tables, table: str, extent: Extent) -> dg.MarkdownMetadataValue:
    """All rows in order, or the first ones, without columns of files, which nobody reads."""
    is_whole = extent.rows <= WHOLE_ROWS
    columns = [column for column in extent.columns if column.type != "bytea"]
    rows = tables.read_frame(table, [column.name for column in columns], limit=None if is_whole else PREVIEW_ROWS)
    if is_whole and "position" in rows:
        rows = rows.sort_values("position")
    shown = pd.DataFrame({column.name: _texts(rows[column.name], column, to_the_penny=is_whole) for column in columns})
    legible = [name for name in shown if not (shown[name].str.len() > FILE_CHARACTERS).any()]
    return dg.MetadataValue.md(markdown_table(shown[legible]))


def _texts(values: pd.Series, column: Column, *, to_the_penny: bool) -> pd.Series:
    """The values as people read them: amounts in pounds and pence, dates without their midnight."""
    present = values.dropna()
    if column.type == "numeric" and column.name.endswith("_id"):
        texts = present.map("{:.0f}".format)  # a number that nobody adds up
    elif column.type == "numeric":
        is_share = present.between(0, 1).all()  # such as a quantile, of which every digit counts
        # str() of a float returns the decimal that it was read from, which decides how half a penny is rounded.
        amounts = present.map(lambda value: Decimal(str(value)))
        texts = amounts.map("{:,.2f}".format if to_the_penny and not is_share else _exactly)
    elif pd.api.types.is_datetime64_any_dtype(present) and (present == present.dt.normalize()).all():
        texts = present.dt.strftime("%Y-%m-%d")
    else:
        texts = present.map(as_written)
    return texts.astype(object).reindex(values.index, fill_value="")


def _exactly(value: Decimal) -> str:
    """An amount with all its decimal places, but at least pence."""
    whole, _, places = f"{value:,.6f}".partition(".")
    return f"{whole}.{places.rstrip('0'):0<2}"


def _cell(value: object, characters: int) -> str:
    text = "" if pd.isna(value) else str(value)  # type: ignore[call-overload]  # a scalar
    return markdown(text if len(text) <= characters else text[: characters - 1] + "…")


def _origins(lineage: dg.TableColumnLineage) -> dg.MarkdownMetadataValue:
    origins = {
        column: ", ".join(f"{dep.asset_key.path[-1]}.{dep.column_name}" for dep in deps) or "computed from no column"
        for column, deps in lineage.deps_by_column.items()
    }
    frame = pd.DataFrame({"column": origins.keys(), "comes from": origins.values()})
    return dg.MetadataValue.md(markdown_table(frame, characters=FILE_CHARACTERS))


@cache
def _column_lineage(table: str, select: str, inputs: tuple[str, ...]) -> dg.TableColumnLineage:
    """The input columns behind each column of a table, as the SELECT of its model says: once in a process."""
    # Imported here: a run that finds everything up to date parses no SQL.
    from sqlglot import exp
    from sqlglot.lineage import lineage

    from lgs_assets.contracts.declaration import columns, declared_types

    schema = declared_types(*inputs)
    # All columns at once, and without the part of the SELECT that each comes from, which takes most of the time.
    nodes = lineage(None, select, schema=schema, dialect="postgres", trim_selects=False)
    deps_by_column = {}
    for column in columns(table):
        origins = {
            (leaf.source.name, leaf.name.split(".")[-1])
            for leaf in nodes[column.name].walk()
            if not leaf.downstream and isinstance(leaf.source, exp.Table) and leaf.source.name in schema
        }
        deps_by_column[column.name] = [dg.TableColumnDep(dg.AssetKey(origin), name) for origin, name in sorted(origins)]
    return dg.TableColumnLineage(deps_by_column)
