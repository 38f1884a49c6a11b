"""The tables of the lineage, wherever they are: the protocol of every store, and the store that is only PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from lgs_assets.contracts.contract import RAW_INVOICES
from lgs_assets.contracts.model import Model, Value
from lgs_assets.errors import LgsError
from lgs_assets.warehouse import catalog, frames, loading, refresh
from lgs_assets.warehouse.catalog import Extent
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import LoadedDump, dumps_without_lines
from lgs_assets.warehouse.loading import DumpFile
from lgs_assets.warehouse.publish import Provenance
from lgs_assets.warehouse.schema import SCHEMA, driver_cursor


class Tables(Protocol):
    """Where the tables are. The ledgers are in PostgreSQL, and so is everything that people query."""

    @property
    def warehouse(self) -> Warehouse:
        """The database that holds the ledgers and the results."""

    def load_dump(self, file: DumpFile, *, run: str = "", reader: str = "") -> LoadedDump:
        """Makes the lines of a dump part of raw_invoices. See `loading.load_dump`."""

    def publish_model(self, table: str, model: Model, provenance: Provenance) -> int:
        """Replaces a table with the rows of a model. Returns the number of rows.

        Raises ContractError if rows break the contract, LgsError if lines that the model reads are in another store or
        the rows cannot be computed. Each leaves the old table as it was.
        """

    def publish_frame(self, table: str, frame: pd.DataFrame, provenance: Provenance) -> int:
        """Replaces a table with the rows of a frame. Returns the number of rows. See `frames.publish_frame`."""

    def read_frame(
        self,
        table: str,
        only: Sequence[str] | None = None,
        *,
        dumps: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> pd.DataFrame:
        """The rows of a table in the order of its primary key. See `frames.read_frame`."""

    def rows(self, query: str, parameters: Mapping[str, Value] | None = None) -> Sequence[Mapping[str, Any]]:
        """The rows of one SELECT, with `:name` for a parameter."""

    def extent(self, table: str) -> Extent:
        """The columns of an existing table and how large it is."""


@dataclass(frozen=True)
class PostgresTables:
    """Every table is in PostgreSQL, which runs the models."""

    warehouse: Warehouse

    def load_dump(self, file: DumpFile, *, run: str = "", reader: str = "") -> LoadedDump:
        """See `Tables.load_dump`."""
        return loading.load_dump(self.warehouse, file, run=run, reader=reader)

    def publish_model(self, table: str, model: Model, provenance: Provenance) -> int:
        """See `Tables.publish_model`."""
        if any(relation.name == RAW_INVOICES for relation in model.inputs):
            refuse_without_lines_of(dumps_without_lines(self.warehouse), store="PostgreSQL")
        return refresh.publish_model(self.warehouse, table, model, provenance)

    def publish_frame(self, table: str, frame: pd.DataFrame, provenance: Provenance) -> int:
        """See `Tables.publish_frame`."""
        return frames.publish_frame(self.warehouse, table, frame, provenance)

    def read_frame(
        self,
        table: str,
        only: Sequence[str] | None = None,
        *,
        dumps: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> pd.DataFrame:
        """See `Tables.read_frame`."""
        return frames.read_frame(self.warehouse, table, only, dumps=dumps, limit=limit)

    def rows(self, query: str, parameters: Mapping[str, Value] | None = None) -> Sequence[Mapping[str, Any]]:
        """See `Tables.rows`."""
        return [
            {str(name): value for name, value in row.items()}
            for row in self.warehouse.rows(query, **(parameters or {}))
        ]

    def extent(self, table: str) -> Extent:
        """See `Tables.extent`."""
        with self.warehouse.transaction() as connection:
            return catalog.extent(driver_cursor(connection), SCHEMA, table)


def refuse_without_lines_of(missing: Collection[str], *, store: str) -> None:
    """Raises LgsError if a store lacks the lines of loaded dumps: tables built there would lack them, too."""
    if missing:
        raise LgsError(
            f"The lines of {', '.join(missing)} are not in {store}: they were loaded while LGS_ENGINE had another "
            "value. lgs run loads them again from the inbox; put the file back there, or remove the dump with lgs "
            "forget."
        )
