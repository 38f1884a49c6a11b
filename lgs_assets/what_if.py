"""What if: any model of `sql/models` on an analyst's own tables, without a database."""

from collections.abc import Collection
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lgs_assets import places
from lgs_assets.configuration import Configuration, Settings
from lgs_assets.contracts.declaration import arrow_schema, in_order
from lgs_assets.contracts.model import Model, model_path, seed_path
from lgs_assets.errors import ContractError, LgsError
from lgs_assets.lake.duckdb import DuckDB
from lgs_assets.lake.judgement import judge
from lgs_assets.warehouse.frames import as_frame
from lgs_assets.wording import counted


def run_model(name: str, /, **given: Any) -> pd.DataFrame:
    """The rows that the table `name` would have if its inputs were the given tables, in the order of its primary key.

        run_model("rfm_scores", clean_invoices=frame, snapshot_date="2011-06-01")

    Pass a DataFrame or an Arrow table for each table that the model's SELECT reads, with at least the columns that it
    reads; a table that is not passed is read from `sql/seeds`, or its own model runs first. Settings of all these
    models may be passed too; the rest come from the environment, as in a run. The contracts hold. The result has the
    types that `read_frame` gives the table.

    Money is computed in decimals of six places. Decimals are taken exactly, or not at all; floats are rounded to six
    places of what they print, so values from `load_asset_value` are again what they are in the warehouse.

    Raises LgsError for an unknown model, table, column or setting, and if DuckDB is not installed; ContractError for a
    value that breaks a contract; ConfigurationError for a setting outside its limits.
    """
    if not model_path(name).exists():
        there_are = sorted(path.stem for path in (places.SQL / "models").glob("*.sql"))
        raise LgsError(f"There is no model {name}. There are: {', '.join(there_are)}.")
    chosen = {key: value for key, value in given.items() if key in Settings.model_fields}
    models = _chain(name, given, Configuration.read(**chosen).settings)
    read: dict[str, set[str]] = {}
    for model in models.values():
        for table, columns in model.reads.items():
            read.setdefault(table, set()).update(columns)
    given = {table: pd.read_csv(seed_path(table)) for table in read if seed_path(table).exists()} | given
    if read.keys() - given.keys() - models.keys():
        direct = {table: columns for table, columns in models[name].reads.items() if table not in given}
        wanted = "; ".join(f"{table} ({', '.join(sorted(columns))})" for table, columns in sorted(direct.items()))
        raise LgsError(f"{name} needs a DataFrame or an Arrow table for: {wanted}. Or for what these are built from.")
    parameters = {key for model in models.values() for key in model.parameters}
    if unknown := given.keys() - read.keys() - parameters:
        raise LgsError(
            f"{name} takes no {', '.join(sorted(unknown))}. It reads: {', '.join(read)}. "
            f"Its settings: {', '.join(sorted(parameters)) or 'none'}."
        )
    tables = {table: _conformed(table, given[table], columns) for table, columns in read.items() if table in given}
    engine = DuckDB()
    for table, model in models.items():
        inputs = {source: tables[source] for source in model.reads}
        tables[table] = engine.rows(in_order(table, model.select), inputs, model.parameters)
        judge(engine, table, tables[table])
    return as_frame(name, tables[name])


def _chain(name: str, given: Collection[str], settings: Settings) -> dict[str, Model]:
    """The model, after those that build its missing inputs."""
    model = Model(f"{name}.sql").bound_to(settings.values())
    before: dict[str, Model] = {}
    for table in model.reads:
        if model_path(table).exists() and table not in given:
            before |= _chain(table, given, settings)
    return before | {name: model}


def _conformed(table: str, given: object, wanted: set[str]) -> pa.Table:
    """The wanted columns in the types of the contract; no value changes, except floats that become decimals."""
    fields = [field for field in arrow_schema(table) if field.name in wanted]
    names = [field.name for field in fields]
    if isinstance(given, pd.DataFrame):
        present = list(given.columns)
    elif isinstance(given, pa.Table):
        present = given.column_names
    else:
        raise LgsError(f"{table}: expected a DataFrame or an Arrow table, found {type(given).__name__}.")
    if missing := [name for name in names if name not in present]:
        raise LgsError(
            f"{table} lacks {', '.join(missing)}. Expected: {', '.join(names)}. Found: {', '.join(map(str, present))}."
        )
    return pa.table({field.name: _column(table, field, given) for field in fields}, schema=pa.schema(fields))


def _column(table: str, field: pa.Field, given: pd.DataFrame | pa.Table) -> pa.Array | pa.ChunkedArray:
    try:
        values = given[field.name]
        if isinstance(given, pd.DataFrame):
            values = pa.array(values, from_pandas=True)
        if getattr(values.type, "tz", None) and not field.type.tz:
            raise ValueError("found times with a time zone; the retailer's are local and have none")
        if pa.types.is_decimal(field.type) and pa.types.is_floating(values.type):
            values = pc.round(values, 6).cast(pa.string())
        values = values.cast(field.type)
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise ContractError(f"{table}.{field.name}: expected {field.type}: {error}") from error
    if values.null_count and not field.nullable:
        raise ContractError(f"{table}.{field.name}: must not be NULL, but is in {counted(values.null_count, 'row')}.")
    return values
