"""How an experiment stands that was started: its arms, who was reached, and when its result is due. No result."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from lgs_assets import places
from lgs_assets.action.experiments.conduct import RAN, REJECTED, STOPPED, UNDRAWN, Amendment, Conduct, Hole, local_day
from lgs_assets.action.experiments.declaration import CONTROL, Declaration, late_days
from lgs_assets.errors import LgsError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import Cursor, driver_cursor

EXPOSURES = (places.SQL / "exposures.sql").read_text()
"""A query for whom lists reached, as they stand."""

# A shop closes over the weekend and at Easter: days without an invoice are a hole only if they are more than a week,
# and more than there ever were in a row before. It may close from Christmas to New Year as well, which says nothing of
# another week: these days do not count, neither now nor before.
_HOLE = """
with pauses as (
    select
        first,
        ends,
        (
            select count(*)
            from generate_series(first, ends - 1, interval '1 day') as closed (day)
            where to_char(day, 'MM-DD') between '01-04' and '12-23'
        ) as days
    from (
        select lag(day) over (order by day) + 1 as first, day as ends
        from (select distinct last_invoice_at::date as day from invoice_totals) as open_days
    ) as between_days
)

select first, ends - 1
from pauses
where ends > %(begins)s and first < %(ends)s
    and days > (select greatest(7, max(earlier.days)) from pauses as earlier
        where earlier.ends <= %(begins)s having count(earlier.first) > 0)
order by first
limit 1
"""


@dataclass(frozen=True, kw_only=True)
class State(Conduct):
    """An experiment that was started: what was frozen with its declaration, and how it stands."""

    audience_version: str
    salt: str
    cap: Decimal | None
    underpowered: str | None
    power: float | None
    """How likely the declared change was to show, as foreseen at the start; None where the data could not tell."""
    started_by: str
    waves: int


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
            stopped_because, power, doubled_invoices,
            (select settings ->> 'doubled_invoices' from publications where table_name = 'clean_invoices')
        from experiments
        where experiment = %s
        """,
        [name],
    )
    if not (row := cursor.fetchone()):
        raise not_started(cursor, name)
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
        with exposures as ({EXPOSURES})

        select period, audience, arm, count(distinct customer_id)
        from exposures
        where experiment = %s
        group by grouping sets ((period, arm), (period, audience, arm))
        union all
        select 'sent', null, arm, count(distinct customer_id)
        from exposures
        where experiment = %s and period in ('{RAN}', '{REJECTED}')
        group by arm
        order by period, audience, arm
        """.encode(),
        [name, name],
    )
    nobody = {CONTROL: 0, declaration.treatment: 0}
    exposures: dict[tuple[str, str | None], dict[str, int]] = {}
    for period, audience, arm, customers in cursor:
        exposures.setdefault((period, audience), dict(nobody))[arm] = customers
    cursor.execute(
        """
        select count(*)
        from held_out
        inner join activation_plans using (plan)
        inner join assignments using (experiment, customer_id)
        where experiment = %s and state in ('applied', 'partial')
            and ended_at < (counts_from + make_interval(days => %s)) at time zone %s
        """,
        [name, declaration.primary.days, places.TIME_ZONE],
    )
    ((held_out,),) = cursor.fetchall()
    cursor.execute(
        "select what, because, amended_by, amended_at from experiment_amendments where experiment = %s "
        "order by amendment",
        [name],
    )
    amendments = tuple(Amendment(*amendment) for amendment in cursor)
    _, version, salt, cap, underpowered, started_by, started_at, stopped_at, stopped_because, power, *doubled = row
    begins = min((arm[4] for arm in arms), default=local_day(started_at))
    due = max((arm[5] for arm in arms), default=local_day(started_at)) + timedelta(days=declaration.primary.days)
    cursor.execute(_HOLE, {"begins": begins, "ends": due + timedelta(days=late_days(declaration.primary.metric))})
    hole = cursor.fetchone()
    return State(
        declaration=declaration,
        audience_version=version,
        salt=salt,
        cap=cap,
        underpowered=underpowered,
        power=power,
        doubled_invoices=(doubled[0], doubled[1]),
        started_by=started_by,
        started_at=started_at,
        stopped_at=stopped_at,
        stopped_because=stopped_because,
        amendments=amendments,
        waves=max((arm[3] for arm in arms), default=0),
        arms=nobody | {arm[0]: arm[1] for arm in arms},
        reached=exposures.get((RAN, None), nobody),
        reached_through={name: by_arm for (period, name), by_arm in exposures.items() if period == RAN and name},
        reached_undrawn=exposures.get((UNDRAWN, None), nobody),
        reached_later=exposures.get((STOPPED, None), nobody),
        sent=exposures.get(("sent", None), nobody)[declaration.treatment],
        held_out=held_out,
        excluded=nobody | {arm[0]: arm[2] for arm in arms},
        begins=begins,
        due=due,
        covered_until=covered_until(cursor) or begins,
        hole=Hole(*hole) if hole else None,
    )


def covered_until(cursor: Cursor) -> date | None:
    """The first day that the data does not cover: that of the last invoice, which need not be over; None without."""
    cursor.execute("select max(last_invoice_at)::date from invoice_totals")
    ((day,),) = cursor.fetchall()
    return None if day is None else date(day.year, day.month, day.day)


def not_started(cursor: Cursor, name: str) -> LgsError:
    """The error of an experiment that was not started; it names those that were."""
    cursor.execute("select experiment from experiments order by experiment")
    names = [started for (started,) in cursor]
    known = f"Started: {', '.join(names)}." if names else "None was started yet."
    return LgsError(f"No experiment {name!r} was started. {known}")
