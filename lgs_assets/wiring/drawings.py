"""Draws ahead: while a run is at one table, processes already draw the charts of others, whose steps are still to come.

A family of charts begins as soon as the run has written the tables that it shows. Its step takes the pictures if they
are of the tables as it has read them; else, or if drawing failed, it draws them itself, and tells what is wrong.
"""

import logging
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pandas as pd

from lgs_assets.charts.declaration import Family
from lgs_assets.charts.report import ORIGIN, SYNTHETIC, families
from lgs_assets.charts.side_by_side import rendered
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.warehouse.ledger import loaded_dumps
from lgs_assets.warehouse.tables import Tables
from lgs_assets.wiring.versions import read_frame

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Drawn:
    """Charts, and what they are of."""

    charts: pd.DataFrame
    versions: dict[str, str]
    """Of each table, as it was when it was read."""
    origin: str


class Drawings:
    """Draws the charts of one run, a family after the other, each in a process for each core."""

    def __init__(self, tables: Tables, cache: Path, awaited: set[str]) -> None:
        """`cache` is where matplotlib keeps its list of fonts; `awaited` are the tables that the run is to write."""
        self._tables = tables
        self._cache = cache
        self._awaited = awaited
        self._thread = ThreadPoolExecutor(1, "drawings")
        self._begun: dict[str, Future[Drawn]] = {}

    def written(self, table: str) -> None:
        """Says that the run has written a table: what shows it may be drawn."""
        self._awaited.discard(table)
        for family in families() if self._awaited else ():
            is_due = family.table in self._awaited and self._awaited.isdisjoint(family.reads)
            if is_due and family.table not in self._begun:
                self._begun[family.table] = self._thread.submit(self._read_and_draw, family)

    def of(self, family: Family, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """The charts of a family as these tables show it. See `rendered`."""
        origin = _origin(self._tables)
        if begun := self._begun.pop(family.table, None):
            try:
                drawn = begun.result()
            except Exception as error:  # whatever it is, the step will meet it, and tell it
                _log.debug("%s are not drawn ahead of their step: %s", family.table, error)
            else:
                if (drawn.versions, drawn.origin) == (_versions(tables), origin):
                    return drawn.charts
        return self._thread.submit(self._draw, family, tables, origin).result().charts

    def end(self) -> None:
        """Ends the work. What no step has asked for is not drawn any more."""
        self._thread.shutdown(cancel_futures=True)

    def _read_and_draw(self, family: Family) -> Drawn:
        tables = {table: read_frame(self._tables, table, columns) for table, columns in family.reads.items()}
        return self._draw(family, tables, _origin(self._tables))

    def _draw(self, family: Family, tables: Mapping[str, pd.DataFrame], origin: str) -> Drawn:
        return Drawn(rendered(family.charts, tables, origin=origin, cache=self._cache), _versions(tables), origin)


def _of_a_run(context: dg.InitResourceContext) -> Iterator[Drawings]:
    from lgs_assets.wiring.lineage import tables_to_write  # here: of the assets in it, some name this module

    cache = context.resources.state / "matplotlib"
    made = Drawings(context.resources.tables, cache, tables_to_write(context.run))
    try:
        yield made
    finally:
        made.end()


# The decorator would explain it in the launchpad, where there is nothing to choose.
drawings = dg.ResourceDefinition(_of_a_run, config_schema={}, required_resource_keys={"tables", "state"})
"""The drawings of a run."""


def _versions(tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    return {table: frame.attrs["version"] for table, frame in tables.items()}


def _origin(tables: Tables) -> str:
    """What the footers say about the data. A picture travels without its table, so invented figures must be marked."""
    is_demo = any(dump.dump == DEMO_DUMP for dump in loaded_dumps(tables.warehouse))
    return SYNTHETIC if is_demo else ORIGIN
