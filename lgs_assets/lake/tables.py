"""The store whose lines are in a lake: an engine builds tables from them, and each lands where it belongs."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.dataset as ds
from psycopg import sql

from lgs_assets.contracts.contract import RAW_INVOICES
from lgs_assets.contracts.declaration import arrow_schema, as_declared, columns, in_order, primary_key
from lgs_assets.contracts.model import InvoiceModel, Model, Value, columns_read, tables_in
from lgs_assets.errors import ContractError, LgsError, PermanentError
from lgs_assets.lake import parts as ledger
from lgs_assets.lake.engine import Engine, Source, View
from lgs_assets.lake.judgement import judge
from lgs_assets.lake.landing import LandingInLake
from lgs_assets.lake.parts import Part, begin, current, sweep
from lgs_assets.lake.place import Place
from lgs_assets.warehouse import loading
from lgs_assets.warehouse.catalog import Extent, qualified
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import as_frame, named, publish_rows, read_rows
from lgs_assets.warehouse.ledger import LoadedDump, loaded_dumps
from lgs_assets.warehouse.loading import DumpFile, Landing
from lgs_assets.warehouse.locks import lock_for_writing, lock_out_readers
from lgs_assets.warehouse.publish import Provenance, dumps_of, record
from lgs_assets.warehouse.refresh import changed_dumps
from lgs_assets.warehouse.schema import SCHEMA, Cursor, driver_cursor
from lgs_assets.warehouse.tables import PostgresTables, refuse_without_lines_of

T = TypeVar("T")

TABLES = frozenset({RAW_INVOICES, "clean_invoices", "invoice_totals"})
"""The tables in the lake: lines, and their totals by invoice. All others are in PostgreSQL."""

# As a share of the first. A larger one would take too long to write at each refresh.
LARGEST_SECOND_PART = 0.1

# The invoices of changed dumps, both as the lines have them and as the table has them.
_CHANGED = """
select invoice_no from lines where dump in (select dump from changed_dumps)
union
select invoice_no from earlier where dump in (select dump from changed_dumps)
union
select invoice_no from recent where dump in (select dump from changed_dumps)
"""
_IS_CHANGED = "invoice_no in (select invoice_no from changed)"


@dataclass(frozen=True)
class LakeTables:
    """The lines, and their totals by invoice, are in a lake; the ledgers and the results are in PostgreSQL."""

    warehouse: Warehouse
    place: Place
    engine: Engine

    def load_dump(self, file: DumpFile, *, run: str = "", reader: str = "") -> LoadedDump:
        """See `Tables.load_dump`."""
        return loading.load_dump(self.warehouse, file, run=run, reader=reader, landing=self._landing)

    def publish_model(self, table: str, model: Model, provenance: Provenance) -> int:
        """See `Tables.publish_model`."""
        if RAW_INVOICES in model.reads:
            held = {part.dump for part in current(self.warehouse, [RAW_INVOICES])}
            missing = [loaded.dump for loaded in loaded_dumps(self.warehouse) if loaded.dump not in held]
            refuse_without_lines_of(missing, store="the lake")
        if table in TABLES:
            return self._publish_files(table, model, provenance)
        rows = self.engine.rows(in_order(table, model.select), self._inputs(model.reads), model.parameters)
        return publish_rows(self.warehouse, table, rows, provenance)

    def publish_frame(self, table: str, frame: pd.DataFrame, provenance: Provenance) -> int:
        """See `Tables.publish_frame`. A table that Python builds is in PostgreSQL."""
        return self._results.publish_frame(table, frame, provenance)

    def rows(self, query: str, parameters: Mapping[str, Value] | None = None) -> Sequence[Mapping[str, Any]]:
        """See `Tables.rows`. The engine computes them if the SELECT reads a table in the lake."""
        if TABLES.isdisjoint(tables_in(query)):
            return self._results.rows(query, parameters)
        rows = self.engine.rows(query, self._inputs(columns_read(query)), parameters or {}).to_pylist()
        return [{name: _shown(value) for name, value in row.items()} for row in rows]

    def read_frame(
        self,
        table: str,
        only: Sequence[str] | None = None,
        *,
        dumps: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> pd.DataFrame:
        """See `Tables.read_frame`. Other columns and other dumps are not read."""
        if table not in TABLES:
            return self._results.read_frame(table, only, dumps=dumps, limit=limit)
        schema = arrow_schema(table)
        asked = list(named(table, schema.names, only))
        parts = [part for part in self._parts(table) if dumps is None or part.dump is None or part.dump in dumps]
        wanted = None if dumps is None else ds.field("dump").isin(pa.array(dumps, pa.string()))
        if table == RAW_INVOICES or len(parts) == 1:
            return as_frame(table, self._rows(parts, schema, asked, wanted, limit))
        key = primary_key(table)
        read = [*asked, *(name for name in key if name not in asked)]
        rows = pa.concat_tables([self._rows([part], schema, read, wanted, limit) for part in parts])
        rows = rows.sort_by([(name, "ascending") for name in key]).slice(0, limit)  # each part is in this order
        return as_frame(table, rows.select(asked))

    def extent(self, table: str) -> Extent:
        """See `Tables.extent`."""
        if table not in TABLES:
            return self._results.extent(table)
        parts = self._parts(table)
        return Extent(columns(table), sum(part.rows for part in parts), sum(part.bytes for part in parts))

    @property
    def _results(self) -> PostgresTables:
        """The tables that are not in the lake."""
        return PostgresTables(self.warehouse)

    def _landing(self, cursor: Cursor, name: str) -> Landing:
        return LandingInLake(self.warehouse, self.place, self.engine, cursor, name)

    def _publish_files(self, table: str, model: Model, provenance: Provenance) -> int:
        with self.warehouse.transaction() as connection:
            cursor = driver_cursor(connection)
            lock_for_writing(cursor, table)
            sweep(cursor, self.place, table)
            inputs, dumps = self._at_one_moment(lambda: (self._read(model.reads), self._dumps(cursor, model)))
            rows = self._refresh(cursor, table, model, provenance, inputs, dumps)
            if rows is None:
                part = self._write(table, model.select, inputs, model.parameters)
                judge(self.engine, table, self._files(table, [part]))
                cursor.execute("select to_regclass(%s)", [qualified(SCHEMA, table)])
                if cursor.fetchone() != (None,):  # it dates from before the lake
                    lock_out_readers(cursor, table)
                    _drop(cursor, table)
                ledger.publish(cursor, part)
                rows = part.rows
            record(cursor, table, provenance, rows, dumps)
        return rows

    def _refresh(
        self,
        cursor: Cursor,
        table: str,
        model: Model,
        provenance: Provenance,
        inputs: Mapping[str, Source],
        dumps: dict[str, dict[str, Any]] | None,
    ) -> int | None:
        """Replaces the rows of invoices that are, or were, in changed dumps. Returns the number of the table's rows.

        The new rows go to its second, small part, and the first stays as it is if it has no rows of these invoices.
        None if the table has to be rebuilt.
        """
        parts = current(self.warehouse, [table])
        if not isinstance(model, InvoiceModel) or not parts or dumps is None:
            return None
        first, *recent = parts
        if sum(part.rows for part in recent) > LARGEST_SECOND_PART * first.rows:
            return None
        if not (changed := changed_dumps(cursor, table, provenance, dumps)):
            return None
        before: dict[str, Source] = {
            "lines": inputs[model.source],
            "earlier": self._files(table, [first]),
            "recent": self._files(table, recent),
            "changed_dumps": pa.table({"dump": pa.array(changed, pa.string())}),
        }
        try:
            before["changed"] = self.engine.rows(_CHANGED, before, {})
            count = f"select count(*) as found from earlier where {_IS_CHANGED}"
            (touched,) = self.engine.rows(count, before, {}).to_pylist()
            rest = first
            if touched["found"]:
                rest = self._write(table, f"select * from earlier where not {_IS_CHANGED}", before, {})
            remade = View(f"select * from lines where {_IS_CHANGED}")  # a view follows the inputs it reads
            others = {name: source for name, source in inputs.items() if name != model.source}
            second = self._write(
                table,
                f"select * from (\n{model.select}\n) as remade\n"
                f"union all\nselect * from recent where not {_IS_CHANGED}",
                before | others | {model.source: remade},
                model.parameters,
            )
            judge(self.engine, table, self._files(table, [second]))
        except LgsError:
            return None  # the rebuild explains it, if it fails there too
        if rest != first:
            ledger.replace(cursor, [first], rest)
        ledger.replace(cursor, recent, second)
        return rest.rows + second.rows

    def _write(self, table: str, select: str, inputs: Mapping[str, Source], parameters: Mapping[str, Value]) -> Part:
        """Writes the rows of a SELECT as a part of the future table."""
        location = begin(self.warehouse, table)
        self.engine.write(as_declared(table, select), inputs, parameters, self.place.url(location))
        files, rows, size = self.place.settle(location)
        return Part(location, table, None, files, rows, size)

    def _dumps(self, cursor: Cursor, model: Model) -> dict[str, dict[str, Any]] | None:
        """The dumps of the lines that a model reads. None if they are not known."""
        if not isinstance(model, InvoiceModel):
            return None
        made = self._parts(model.source)[0].location if model.source != RAW_INVOICES else self.place.location
        return dumps_of(cursor, model.source, made=made)

    def _inputs(self, reads: Mapping[str, Collection[str]]) -> dict[str, Source]:
        """The inputs, all as of one moment."""
        return self._at_one_moment(lambda: self._read(reads))

    def _read(self, reads: Mapping[str, Collection[str]]) -> dict[str, Source]:
        """The inputs: files for tables in the lake, rows for others."""
        in_warehouse = {table: columns for table, columns in reads.items() if table not in TABLES}
        return {table: self._source(table) for table in reads if table in TABLES} | read_rows(
            self.warehouse, in_warehouse
        )

    def _at_one_moment(self, read: Callable[[], T]) -> T:
        """The result of `read`, repeated until nothing in the lake has changed meanwhile."""
        before = None
        while before != (before := self._state()):
            found = read()
        return found

    def _state(self) -> list[str]:
        """Differs whenever a table in the lake, and with raw_invoices the ledger of dumps, has changed."""
        return [part.location for part in current(self.warehouse, TABLES)]

    def _rows(
        self, parts: list[Part], schema: pa.Schema, columns: list[str], wanted: Any, limit: int | None
    ) -> pa.Table:
        with self.place.reaching():
            paths = [self.place.path(part.location, file) for part in parts for file in part.files]
            lines = ds.dataset(paths, schema=schema, format="parquet", filesystem=self.place.arrow_fs)
            if limit is None:
                return lines.to_table(columns, filter=wanted)
            return lines.head(limit, columns=columns, filter=wanted)

    def _source(self, table: str) -> Source:
        return self._files(table, self._parts(table))

    def _files(self, table: str, parts: list[Part]) -> Source:
        urls = [self.place.url(part.location, file) for part in parts for file in part.files]
        return urls or arrow_schema(table).empty_table()

    def _parts(self, table: str) -> list[Part]:
        parts = current(self.warehouse, [table])
        if not parts and table != RAW_INVOICES:
            raise ContractError(f"There is no table {table} in the lake yet: materialize the asset {table} first.")
        return parts


def _drop(cursor: Cursor, table: str) -> None:
    try:
        cursor.execute(sql.SQL("drop table {}").format(sql.Identifier(SCHEMA, table)))
    except psycopg.errors.DependentObjectsStillExist as error:
        raise PermanentError(
            f"{SCHEMA}.{table} moves to the lake, and these depend on it: {error.diag.message_detail}. Drop them."
        ) from error


def _shown(value: object) -> object:
    """Decimals without trailing zeros, as PostgreSQL shows them."""
    return Decimal(format(value.normalize(), "f")) if isinstance(value, Decimal) else value
