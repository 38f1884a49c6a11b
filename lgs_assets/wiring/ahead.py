"""Builds ahead: while a run is at one table, PostgreSQL already computes others, whose steps are still to come.

The steps of a run follow one another. While one works in Python, PostgreSQL is idle, and the other way round: a second
core has nothing to do. So a thread takes the tables that a SELECT builds, one after the other, as soon as the run has
written their inputs. The rows wait in an open transaction for their step, which puts them in place: as ever, a table
changes in its own step, or not at all. What a step finds not built, or built from other inputs, it builds itself; so
whatever fails here is told there.
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
from lgs_assets.wiring.lineage import built_specs, models, tables_to_write
from lgs_assets.wiring.versions import published_versions

MOST_WAITING = 4
"""At most this many tables wait for their steps, each with a connection."""
LONGEST_WAIT_SECONDS = 30
"""After so long PostgreSQL ends the transaction: it is in the way of whoever wants to replace a table it has read."""
CANCEL_SECONDS = 0.1
"""Between two attempts to cancel a query: one that comes between two statements is lost."""

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
    since: float
    """When it was built, by the clock of `time.monotonic`."""
    cursor: Cursor
    transaction: ExitStack
    """What ends the transaction of the cursor."""


class Ahead:
    """Builds tables of one run before their steps: of those that the run is `awaited` to write."""

    def __init__(self, warehouse: Warehouse, settings: Settings, awaited: Collection[str]) -> None:
        self._warehouse = warehouse
        self._settings = settings
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()  # guards all that follows
        self._awaited = set(awaited)
        self._models: dict[str, Model] = {}
        self._due: list[str] = []
        """Tables whose inputs are written."""
        self._begun: set[str] = set()
        """Tables whose step has begun, which may be before the models are known here."""
        self._now: str | None = None
        self._computing: Cursor | None = None
        self._built: dict[str, Built] = {}
        self._is_over = False

    def written(self, table: str) -> None:
        """Says that the run has written a table: what is built from it may begin."""
        with self._changed:
            self._awaited.discard(table)
            if not self._awaited:
                return
            self._find_due()
            self._changed.notify_all()
            if not self._thread:
                self._thread = threading.Thread(target=self._work, name="ahead", daemon=True)
                self._thread.start()

    @contextmanager
    def built(self, table: str, model: Model) -> Iterator[Built | None]:
        """The table as the model builds it; None if the step has to build it, which nothing here does from now on."""
        with self._changed:
            self._begun.add(table)
            self._models.pop(table, None)
            self._changed.wait_for(lambda: self._now != table)
            if table in self._due:
                self._due.remove(table)
            built = self._built.pop(table, None)
            self._changed.notify_all()
        if built and built.model == model and _is_there(built):
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
        while self._thread and self._thread.is_alive():
            with self._changed, suppress(psycopg.OperationalError):  # the query has ended by itself
                if self._computing:
                    self._computing.connection.cancel_safe()
            self._thread.join(CANCEL_SECONDS)
        for built in self._built.values():
            _discard(built)

    def _work(self) -> None:
        known = models()
        groups = {spec.key.path[-1]: spec.group_name for spec in built_specs()}
        first = {table for table, group in groups.items() if op_tags(group)}
        with self._changed:
            self._models = {
                table: model.bound_to(self._settings.values())
                for table, model in known.items()
                # An InvoiceModel may replace only a few rows of its table, which is quicker.
                if table in self._awaited - self._begun and not isinstance(model, InvoiceModel)
            }
            self._find_due()
        while due := self._next(first):
            table, model = due
            built = None
            try:
                built = self._build(table, model)
            except Exception as error:  # whatever it is, the step will meet it, and tell it
                _log.debug("%s is not built ahead of its step: %s", table, error)
            finally:
                with self._changed:
                    if built:
                        self._built[table] = built
                    self._now = self._computing = None
                    self._changed.notify_all()

    def _find_due(self) -> None:
        for table, model in self._models.items():
            if table not in self._due and self._awaited.isdisjoint(relation.name for relation in model.inputs):
                self._due.append(table)

    def _next(self, first: Collection[str]) -> tuple[str, Model] | None:
        """Waits until there is a table to build; of several, it is one whose step comes first. None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or (self._due and self._has_room()))
            if self._is_over:
                return None
            # By name comes closest to the order of the steps: four of five are found built.
            self._now = min(self._due, key=lambda table: (table not in first, table))
            self._due.remove(self._now)
            return self._now, self._models.pop(self._now)

    def _has_room(self) -> bool:
        now = time.monotonic()
        return sum(now - built.since < LONGEST_WAIT_SECONDS for built in self._built.values()) < MOST_WAITING

    def _build(self, table: str, model: Model) -> Built:
        began = time.monotonic()
        model = model.reading(published_versions(self._warehouse))
        fill = filled_by(self._warehouse, model)

        def fill_here(cursor: Cursor, target: sql.Identifier) -> None:
            with self._changed:
                self._computing = cursor
                if self._is_over:
                    raise LgsError("The run is over.")
            patience = sql.SQL("set local idle_in_transaction_session_timeout = {}")
            cursor.execute(patience.format(f"{LONGEST_WAIT_SECONDS}s"))
            fill(cursor, target)

        with ExitStack() as transaction:
            take_its_place = transaction.enter_context(staged(self._warehouse, table, fill_here, at_once=True))
            assert self._computing  # noqa: S101 (narrows the type for the checker)
            now = time.monotonic()
            return Built(model, take_its_place, now - began, now, self._computing, transaction.pop_all())


@contextmanager
def building_ahead(tables: Tables, settings: Settings, run: dg.DagsterRun | None) -> Iterator[Ahead]:
    """Builds ahead for a run until the block ends, if PostgreSQL has all of its tables."""
    ahead = Ahead(tables.warehouse, settings, tables_to_write(run) if isinstance(tables, PostgresTables) else ())
    try:
        yield ahead
    finally:
        ahead.end()


def _is_there(built: Built) -> bool:
    """Whether PostgreSQL has not ended its transaction."""
    try:
        built.cursor.execute("select")
    except psycopg.Error:
        return False
    return True


def _discard(built: Built | None) -> None:
    if built:
        with suppress(LgsError):  # PostgreSQL has ended the transaction itself
            built.transaction.close()
