"""How an experiment stands that was started: its arms, who was reached, and when its result is due. No result."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from lgs_assets import places
from lgs_assets.action.experiments.declaration import CONTROL, LATE_DAYS, MONEY, Declaration, Metric
from lgs_assets.action.experiments.holdout import is_uneven
from lgs_assets.errors import LgsError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import Cursor, driver_cursor

EXPOSURES = (places.SQL / "exposures.sql").read_text()
"""A query for whom lists reached, as they stand."""


@dataclass(frozen=True)
class Amendment:
    """What came to be otherwise than an experiment declares."""

    what: str
    because: str
    by: str
    at: datetime


@dataclass(frozen=True)
class State:
    """An experiment that was started, and how it stands."""

    declaration: Declaration
    audience_version: str
    salt: str
    cap: Decimal | None
    underpowered: str | None
    started_by: str
    started_at: datetime
    stopped_at: datetime | None
    stopped_because: str | None
    amendments: tuple[Amendment, ...]
    waves: int
    arms: dict[str, int]
    """Customers by arm."""
    reached: dict[str, int]
    """Those of them whom a destination held, through any audience, while their purchases counted and the experiment
    ran. Of the control group that is contamination."""
    reached_through: dict[str, dict[str, int]]
    """Likewise, by audience and arm."""
    held_out: int
    """Customers of the control group whom an applied plan, of any audience, left out for that alone: the like of the
    treated who were reached, as whoever could not be written to is in neither."""
    excluded: int
    """Customers of any arm who have objected to marketing or are forgotten. They still count as assigned."""
    begins: date
    """From when the purchases of the first customers count."""
    due: date
    """The day after the last observed one of the last customer."""

    @property
    def is_unevenly_delivered(self) -> bool:
        """Whether whom the lists reached, and would have reached, is not of the sizes that were drawn."""
        reached = self.reached[self.declaration.treatment]
        return is_uneven(reached=reached, held_out=self.held_out, share=float(self.declaration.share))

    def due_of(self, metric: Metric, *, after: int | None = None) -> date:
        """From which day on a metric can be told of everybody, in full or after so many days of the window."""
        days = self.declaration.primary.days
        early = 0 if after is None else days - after
        return self.due + timedelta(days=LATE_DAYS * (metric in MONEY) - early)


def states(warehouse: Warehouse) -> list[State]:
    """Every experiment that was started, by name."""
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        cursor.execute("select experiment from experiments order by experiment")
        return [read_state(cursor, name) for (name,) in cursor.fetchall()]


def state(warehouse: Warehouse, name: str) -> State:
    """One of them. Raises LgsError if there is none of that name."""
    with warehouse.transaction() as connection:
        return read_state(driver_cursor(connection), name)


def read_state(cursor: Cursor, name: str) -> State:
    """As `state`, in a transaction."""
    cursor.execute(
        """
        select
            declaration, audience_version, salt, cap, underpowered, started_by, started_at, stopped_at,
            stopped_because
        from experiments
        where experiment = %s
        """,
        [name],
    )
    if not (row := cursor.fetchone()):
        raise LgsError(f"No experiment {name!r} was started. {those_started(cursor)}")
    declaration = Declaration.frozen(name, row[0])
    cursor.execute(
        """
        select
            arm,
            count(*),
            count(*) filter (where customer_id in (select customer_id from marketing_exclusions)),
            max(wave),
            min(counts_from)::date,
            max(counts_from)::date
        from assignments
        where experiment = %s
        group by arm
        order by arm
        """,
        [name],
    )
    arms = cursor.fetchall()
    cursor.execute(
        f"""
        select audience, arm, count(distinct customer_id)
        from ({EXPOSURES}) as exposures
        where experiment = %s
        group by grouping sets ((arm), (audience, arm))
        order by audience, arm
        """.encode(),
        [name],
    )
    nobody = {CONTROL: 0, declaration.treatment: 0}
    through: dict[str | None, dict[str, int]] = {}
    for audience, arm, customers in cursor:
        through.setdefault(audience, dict(nobody))[arm] = customers
    cursor.execute(
        "select count(*) from held_out inner join activation_plans using (plan) "
        "where experiment = %s and state in ('applied', 'partial')",
        [name],
    )
    ((held_out,),) = cursor.fetchall()
    cursor.execute(
        "select what, because, amended_by, amended_at from experiment_amendments where experiment = %s "
        "order by amendment",
        [name],
    )
    amendments = tuple(Amendment(*amendment) for amendment in cursor)
    _, version, salt, cap, underpowered, started_by, started_at, stopped_at, stopped_because = row
    return State(
        declaration, version, salt, cap, underpowered, started_by, started_at, stopped_at, stopped_because,
        amendments,
        waves=max((arm[3] for arm in arms), default=0),
        arms=nobody | {arm[0]: arm[1] for arm in arms},
        reached=through.pop(None, nobody),
        reached_through={str(audience): by_arm for audience, by_arm in through.items()},
        held_out=held_out,
        excluded=sum(arm[2] for arm in arms),
        begins=min((arm[4] for arm in arms), default=started_at.date()),
        due=max((arm[5] for arm in arms), default=started_at.date()) + timedelta(days=declaration.primary.days),
    )  # fmt: skip


def covered_until(cursor: Cursor) -> date | None:
    """The first day that the data does not cover: that of the last invoice, which need not be over; None without."""
    cursor.execute("select max(last_invoice_at)::date from invoice_totals")
    ((day,),) = cursor.fetchall()
    return None if day is None else date(day.year, day.month, day.day)


def those_started(cursor: Cursor) -> str:
    """The names of the experiments that were started, for a message to whoever asked for another."""
    cursor.execute("select experiment from experiments order by experiment")
    names = [name for (name,) in cursor]
    return f"Started: {', '.join(names)}." if names else "None was started yet."
