"""Builds ahead: while a run is at one table, PostgreSQL already computes others, whose steps are still to come.

The steps of a run follow one another, and most wait for PostgreSQL, or let it wait: two cores would do the work of one.
So a thread takes the tables that a SELECT builds, one after the other, as soon as the run has written their inputs. The
rows wait in an open transaction for their step, which puts them in place: as ever, a table changes in its own step, or
not at all. What a step finds not built, or built from other inputs, it builds itself; so whatever fails here is told
there.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

import dagster as dg
import psycopg
from psycopg import sql

from lgs_assets.configuration import Settings
from lgs_assets.contracts.model import InvoiceModel, Model
from lgs_assets.errors import LgsError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.publish import Provenance, staged
from lgs_assets.warehouse.refresh import filled_by
from lgs_assets.warehouse.schema import Cursor
from lgs_assets.warehouse.tables import PostgresTables, Tables
from lgs_assets.wiring.derived_asset import op_tags
from lgs_assets.wiring.lineage import built_specs, models
from lgs_assets.wiring.versions import published_versions

MOST_WAITING = 4
"""So many tables may wait for their steps, each with a connection."""
LONGEST_WAIT_SECONDS = 60
"""An open transaction is in the way of whoever wants to replace a table that it has read."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Built:
    """A table that waits for its step."""

    model: Model
    """What it was built from: with its settings, and the versions of its inputs."""
    take_its_place: Callable[[Provenance], int]
    """See `publish.staged`."""
    seconds: float
    """How long it took to build."""
    transaction: ExitStack
    overdue_at: float
    """When PostgreSQL may have ended the transaction, by the clock of `time.monotonic`."""


class Ahead:
    """The tables of one run that are built before their steps: those of `awaited`, which the run is to write."""

    def __init__(self, warehouse: Warehouse, settings: Settings, awaited: Collection[str]) -> None:
        self._warehouse = warehouse
        self._settings = settings
        self._awaited = set(awaited)
        self._changed = threading.Condition()  # guards all that follows
        self._to_build: dict[str, Model] = {}
        self._begun: set[str] = set()
        self._now: str | None = None
        self._computing: Cursor | None = None
        self._built: dict[str, Built] = {}
        self._is_over = False
        self._thread: threading.Thread | None = None

    def written(self, table: str) -> None:
        """Says that the run has written a table: what is built from it may begin."""
        if not self._awaited:
            return
        with self._changed:
            self._awaited.discard(table)
            self._changed.notify_all()
        if not self._thread:
            self._thread = threading.Thread(target=self._work, name="ahead", daemon=True)
            self._thread.start()

    @contextmanager
    def built(self, table: str, model: Model) -> Iterator[Built | None]:
        """The table as the model builds it; None if the step has to build it, which nothing here does from now on."""
        with self._changed:
            self._begun.add(table)
            self._changed.wait_for(lambda: self._now != table)
            built = self._built.pop(table, None)
            self._changed.notify_all()
        if built and built.model == model and time.monotonic() < built.overdue_at:
            with built.transaction:
                yield built
        else:
            _discard(built)
            yield None

    def end(self) -> None:
        """Ends the work. Nothing is left of what no step has asked for."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
            if self._computing:
                with suppress(psycopg.OperationalError):  # it has just ended by itself
                    self._computing.connection.cancel_safe()
        if self._thread:
            self._thread.join()
        for built in self._built.values():
            _discard(built)

    def _work(self) -> None:
        by_table = models()
        groups = {spec.key.path[-1]: spec.group_name for spec in built_specs()}
        with self._changed:
            self._to_build = {
                table: by_table[table].bound_to(self._settings.values())
                for table in sorted(by_table, key=lambda table: not op_tags(groups[table]))
                # An InvoiceModel may replace only a few rows of its table, which is quicker.
                if not isinstance(by_table[table], InvoiceModel)
            }
        while table := self._next():
            built = None
            try:
                built = self._build(table)
            except Exception as error:  # whatever it is, the step will meet it, and tell it
                _log.debug("%s is not built ahead of its step: %s", table, error)
            with self._changed:
                if built:
                    self._built[table] = built
                self._now = self._computing = None
                self._changed.notify_all()

    def _next(self) -> str | None:
        """Waits for a table that can be built, and returns it. None if all is over."""

        def ready() -> str | None:
            if len(self._built) >= MOST_WAITING:
                return None
            return next(
                (
                    table
                    for table, model in self._to_build.items()
                    if table in self._awaited - self._begun
                    and self._awaited.isdisjoint(relation.name for relation in model.inputs)
                ),
                None,
            )

        with self._changed:
            self._changed.wait_for(lambda: self._is_over or ready())
            self._now = None if self._is_over else ready()
            if self._now:
                self._begun.add(self._now)
            return self._now

    def _build(self, table: str) -> Built:
        began = time.monotonic()
        model = self._to_build[table].reading(published_versions(self._warehouse))
        fill = filled_by(self._warehouse, model)

        def fill_here(cursor: Cursor, target: sql.Identifier) -> None:
            with self._changed:
                self._computing = cursor
            patience = sql.SQL("set local idle_in_transaction_session_timeout = {}")
            cursor.execute(patience.format(f"{LONGEST_WAIT_SECONDS}s"))
            fill(cursor, target)

        with ExitStack() as transaction:
            take_its_place = transaction.enter_context(staged(self._warehouse, table, fill_here))
            ended = time.monotonic()
            overdue_at = ended + LONGEST_WAIT_SECONDS / 2
            return Built(model, take_its_place, ended - began, transaction.pop_all(), overdue_at)


@contextmanager
def building_ahead(tables: Tables, settings: Settings, run: dg.DagsterRun | None) -> Iterator[Ahead]:
    """Builds ahead for a run until the block ends, if PostgreSQL has all of its tables."""
    awaited: set[str] = set()
    if run and isinstance(tables, PostgresTables):
        keys = run.asset_selection or [spec.key for spec in built_specs()]
        awaited = {key.path[-1] for key in keys}
    ahead = Ahead(tables.warehouse, settings, awaited)
    try:
        yield ahead
    finally:
        ahead.end()


def _discard(built: Built | None) -> None:
    if built:
        with suppress(LgsError):  # the transaction is overdue, and PostgreSQL has ended it
            built.transaction.close()
