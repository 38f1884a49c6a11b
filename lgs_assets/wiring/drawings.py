"""Draws ahead: while a run is at one table, processes already draw the charts of others, whose steps are still to come.

A family of charts begins as soon as the run has written the tables that it shows. Its step takes the pictures if they
are of the tables as it has read them; else, or if drawing failed, it draws them itself, and tells what is wrong.
"""

import logging
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pandas as pd

from lgs_assets.charts.declaration import Family
from lgs_assets.charts.report import families, origin_of
from lgs_assets.charts.side_by_side import cores, processes, rendered, rendered_by
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
    """Draws the charts of one run, a family after the other, by processes that let its steps have the cores first."""

    def __init__(self, tables: Tables, cache: Path, awaited: Collection[str]) -> None:
        """`cache` is where matplotlib keeps its list of fonts; `awaited` are the tables that the run is to write."""
        self._tables = tables
        self._cache = cache
        self._awaited = set(awaited)
        self._thread = ThreadPoolExecutor(1, "drawings")
        self._processes = ExitStack()
        self._pool: Executor | None = None
        self._begun: dict[str, Future[Drawn]] = {}

    def written(self, table: str) -> None:
        """Says that the run has written a table: what shows it may be drawn."""
        self._awaited.discard(table)
        if not self._awaited or cores() < 2:
            return
        for family in families():
            is_due = family.table in self._awaited and self._awaited.isdisjoint(family.reads)
            if is_due and family.table not in self._begun:
                self._begun[family.table] = self._thread.submit(self._drawn, family)

    def of(self, family: Family, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """The charts of a family as these tables show it. See `rendered`."""
        self._awaited.discard(family.table)
        origin = _origin(self._tables)
        begun = self._begun.pop(family.table, None)
        if begun and not begun.cancel():
            try:
                drawn = begun.result()
            except Exception as error:  # whatever it is, the step will meet it, and tell it
                _log.debug("%s are not drawn ahead of their step: %s", family.table, error)
            else:
                if (drawn.versions, drawn.origin) == (_versions(tables), origin):
                    return drawn.charts
        return rendered(family.charts, tables, origin=origin, cache=self._cache)

    def end(self) -> None:
        """Ends the work. What no step has asked for is not drawn any more."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
        self._thread.shutdown()
        self._processes.close()

    def _drawn(self, family: Family) -> Drawn:
        if not self._pool:
            self._pool = self._processes.enter_context(processes(self._cache))
        tables = {table: read_frame(self._tables, table, columns) for table, columns in family.reads.items()}
        origin = _origin(self._tables)
        return Drawn(rendered_by(self._pool, family.charts, tables, origin=origin), _versions(tables), origin)


def _of_a_run(context: dg.InitResourceContext) -> Iterator[Drawings]:
    from lgs_assets.wiring.lineage import tables_to_write  # here: of the assets in it, some name this module

    cache = context.resources.state / "matplotlib"
    made = Drawings(context.resources.tables, cache, tables_to_write(context.run))
    try:
        yield made
    finally:
        made.end()


# `@dg.resource` would show its docstring in the launchpad, where there is nothing to choose.
drawings = dg.ResourceDefinition(_of_a_run, config_schema={}, required_resource_keys={"tables", "state"})
"""The drawings of a run."""


def _versions(tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    return {table: frame.attrs["version"] for table, frame in tables.items()}


def _origin(tables: Tables) -> str:
    return origin_of(is_synthetic=any(dump.dump == DEMO_DUMP for dump in loaded_dumps(tables.warehouse)))
