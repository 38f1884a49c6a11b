"""The tables, read: five connections that can change nothing, and one snapshot for all that a page shows."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from lgs_assets import places
from lgs_assets.dashboard.filters import DEFAULTS, Filters, quarter_of
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.errors import LgsError
from lgs_assets.warehouse.database import engine_of
from lgs_assets.warehouse.schema import SCHEMA

ROLE: Final = "lgs_dashboard"
NOT_YET: Final = "(not yet a customer)"
PREDICTED: Final = {"risks": "churn_risk", "tenth": "customer_value"}
"""The filters by what is predicted, and the table that each needs. `picked_by_NAME.sql` is what it asks."""
PAGE_SIZE: Final = 50
CONNECTIONS: Final = 5
PATIENCE_SECONDS: Final = 30
"""With a turn, when many click at once: a slow page is better than none."""
AUDIENCES: Final = "audience_members"
"""The table that pages need which say who must not be contacted: that may change between builds."""
ALWAYS_READ: Final = ("monthly_metrics", "rfm_edges", "customer_profile", "segment_playbook")
"""The tables of what the filters offer, and so of every page."""
_OPTIONS: Final = (
    f"-c search_path={SCHEMA} -c timezone=UTC -c datestyle=ISO,YMD -c default_transaction_read_only=on "
    "-c statement_timeout=5s -c lock_timeout=3s -c idle_in_transaction_session_timeout=10s -c jit=off"
)

_MISSING: Final = ("42P01", "3F000")
"""The SQLSTATEs of a table and of a schema that do not exist."""

Row = Mapping[str, Any]


class NotReadyError(LgsError):
    """A page cannot be shown yet: its text says what is missing."""


@dataclass(frozen=True)
class Published:
    """A table as it was last built."""

    version: str
    rows: int
    built: datetime
    settings: dict[str, Any]


_MOMENT: Final = timedelta(microseconds=1)
"""A snapshot holds what came before it: the last moment is this much earlier."""


@dataclass(frozen=True)
class Built:
    """What is built, and of which dumps."""

    tables: dict[str, Published]
    dumps: list[dict[str, Any]]
    checks: dict[str, Any]
    """How many have run, when the last one did, and those that failed."""
    objections: str = ""
    """What tells who must not be contacted now from who must not at any other time, where a page may say so."""

    @property
    def is_synthetic(self) -> bool:
        """The lines are invented: every page and every file has to say so."""
        return any(dump["dump"] == DEMO_DUMP for dump in self.dumps)

    def at(self, tables: Iterable[str]) -> datetime | None:
        """When the latest of these tables was built."""
        return max((self.tables[name].built for name in tables if name in self.tables), default=None)

    @property
    def failed_checks(self) -> list[str]:
        """Those that make figures untrustworthy."""
        failed = self.checks.get("failed", [])
        return [f"{check['table']}.{check['check']}" for check in failed if check["degree"] != "warning"]

    @property
    def warnings(self) -> int:
        """How many checks warn of oddities of the data."""
        return len(self.checks.get("failed", [])) - len(self.failed_checks)

    def name(self, tables: Iterable[str]) -> str:
        """A name for these tables as they are built: of the same dumps, settings and code they have the same."""
        return _hash([[name, self.tables[name].version if name in self.tables else ""] for name in sorted(tables)])[:12]

    def fingerprint(self, *more: str, tables: Iterable[str]) -> str:
        """What tells a page of these tables from any other: them, what its head and foot say, and what else it is of.

        A version is not enough: what people keep beside the dumps, such as costs, is in none. When a check ran last is
        too much: a run has one after each table, and every page would have to be made again.
        """
        known = [(name, str(self.tables[name].built)) for name in sorted(tables) if name in self.tables]
        checks = [bool(self.checks.get("all")), self.checks.get("failed")]
        return _hash([known, sorted(self.tables), self.is_synthetic, checks, *more])


@dataclass(frozen=True)
class Month:
    """A month of the data."""

    month: date
    last_invoice_at: datetime
    is_partial: bool
    doubled: int
    sales: Decimal
    sales_once: Decimal


@dataclass(frozen=True)
class Segment:
    """A row of the playbook."""

    segment: str
    position: int
    r_min: int
    r_max: int
    f_min: int
    f_max: int
    behaviour: str
    strategy: str

    @property
    def slug(self) -> str:
        """The segment in a path: `cant-lose`."""
        words = "".join(c if c.isalnum() else "-" if c in " -" else "" for c in self.segment.lower())
        return words or str(self.position)


@dataclass(frozen=True)
class Choices:
    """What the filters offer."""

    months: dict[date, Month]
    snapshots: dict[date, datetime]
    """The last snapshot of each month."""
    countries: list[str]
    cohorts: list[str]
    segments: dict[str, Segment]

    @classmethod
    def of(cls, row: Row) -> Choices:
        """From the row of choices.sql."""
        months = [
            Month(
                date.fromisoformat(found["month"]), datetime.fromisoformat(found["last_invoice_at"]),
                found["is_partial"], found["doubled"], Decimal(found["sales"]), Decimal(found["sales_once"]),
            )
            for found in row["months"] or []
        ]  # fmt: skip
        snapshots = [datetime.fromisoformat(found) for found in row["snapshots"] or []]
        cohorts = {quarter_of(date.fromisoformat(found)) for found in row["cohort_months"] or []}
        return cls(
            months={found.month: found for found in months},
            snapshots={month_ending_at(found): found for found in sorted(snapshots)},
            countries=row["countries"] or [],
            cohorts=sorted(cohorts),
            segments={found["segment"]: Segment(**found) for found in row["segments"] or []},
        )

    @property
    def until(self) -> datetime:
        """The last invoice of the data."""
        return max(month.last_invoice_at for month in self.months.values())

    def last_day(self, snapshot: datetime) -> date:
        """The last day that a snapshot holds: where its month is not over, that on which the data ends."""
        return min(snapshot - _MOMENT, self.until).date()

    @property
    def latest_whole(self) -> date:
        """The last month that is whole and has a snapshot; the last of all if there is none."""
        whole = [month for month in self.snapshots if month in self.months and not self.months[month].is_partial]
        return max(whole or self.snapshots)

    @property
    def latest(self) -> date:
        """The month in which the data ends."""
        return max(self.snapshots)

    def known(self, filters: Filters) -> tuple[Filters, list[str]]:
        """The filters without what the tables do not have, and a notice on each of these."""
        notices = []
        if filters.as_of and filters.as_of not in self.snapshots:
            notices.append(f"No snapshot exists for {filters.as_of:%Y-%m}, so that filter was left out.")
            filters = replace(filters, as_of=None)
        offered = {
            "countries": self.countries, "cohorts": self.cohorts, "segments": list(self.segments),
            "came_from": [*self.segments, NOT_YET],
        }  # fmt: skip
        for name, values in offered.items():
            given = getattr(filters, name)
            if unknown := [value for value in given if value not in values]:
                notices += [f"{value} is not in the data and was left out of the filters." for value in unknown]
                kept: dict[str, Any] = {name: tuple(value for value in given if value in values)}
                filters = replace(filters, **kept)
        if filters.as_of == self.latest_whole:
            filters = replace(filters, as_of=None)
        return filters, notices


def _hash(facts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def needed(filters: Filters) -> set[str]:
    """The tables of predictions that these filters ask."""
    return {table for name, table in PREDICTED.items() if getattr(filters, name)}


def month_before(month: date, months: int = 1) -> date:
    """The first day of the month so many months before."""
    number = month.year * 12 + month.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def months_between(earlier: date, later: date) -> int:
    """How many months lie between the first days of two."""
    return (later.year - earlier.year) * 12 + later.month - earlier.month


def month_ending_at(snapshot: datetime) -> date:
    """The first day of the month that a snapshot looks at the end of."""
    return (snapshot - _MOMENT).date().replace(day=1)


class Reading:
    """One transaction: whatever is read in it is of one moment."""

    def __init__(
        self,
        connection: sa.Connection,
        built: Built,
        choices: Choices,
        tables: frozenset[str],
        held: dict[str, tuple[str, list[Row]]],
    ) -> None:
        """`tables` are those that are built and locked, so that none is replaced meanwhile; `held` outlives it."""
        self._connection = connection
        self._held = held
        self.built = built
        self.choices = choices
        self.tables = tables

    def known(self, filters: Filters) -> tuple[Filters, list[str]]:
        """The filters without what the tables do not have, and a notice on each of these."""
        known, notices = self.choices.known(filters)
        if missing := needed(known) - self.tables:
            notices.append("Nothing is predicted of customers yet: what asks for it was left out of the filters.")
            kept: dict[str, Any] = {name: DEFAULTS[name] for name, table in PREDICTED.items() if table in missing}
            known = replace(known, **kept)
        return known, notices

    def rows(self, query: str, *, order: str = "", **parameters: Any) -> list[Row]:
        """The rows of a query of this folder. `order` comes from an allow-list, all else is bound."""
        predicted = tuple(name for name in PREDICTED if parameters.get(name))
        variants = {name: parameters.get(name, False) for name in ("of_groups", "is_expected")}
        text = sa.text(_sql(query, predicted, **variants).replace("{order}", order))
        return [dict(row) for row in self._connection.execute(text, parameters).mappings()]

    def once(self, query: str, tables: Iterable[str]) -> list[Row]:
        """The rows of a query without parameters, read once a build of its tables, which are among those locked."""
        key = self.built.fingerprint(tables=tables)
        if self._held.get(query, ("",))[0] != key:
            self._held[query] = (key, self.rows(query))
        return self._held[query][1]

    def matched(self, query: str, filters: Filters, **parameters: Any) -> list[Row]:
        """The rows of a query on the customers whom the filters pick."""
        return self.rows(query, **self.parameters(filters), **parameters)

    def as_of(self, filters: Filters) -> date:
        """The month at whose end the customers are looked at."""
        return filters.as_of or self.choices.latest_whole

    def snapshot_before(self, filters: Filters) -> datetime | None:
        """The snapshot a step before; None if the data begins later."""
        return self.choices.snapshots.get(month_before(self.as_of(filters), filters.step))

    def trend(self, filters: Filters) -> list[Row]:
        """Customers of each segment at every snapshot until now, whom the filters would have picked at that time."""
        until = self.as_of(filters)
        months = [month for month in sorted(self.choices.snapshots) if month <= until]
        befores = [self.choices.snapshots.get(month_before(month, filters.step)) for month in months]
        moments = [self.choices.snapshots[month] for month in months]
        if not filters.came_from:  # else it matters to nobody since when they are compared
            filters = replace(filters, step=Filters.step)
        query = "trend_of_groups" if filters.picks_groups else "trend"
        return self.matched(query, filters, moments=moments, befores=befores)

    def parameters(self, filters: Filters) -> dict[str, Any]:
        """The filters as the queries take them."""
        as_of = self.as_of(filters)
        quarters = [date(int(text[:4]), int(text[-1]) * 3 - 2, 1) for text in filters.cohorts]
        return {
            "snapshot": self.choices.snapshots[as_of],
            "snapshot_before": self.snapshot_before(filters),
            "countries": [*filters.countries] or None,
            "segments": [*filters.segments] or None,
            "came_from": [*filters.came_from] or None,
            "cohorts": quarters or None,
            "risks": [*filters.risks] or None,
            "of_groups": filters.picks_groups,
        } | {
            name: getattr(filters, name)
            for name in (
                "r_score", "f_score", "recency_to", "recency_from", "orders_from", "orders_to", "spent_from",
                "spent_below", "tenth", "search",
            )
        }  # fmt: skip


class Tables:
    """The tables of a warehouse, for reading."""

    def __init__(self, where: str | Callable[[], str]) -> None:
        """`where` is the URL of the database, or tells it. Nothing is connected before the first use."""
        self._locate = where if callable(where) else lambda: where
        self._engine: sa.Engine | None = None
        self._choices: tuple[str, Choices] | None = None
        self._held: dict[str, tuple[str, list[Row]]] = {}
        """What is read once a build, by query."""
        self._seen: frozenset[str] = frozenset()
        """The tables that were built when it was last asked."""

    @property
    def engine(self) -> sa.Engine:
        """The connections. They work as the role of the dashboard, where there is one and the login may."""
        if self._engine is None:
            engine = engine_of(
                self._locate(),
                application="lgs dashboard",
                options=_OPTIONS,
                isolation_level="REPEATABLE READ",
                pool_size=CONNECTIONS,
                max_overflow=0,
                pool_timeout=PATIENCE_SECONDS,
            )
            sa.event.listen(engine, "connect", _become_reader)
            self._engine = engine
        return self._engine

    def built(self) -> Built:
        """What is built now. Empty where nothing is prepared yet."""
        with self._connection() as connection:
            return _built(connection)

    @contextmanager
    def reading(self, needed: Iterable[str], wished: Iterable[str] = ()) -> Iterator[Reading]:
        """One snapshot of the tables of a page. Raises NotReadyError if one that it needs is not built.

        The locks come first: a snapshot that is older than a table shows it empty. They conflict with nothing but the
        replacement of a table, which waits for the page, or the page for it.
        """
        needed, wished = {*needed, *ALWAYS_READ}, {*wished}
        with self._connection() as connection:
            tables = needed | wished & self._seen
            built = _locked(connection, tables)
            if wished & built.tables.keys() - tables:  # built since it was last asked
                connection.rollback()
                tables = needed | wished & built.tables.keys()
                built = _locked(connection, tables)
            self._seen = frozenset(built.tables)
            if missing := sorted(needed - self._seen):
                raise NotReadyError(
                    f"Not built yet: {', '.join(missing)}." if built.tables else "Nothing is loaded yet."
                )
            key = built.fingerprint(tables=ALWAYS_READ)
            if self._choices is None or self._choices[0] != key:
                row = connection.execute(sa.text(_sql("choices"))).mappings().one()
                self._choices = (key, Choices.of(dict(row)))
            choices = self._choices[1]
            if not choices.snapshots:
                raise NotReadyError("No customer has bought anything yet.")
            yield Reading(connection, built, choices, frozenset(tables) & self._seen, self._held)

    @contextmanager
    def _connection(self) -> Iterator[sa.Connection]:
        try:
            connection = self.engine.connect()
        except sa.exc.OperationalError:
            # The embedded server may have been restarted, on another port.
            self.engine.dispose()
            self._engine = None
            connection = self.engine.connect()
        with connection:
            yield connection


def _locked(connection: sa.Connection, tables: Collection[str]) -> Built:
    """Keeps tables from being replaced until the transaction ends, and tells what is built."""
    try:
        connection.execute(sa.text(f"lock table {', '.join(sorted(tables))} in access share mode"))
    except sa.exc.ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) not in _MISSING:
            raise
        connection.rollback()
        tables = ()
    return _built(connection, objections=AUDIENCES in tables)


def _built(connection: sa.Connection, *, objections: bool = False) -> Built:
    query = _sql("publications")
    if objections:  # one statement, not two
        query = f"select * from ({query}) as built cross join ({_sql('objections')}) as objected"
    try:
        row = connection.execute(sa.text(query)).mappings().one()
    except sa.exc.ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) not in _MISSING:
            raise
        connection.rollback()
        return Built({}, [], {})
    tables = {
        name: Published(found["version"], found["rows"], datetime.fromisoformat(found["built"]), found["settings"])
        for name, found in row["tables"].items()
    }
    return Built(tables, row["dumps"], row["checks"], row.get("objections", ""))


@cache
def _sql(name: str, predicted: tuple[str, ...] = (), *, of_groups: bool = False, is_expected: bool = False) -> str:
    """A query and the parts that it reads: counted by groups or one by one, listed with predictions or without."""
    folder = Path(__file__).with_suffix("")
    query = (folder / f"{name}.sql").read_text()
    shared = {
        "listed": folder / ("listed_expected.sql" if is_expected else "listed.sql"),
        "counted": folder / ("counted.sql" if of_groups else "counted_singly.sql"),
        "matched": folder / "matched.sql",
        "exposures": places.SQL / "exposures.sql",
        "do_not_contact": places.SQL / "do_not_contact.sql",
    }
    parts = ""
    for part, file in shared.items():  # a part may read those below it
        if re.search(rf"\b(from|join) {part}\n", parts + query):
            # Each reader of it needs other columns, and so other joins.
            parts = f"{part} as not materialized (\n{file.read_text()}){',' if parts else ''}\n{parts}"
    whole = f"with {parts}{query}" if parts else query
    conditions = {
        "picked_cohorts": ("picked_cohorts",),
        "picked_groups": ("picked_groups",),
        "picked_customers": ("picked_customers", *(f"picked_by_{filtered}" for filtered in predicted)),
    }
    for name, files in conditions.items():
        asked = [(folder / f"{file}.sql").read_text().rstrip() for file in files]
        whole = whole.replace(f"{{{name}}}", "\n".join(asked))
    return whole


def _become_reader(connection: Any, _: object) -> None:
    """Leaves whatever else the login may, for the length of the connection."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select set_config('role', rolname, false) from pg_roles "
            "where rolname = %s and pg_has_role(session_user, oid, 'set')",
            [ROLE],
        )
    connection.commit()
