"""The start of an experiment, which freezes its declaration and draws the arms; its amendments; and its stop.

The file is kept word by word, with the random number of the draw, so that nobody can change afterwards what was asked,
and anybody can draw the arms again. A customer's arm is for good.
"""

import difflib
import secrets
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from psycopg import sql

from lgs_assets import places
from lgs_assets.action.audiences import Audience
from lgs_assets.action.experiments.declaration import CONTROL, Declaration
from lgs_assets.action.experiments.holdout import busy_elsewhere
from lgs_assets.action.experiments.state import State, covered_until, not_started, read_state
from lgs_assets.action.rules import FACTS
from lgs_assets.errors import GuardError, LgsError, UsageError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.locks import lock_for_writing
from lgs_assets.warehouse.publish import mark_outdated
from lgs_assets.warehouse.schema import Cursor, driver_cursor

_TOLD = ("experiment_results", "exposures")
"""The tables of what experiments found and whom they reached: out of date once one is started, amended or stopped."""
_ARMS = (places.SQL / "arms.sql").read_text()


@dataclass(frozen=True)
class Started:
    """What starting an experiment came to."""

    wave: int
    """The number of the enrolment; 0 if nobody was enrolled, as all had been before."""
    arms: dict[str, int]
    """Customers by arm, of all waves."""
    busy: int
    """Members who are not enrolled, as they are in another running experiment, whatever it asks."""


def start(
    warehouse: Warehouse,
    declaration: Declaration,
    audience: Audience,
    *,
    counts_from: date | None = None,
    cap: Decimal | None = None,
    power: float | None = None,
    doubt: str | None = None,
    underpowered: str | None = None,
) -> Started:
    """Freezes the declaration and draws the arms; done again, it draws nobody twice. New members are another wave.

    Purchases count from the first moment of `counts_from`: tomorrow if None. `cap` and `power` are foreseen from the
    shop's past: the largest net revenue that counts, and how likely the declared change is to show. `doubt` is why the
    experiment can hardly answer its question, `underpowered` the reason to start it all the same. Raises GuardError if
    there is doubt and no reason, the file or the audience is not as it was at the start, the experiment was stopped,
    its result or first look can be told already, the members are those of another rule, or purchases of those days are
    known already; LgsError if an arm would be empty.
    """
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        lock_for_writing(cursor, "experiments")
        cursor.execute("select declaration, stopped_at from experiments where experiment = %s", [declaration.name])
        if row := cursor.fetchone():
            _expect_unchanged(declaration, *row)
            if declaration.enrol == "once":
                return Started(0, _arm_sizes(cursor, declaration.name), 0)
            frozen = read_state(cursor, declaration.name)
            _expect_not_due(cursor, frozen)
            _expect_same_audience(frozen, audience)
        begins = _first_day(cursor, counts_from)
        _expect_members_of(cursor, audience)
        if not row:
            reason = (underpowered or "").strip() or None
            if doubt and not reason:
                raise GuardError(f'Refused: {doubt} To start it all the same: --underpowered "the reason"')
            cursor.execute(
                """
                insert into experiments values (
                    %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, session_user, now(), null, null, %s, %s,
                    (select settings ->> 'doubled_invoices' from publications where table_name = 'clean_invoices')
                )
                """,
                [
                    *(declaration.name, declaration.text, declaration.version, audience.name, audience.version),
                    *(declaration.primary.metric, declaration.primary.days, declaration.share),
                    *(secrets.token_hex(16), cap, reason, declaration.enrol, power),
                ],
            )
        wave = _enrol(cursor, declaration, begins)
        sizes = _arm_sizes(cursor, declaration.name)
        if sizes.keys() != {CONTROL, declaration.treatment}:
            raise LgsError(
                f"{declaration.name}: the audience {audience.name} has too few customers to fill both arms: "
                f"{sum(sizes.values())} could be enrolled. Nothing is started."
            )
        _mark_outdated(connection)
        return Started(wave, sizes, _busy(cursor, declaration, audience.name))


def stop(warehouse: Warehouse, name: str, *, because: str) -> None:
    """Ends an experiment: its control group is held out no longer. Raises LgsError if it does not run.

    Raises UsageError if no reason is given.
    """
    if not because.strip():
        raise UsageError("--because: expected a reason, which the report tells; found nothing.")
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        lock_for_writing(cursor, "experiments")
        cursor.execute("select stopped_at from experiments where experiment = %s", [name])
        row = cursor.fetchone()
        if not row:
            raise not_started(cursor, name)
        if row[0]:
            raise LgsError(f"{name} was already stopped at {row[0]:%Y-%m-%d %H:%M} UTC.")
        cursor.execute(
            "update experiments set stopped_at = now(), stopped_because = %s where experiment = %s", [because, name]
        )
        _mark_outdated(connection)


def amend(warehouse: Warehouse, name: str, what: str, *, because: str) -> None:
    """Records what came to be otherwise than an experiment declares, for its report. The declaration stays as it is.

    Raises LgsError if no experiment of that name was started, and UsageError if either text is blank.
    """
    for option, text in (("what is otherwise", what), ("--because", because)):
        if not text.strip():
            raise UsageError(f"{option}: expected a text, which the report tells; found nothing.")
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        lock_for_writing(cursor, "experiments")
        cursor.execute("select experiment from experiments where experiment = %s", [name])
        if not cursor.fetchone():
            raise not_started(cursor, name)
        cursor.execute(
            """
            insert into experiment_amendments
            select %(name)s, coalesce(max(amendment), 0) + 1, %(what)s, %(because)s, session_user, now()
            from experiment_amendments
            where experiment = %(name)s
            """,
            {"name": name, "what": what.strip(), "because": because.strip()},
        )
        _mark_outdated(connection)


def is_started(warehouse: Warehouse, name: str) -> bool:
    """Whether an experiment of this name was started, whatever became of it."""
    return bool(warehouse.rows("select from experiments where experiment = :name", name=name))


def arms(
    population: sql.Composable, *, size: int, share: Decimal, salt: str, treatment: str = "treated"
) -> sql.Composed:
    """A query for the arm of each customer of a population: customer_id, block, segment, arm.

    `population` is a query for customer_id, segment, stratum (text) and place_by: customers of a stratum form blocks of
    `size` in the order of place_by, and of each block `share` is treated.
    """
    return sql.SQL(_ARMS).format(
        population=population,
        size=sql.Literal(size),
        share=sql.Literal(share),
        salt=sql.Literal(salt),
        treatment=sql.Literal(treatment),
        control=sql.Literal(CONTROL),
    )


def _mark_outdated(connection: sa.Connection) -> None:
    for table in _TOLD:
        mark_outdated(connection, table)


def _expect_unchanged(declaration: Declaration, frozen: str, stopped_at: datetime | None) -> None:
    name = declaration.name
    if frozen != declaration.text:
        diff = difflib.unified_diff(
            frozen.splitlines(),
            declaration.text.splitlines(),
            "as it was started",
            f"{name}.toml now",
            lineterm="",
            n=1,
        )
        raise GuardError(
            f"{name} was started with another declaration, which stays as it was. To ask something else, declare "
            f"another experiment; to record what differed: lgs experiment amend {name} WHAT --because WHY\n"
            + "\n".join(diff)
        )
    if stopped_at:
        raise GuardError(f"{name} was stopped at {stopped_at:%Y-%m-%d %H:%M} UTC. Nobody is enrolled any more.")


def _expect_not_due(cursor: Cursor, found: State) -> None:
    declared, covered = found.declaration, covered_until(cursor)
    first_look = next(iter(declared.looks), None)  # a later wave would move it, and it would be looked at twice
    due = found.due_of(declared.primary.metric, after=first_look)
    if covered and due <= covered:
        what = "its result" if first_look is None else f"the look after {first_look} days"
        raise GuardError(
            f"{declared.name} has been due since {due}: anyone who has seen {what} may not enrol more. To ask again, "
            "declare another experiment."
        )


def _expect_same_audience(found: State, audience: Audience) -> None:
    if audience.version != found.audience_version:
        raise GuardError(
            f"The rule or the fields of {audience.name} have changed since {found.declaration.name} was started: a "
            "wave of its members would answer another question. To ask it, declare another experiment."
        )


def _first_day(cursor: Cursor, counts_from: date | None) -> date:
    cursor.execute(
        "select (now() at time zone %s)::date + 1, max(last_invoice_at) from invoice_totals", [places.TIME_ZONE]
    )
    ((tomorrow, last),) = cursor.fetchall()
    begins: date = counts_from or tomorrow
    if last and begins <= last.date():
        raise GuardError(
            f"Purchases until {last:%Y-%m-%d %H:%M} are known already; an experiment is declared before they are. "
            f"Choose a first day after {last:%Y-%m-%d}."
        )
    return begins


def _expect_members_of(cursor: Cursor, audience: Audience) -> None:
    cursor.execute("select distinct version from audience_members where audience = %s", [audience.name])
    versions = {version for (version,) in cursor}
    if not versions:
        raise LgsError(f"The audience {audience.name} has no members. If it is new: lgs run")
    if versions != {audience.version}:
        raise GuardError(
            f"The rule or the fields of {audience.name} have changed since its members were found: lgs run"
        )


_ELIGIBLE = """
select
    members.customer_id,
    {facts}.segment,
    {order} as place_by,
    concat_ws('/', {wave}, {strata}) as stratum
from audience_members as members
inner join {facts} on {facts}.customer_id = members.customer_id
where members.audience = {audience}
    and not {busy}
    and not exists (
        select from assignments where experiment = {experiment} and customer_id = members.customer_id
    )
"""


def _enrol(cursor: Cursor, declaration: Declaration, begins: date) -> int:
    """Draws the arms of members who have none yet. Returns the number of the wave; 0 if there is nobody to enrol."""
    cursor.execute(
        "select salt, (select coalesce(max(wave), 0) + 1 from assignments where experiment = %(name)s) "
        "from experiments where experiment = %(name)s",
        {"name": declaration.name},
    )
    ((salt, wave),) = cursor.fetchall()
    strata = [sql.Identifier(FACTS, column) for column in declaration.strata]
    eligible = sql.SQL(_ELIGIBLE).format(
        facts=sql.Identifier(FACTS),
        order=sql.Identifier(FACTS, declaration.order),
        strata=sql.SQL(", ").join(strata) if strata else sql.Literal("all"),
        audience=sql.Literal(declaration.audience),
        experiment=sql.Literal(declaration.name),
        busy=busy_elsewhere(declaration.name, sql.SQL("members.customer_id")),
        wave=sql.Literal(wave),
    )
    cursor.execute(
        sql.SQL(
            "insert into assignments select {experiment}, customer_id, {wave}, block, segment, arm, {begins}, now() "
            "from ({arms}) as drawn order by customer_id"
        ).format(
            experiment=sql.Literal(declaration.name),
            wave=sql.Literal(wave),
            begins=sql.Literal(datetime(begins.year, begins.month, begins.day)),
            arms=arms(
                eligible,
                size=declaration.block_size,
                share=declaration.share,
                salt=salt,
                treatment=declaration.treatment,
            ),
        )
    )
    return wave if cursor.rowcount else 0


def _busy(cursor: Cursor, declaration: Declaration, audience: str) -> int:
    cursor.execute(
        """
        select count(*)
        from audience_members as members
        where audience = %s and not exists (
            select from assignments where experiment = %s and customer_id = members.customer_id
        )
        """,
        [audience, declaration.name],
    )
    return int(cursor.fetchall()[0][0])


def _arm_sizes(cursor: Cursor, name: str) -> dict[str, int]:
    cursor.execute("select arm, count(*) from assignments where experiment = %s group by arm order by arm", [name])
    return dict(cursor.fetchall())
