"""The tables of the lineage, wherever they are: all in PostgreSQL, or those with a row for each line in a lake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lgs_assets.contracts.model import Model, tables_in
from lgs_assets.errors import LgsError
from lgs_assets.warehouse.catalog import Extent, extent
from lgs_assets.warehouse.database import SCHEMA, Warehouse, driver_cursor
from lgs_assets.warehouse.frames import read_frame
from lgs_assets.warehouse.lake_parts import current
from lgs_assets.warehouse.loading import PARENT, LoadedDump, load_dump
from lgs_assets.warehouse.publish import Provenance
from lgs_assets.warehouse.refresh import publish_model

if TYPE_CHECKING:  # Arrow takes much memory, and who has no lake needs none of it
    from lgs_assets.lake.tables import Lake


@dataclass(frozen=True)
class Store:
    """The tables, with a lake or without one. Each method is that of the place where the table is."""

    warehouse: Warehouse
    lake: "Lake | None" = None

    def load_dump(self, path: Path, **arguments: Any) -> LoadedDump:
        """Makes the lines of a dump a part of raw_invoices. See `warehouse.dumps.load_dump`."""
        return load_dump(self.warehouse, path, landing=self.lake.landing if self.lake else None, **arguments)

    def publish_model(self, table: str, model: Model, provenance: Provenance) -> int:
        """Replaces a table by the rows of a model. Returns the number of rows. See `warehouse.build`."""
        if self.lake:
            return self.lake.publish_model(table, model, provenance)
        if any(relation.name == PARENT for relation in model.inputs):
            self._expect_all_dumps()
        return publish_model(self.warehouse, table, model, provenance)

    def read_frame(
        self,
        table: str,
        only: Sequence[str] | None = None,
        *,
        dumps: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> pd.DataFrame:
        """The rows of a table in the order of its primary key. See `warehouse.frames.read_frame`."""
        if self.lake and self.lake.holds(table):
            return self.lake.read_frame(table, only, dumps=dumps, limit=limit)
        return read_frame(self.warehouse, table, only, dumps=dumps, limit=limit)

    def rows(self, query: str, **parameters: Any) -> Sequence[Mapping[Any, Any]]:
        """The rows of one SELECT, with `:name` for a parameter: found where the lines are, if it reads them."""
        if self.lake and any(map(self.lake.holds, tables_in(query))):
            return self.lake.rows(query, parameters)
        return self.warehouse.rows(query, **parameters)

    def _expect_all_dumps(self) -> None:
        if elsewhere := [part.dump for part in current(self.warehouse, [PARENT])]:
            raise LgsError(
                f"The lines of {', '.join(map(str, elsewhere))} are in the lake, from when LGS_ENGINE was set. lgs run "
                "loads them anew from the inbox; put the file there again, or give it up with lgs forget."
            )

    def extent(self, table: str) -> Extent:
        """The columns of an existing table and how large it is."""
        if self.lake and self.lake.holds(table):
            return self.lake.extent(table)
        with self.warehouse.transaction() as connection:
            return extent(driver_cursor(connection), SCHEMA, table)
