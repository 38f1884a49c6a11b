"""The lines of a dump on their way into the lake: one folder per dump, in the order of the dump."""

from collections.abc import Callable
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lgs_assets.contracts.contract import RAW_INVOICES
from lgs_assets.contracts.declaration import arrow_schema
from lgs_assets.errors import ContractError, DumpError
from lgs_assets.lake.engine import ROW_GROUP, Engine
from lgs_assets.lake.judgement import judge
from lgs_assets.lake.parts import Part, begin, publish, sweep
from lgs_assets.lake.place import Place
from lgs_assets.sources import Batch, Dump, Reject
from lgs_assets.sources.copy_arrow import from_copy_text
from lgs_assets.sources.lines import LINE_NUMBER
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.loading import LoadedLines, are_many
from lgs_assets.warehouse.schema import Cursor

FILE = "lines.parquet"


class LandingInLake:
    """Files of a dump's good lines, which become a part of raw_invoices if the dump is accepted. See `Landing`."""

    def __init__(self, warehouse: Warehouse, place: Place, engine: Engine, cursor: Cursor, name: str) -> None:
        sweep(cursor, place, RAW_INVOICES)
        self._place, self._engine, self._cursor, self._name = place, engine, cursor, name
        self._location = begin(warehouse, RAW_INVOICES, name)
        self._part: Part | None = None

    def fill(self, dump: Dump, store_rejects: Callable[[list[Reject]], None]) -> LoadedLines:
        """Writes the good lines, hands on the others, and checks the written lines against the contract."""
        place, location = self._place, self._location
        with place.reaching():
            place.fs.makedirs(place.path(location), exist_ok=True)
            with place.fs.open(place.path(location, FILE), "wb") as file:
                filled = self._write(dump, store_rejects, file)
        files, rows, size = place.settle(location)
        self._part = Part(location, RAW_INVOICES, self._name, files, rows, size)
        try:
            judge(self._engine, RAW_INVOICES, [place.url(location, file) for file in files])
        except ContractError as error:
            raise DumpError(f"{dump.path}: {error}") from error
        return filled

    def attach(self) -> None:
        """Makes the files part of the table when the transaction ends."""
        assert self._part  # noqa: S101 (it is filled before)
        publish(self._cursor, self._part)

    def discard(self) -> None:
        """Leaves the files to be swept up."""

    def _write(self, dump: Dump, store_rejects: Callable[[list[Reject]], None], file: object) -> LoadedLines:
        """Streams the good lines into the file, with no more than a row group of them in memory."""
        schema = arrow_schema(RAW_INVOICES)
        lines, first, last = 0, None, None
        waiting: list[pa.Table] = []
        rejects: list[Reject] = []
        characters = 0
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:

            def write(at_least: int) -> None:
                while sum(rows.num_rows for rows in waiting) >= at_least and waiting:
                    rows = pa.concat_tables(waiting)
                    writer.write_table(rows.slice(0, ROW_GROUP), row_group_size=ROW_GROUP)
                    waiting[:] = [rest] if (rest := rows.slice(ROW_GROUP)).num_rows else []

            for piece in dump.pieces:
                if isinstance(piece, Reject):
                    rejects.append(piece)
                    characters += len(piece.text)
                    if are_many(len(rejects), characters):
                        store_rejects(rejects)
                        rejects.clear()
                        characters = 0
                    continue
                rows = self._rows(dump, piece, schema)
                lines += rows.num_rows
                moments = pc.min_max(rows["invoice_date"]).as_py()
                first = min(first or datetime.max, moments["min"])
                last = max(last or datetime.min, moments["max"])
                waiting.append(rows)
                write(ROW_GROUP)
            write(0)
        store_rejects(rejects)
        return LoadedLines(lines, first, last)

    def _rows(self, dump: Dump, batch: Batch, schema: pa.Schema) -> pa.Table:
        try:
            rows = from_copy_text(batch.data, pa.schema([schema.field(name) for name in batch.columns]))
        except pa.ArrowInvalid as error:
            raise DumpError(
                f"{dump.path}, the lines from {batch.first_line} on: the lake cannot hold them: {error}"
            ) from error
        columns = {name: rows[name] for name in rows.column_names}
        columns["dump"] = pa.repeat(self._name, rows.num_rows)
        if LINE_NUMBER not in columns:
            columns[LINE_NUMBER] = pa.array(range(batch.first_line, batch.first_line + rows.num_rows), pa.int64())
        return pa.table([columns[name] for name in schema.names], schema=schema)
