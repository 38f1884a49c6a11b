"""The lake as a whole: an engine makes tables from it, and each lands where it belongs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.dataset as ds
from psycopg import sql

from lgs_assets.engines import Engine, Source
from lgs_assets.engines.contracts import as_declared, in_order, judge
from lgs_assets.errors import ContractError, LgsError, ServerError
from lgs_assets.lake.landing import LandingInLake
from lgs_assets.lake.place import Place, sweep
from lgs_assets.warehouse import lake_parts
from lgs_assets.warehouse.contract import Extent, qualified
from lgs_assets.warehouse.database import SCHEMA, Cursor, Warehouse, driver_cursor
from lgs_assets.warehouse.declaration import arrow_schema, declared_columns
from lgs_assets.warehouse.dumps import PARENT, Landing, loaded_dumps
from lgs_assets.warehouse.lake_parts import Part, begin, current
from lgs_assets.warehouse.model import Model, columns_read
from lgs_assets.warehouse.publish import Provenance, lock_for_writing, lock_out_readers, publish, record
from lgs_assets.warehouse.rows import as_frame, copy_rows, read_rows

TABLES = frozenset({PARENT, "clean_invoices", "invoice_totals"})
"""The tables that are in the lake: lines, and what they come to by invoice. All others are in PostgreSQL."""


@dataclass(frozen=True)
class Lake:
    """The tables of the lineage where their lines are in a lake, the ledgers and the results in PostgreSQL."""

    warehouse: Warehouse
    place: Place
    engine: Engine

    def holds(self, table: str) -> bool:
        """Whether the table is in the lake."""
        return table in TABLES

    def landing(self, cursor: Cursor, name: str) -> Landing:
        """Where the lines of a dump go."""
        return LandingInLake(self.warehouse, self.place, self.engine, cursor, name)

    def publish_model(self, table: str, model: Model, provenance: Provenance) -> int:
        """Replaces a table by the rows of a model, which the engine makes. Returns the number of rows.

        Raises ContractError if rows break the contract, LgsError if the engine cannot make them; both leave the old
        table as it was.
        """
        if PARENT in model.reads:
            self._expect_all_dumps()
        if self.holds(table):
            return self._publish_files(table, model, provenance)
        rows = self.engine.rows(in_order(table, model.select), self._inputs(model.reads), model.parameters)
        return publish(self.warehouse, table, lambda cursor, target: copy_rows(cursor, target, rows), provenance)

    def rows(self, query: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The rows of one SELECT, with `:name` for a parameter, which the engine finds."""
        rows = self.engine.rows(query, self._inputs(columns_read(query)), parameters).to_pylist()
        return [{name: _shown(value) for name, value in row.items()} for row in rows]

    def read_frame(
        self,
        table: str,
        only: Sequence[str] | None = None,
        *,
        dumps: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> pd.DataFrame:
        """See `warehouse.frames.read_frame`. Reads no other columns, and no other dumps."""
        schema = arrow_schema(table)
        if unknown := set(only or ()) - set(schema.names):
            raise ContractError(
                f"{table} has no column {', '.join(sorted(unknown))}; it has {', '.join(schema.names)}."
            )
        parts = [part for part in self._parts(table) if dumps is None or part.dump is None or part.dump in dumps]
        wanted = None if dumps is None else ds.field("dump").isin(pa.array(dumps, pa.string()))
        with self.place.explained():
            paths = [self.place.path(part.location, file) for part in parts for file in part.files]
            lines = ds.dataset(paths, schema=schema, format="parquet", filesystem=self.place.arrow_fs)
            columns = list(only or schema.names)
            if limit is None:
                rows = lines.to_table(columns, filter=wanted)
            else:
                rows = lines.head(limit, columns=columns, filter=wanted)
        return as_frame(table, rows)

    def extent(self, table: str) -> Extent:
        """How large a table in the lake is."""
        parts = self._parts(table)
        return Extent(declared_columns(table), sum(part.rows for part in parts), sum(part.bytes for part in parts))

    def _publish_files(self, table: str, model: Model, provenance: Provenance) -> int:
        with self.warehouse.transaction() as connection:
            cursor = driver_cursor(connection)
            lock_for_writing(cursor, table)
            sweep(cursor, self.place, table)
            location = begin(self.warehouse, table)
            self.engine.write(
                as_declared(table, model.select), self._inputs(model.reads), model.parameters, self.place.url(location)
            )
            files, rows, size = self.place.settle(location)
            part = Part(location, table, None, files, rows, size)
            judge(self.engine, table, self._urls([part]))
            cursor.execute("select to_regclass(%s)", [qualified(SCHEMA, table)])
            if cursor.fetchone() != (None,):  # it is from the time before the lake
                lock_out_readers(connection, cursor, table)
                _drop(cursor, table)
            lake_parts.publish(cursor, part)
            record(cursor, table, provenance, rows, dumps=None)
        return rows

    def _inputs(self, reads: Mapping[str, Collection[str]]) -> dict[str, Source]:
        """What is read: of tables in the lake the files, of others the rows. All of them are of one moment."""
        before = None
        while before != (before := self._state()):
            inputs: dict[str, Source] = {
                table: self._source(table) if table in TABLES else read_rows(self.warehouse, table, columns)
                for table, columns in reads.items()
            }
        return inputs

    def _state(self) -> list[str]:
        """Another one whenever a table in the lake, and with raw_invoices the ledger of dumps, has changed."""
        return [part.location for part in current(self.warehouse, TABLES)]

    def _source(self, table: str) -> Source:
        return self._urls(self._parts(table)) or arrow_schema(table).empty_table()

    def _urls(self, parts: list[Part]) -> list[str]:
        return [self.place.url(part.location, file) for part in parts for file in part.files]

    def _parts(self, table: str) -> list[Part]:
        parts = current(self.warehouse, [table])
        if not parts and table != PARENT:
            raise ContractError(f"There is no table {table} in the lake yet: materialize the asset {table} first.")
        return parts

    def _expect_all_dumps(self) -> None:
        held = {part.dump for part in current(self.warehouse, [PARENT])}
        if missing := [dump.dump for dump in loaded_dumps(self.warehouse) if dump.dump not in held]:
            raise LgsError(
                f"The lines of {', '.join(missing)} are not in the lake, but in PostgreSQL, from before LGS_ENGINE was "
                "set. lgs run loads them anew from the inbox; put the file there again, or give it up with lgs forget."
            )


def _drop(cursor: Cursor, table: str) -> None:
    try:
        cursor.execute(sql.SQL("drop table {}").format(sql.Identifier(SCHEMA, table)))
    except psycopg.errors.DependentObjectsStillExist as error:
        raise ServerError(
            f"{SCHEMA}.{table} moves to the lake, and these depend on it: {error.diag.message_detail}. Drop them."
        ) from error


def _shown(value: object) -> object:
    """Decimals without zeros at the end, as PostgreSQL has them."""
    return Decimal(format(value.normalize(), "f")) if isinstance(value, Decimal) else value
