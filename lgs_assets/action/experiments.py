"""Experiments: what is declared before the start and frozen by it, and who is drawn into which arm.

A file of the folder `experiments` is the design. `start` keeps it word by word, with the random number of the draw, so
that nobody can change afterwards what was asked, and anybody can draw the arms again. A customer's arm is for good.
"""

import difflib
import re
import secrets
import tomllib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from psycopg import sql
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from lgs_assets import places
from lgs_assets.action.audiences import Audience
from lgs_assets.action.rules import FACTS, fact_kinds
from lgs_assets.errors import GuardError, LgsError, UsageError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.locks import lock_for_writing
from lgs_assets.warehouse.schema import Cursor, driver_cursor

FOLDER = places.ROOT / "experiments"
CONTROL = "control"
"""The arm that is left alone."""

_EXPOSURES = (places.SQL / "exposures.sql").read_text()

Metric = Literal["bought_within", "net_revenue", "orders", "revenue_per_order"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CHANGE = re.compile(r"(\d+(?:\.\d+)?) (points|%)")
_Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)


class Primary(BaseModel):
    """The metric by which the experiment is judged, and for how many days each customer is observed."""

    model_config = _STRICT

    metric: Metric
    days: int = Field(ge=7, le=730)


class _File(BaseModel):
    model_config = _STRICT

    hypothesis: _Text
    owner: _Text
    audience: _Text
    arms: dict[str, float]
    block_by: list[str]
    block_size: int = Field(ge=2, le=100)
    primary: Primary
    secondary: list[Metric] = []
    mde: str
    enrol: Literal["once", "waves"] = "once"
    looks: list[int] = Field(default=[], max_length=0)


@dataclass(frozen=True)
class Declaration:
    """An experiment, as its file declares it."""

    name: str
    text: str
    """The file, word by word."""
    hypothesis: str
    owner: str
    audience: str
    treatment: str
    """The arm that is not the control group."""
    share: Decimal
    """The share of customers who are treated."""
    strata: tuple[str, ...]
    """Columns of `audience_facts` whose values blocks have in common."""
    order: str
    """The column by which customers within these are alike."""
    block_size: int
    primary: Primary
    secondary: tuple[Metric, ...]
    change: Decimal
    """The smallest change worth finding, in `unit`."""
    unit: Literal["points", "%"]
    enrol: Literal["once", "waves"]

    @classmethod
    def read(cls, file: Path) -> Self:
        """The experiment of a file. Raises UsageError, which names the file, the key or line, and what is expected."""
        try:
            text = file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise UsageError(f"{file}: cannot be read: {reason}.") from None
        return cls.parse(file.stem, text, called=file.name)

    @classmethod
    def parse(cls, name: str, text: str, *, called: str | None = None) -> Self:
        """The experiment that a text declares. Raises UsageError likewise, with the name `called` for the file."""
        called = called or f"{name}.toml"
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{called}: expected a name of up to 40 small letters, digits and underscores; found {name!r}."
            )
        try:
            stated = _File.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"{called}: {error}.") from None
        except ValidationError as error:
            raise UsageError("\n".join(f"{called}: {_reason(detail)}" for detail in error.errors())) from None
        try:
            treatment, share = _arms(stated.arms)
            strata, order = _blocks(stated.block_by)
            change, unit = _change(stated.mde, stated.primary.metric)
            _expect_distinct(stated.primary.metric, stated.secondary)
            _expect_divisible(stated.block_size, share)
        except UsageError as error:
            raise UsageError(f"{called}: {error}") from None
        return cls(
            name=name, text=text, hypothesis=stated.hypothesis, owner=stated.owner, audience=stated.audience,
            treatment=treatment, share=share, strata=strata, order=order, block_size=stated.block_size,
            primary=stated.primary, secondary=tuple(stated.secondary), change=change, unit=unit, enrol=stated.enrol,
        )  # fmt: skip

    @property
    def version(self) -> str:
        """What tells the file from any other."""
        return sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class Started:
    """What starting an experiment came to."""

    wave: int
    """The number of the enrolment; 0 if nobody was enrolled, as all had been before."""
    arms: dict[str, int]
    """Customers by arm, of all waves."""
    busy: int
    """Members who are not enrolled, as they are in another running experiment that asks the same."""


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
    waves: int
    arms: dict[str, int]
    """Customers by arm."""
    reached: dict[str, int]
    """Those of them who are or were in a destination through the audience, since they were assigned."""
    excluded: int
    """Customers of any arm who have objected to marketing or are forgotten. They still count as assigned."""
    due: date
    """The day after the last observed one of the last customer."""


def start(
    warehouse: Warehouse,
    declaration: Declaration,
    audience: Audience,
    *,
    counts_from: date | None = None,
    cap: Decimal | None = None,
    underpowered: str | None = None,
) -> Started:
    """Freezes the declaration and draws the arms; done again, it draws nobody twice. New members are another wave.

    Purchases count from the first moment of `counts_from`: tomorrow if None. Raises GuardError if the file is not as it
    was at the start, the experiment was stopped, the members are those of another rule, or purchases of those days are
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
        begins = _first_day(cursor, counts_from)
        _expect_members_of(cursor, audience)
        if not row:
            cursor.execute(
                """
                insert into experiments values (
                    %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, session_user, now(), null, null
                )
                """,
                [
                    *(declaration.name, declaration.text, declaration.version, audience.name, audience.version),
                    *(declaration.primary.metric, declaration.primary.days, declaration.share),
                    *(secrets.token_hex(16), cap, underpowered),
                ],
            )
        wave = _enrol(cursor, declaration, begins)
        sizes = _arm_sizes(cursor, declaration.name)
        if sizes.keys() != {CONTROL, declaration.treatment}:
            raise LgsError(
                f"{declaration.name}: the audience {audience.name} has too few customers to fill both arms: "
                f"{sum(sizes.values())} could be enrolled. Nothing is started."
            )
        return Started(wave, sizes, _busy(cursor, declaration, audience.name))


def stop(warehouse: Warehouse, name: str, *, because: str) -> None:
    """Ends an experiment: its control group is held out no longer. Raises LgsError if it does not run."""
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        lock_for_writing(cursor, "experiments")
        cursor.execute("select stopped_at from experiments where experiment = %s", [name])
        row = cursor.fetchone()
        if not row:
            raise LgsError(f"There is no experiment {name!r} that was started. {_those_started(cursor)}")
        if row[0]:
            raise LgsError(f"{name} was stopped at {row[0]:%Y-%m-%d %H:%M} UTC already.")
        cursor.execute(
            "update experiments set stopped_at = now(), stopped_because = %s where experiment = %s", [because, name]
        )


def states(warehouse: Warehouse) -> list[State]:
    """Every experiment that was started, by name."""
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        cursor.execute("select experiment from experiments order by experiment")
        return [_state(cursor, name) for (name,) in cursor.fetchall()]


def state(warehouse: Warehouse, name: str) -> State:
    """One of them. Raises LgsError if there is none of that name."""
    with warehouse.transaction() as connection:
        return _state(driver_cursor(connection), name)


IN_CONTROL = """
case when exists (
    select
    from lgs.assignments
    inner join lgs.experiments on experiments.experiment = assignments.experiment
    where assignments.customer_id = {customer}
        and assignments.arm = 'control'
        and experiments.audience = {audience}
        and experiments.stopped_at is null
) then 'control group' end
"""
"""Why a customer may not be sent as a member of an audience: an experiment compares the others with them."""


def _reason(detail: Any) -> str:
    """One line on a key: what is expected, and what was found."""
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "missing":
        return f"{key}: expected, and not there."
    if key == "looks" and detail["type"] == "too_long":
        return f"looks: expected none: only the end is analysed, and nothing is shown before; found {detail['input']}."
    if detail["type"] == "extra_forbidden":
        keys = Primary.model_fields if key.startswith("primary.") else _File.model_fields
        return f"{key}: is no key of an experiment. The keys: {', '.join(keys)}."
    expected = detail["msg"].removeprefix("Input should be ").removeprefix("String should have ")
    return f"{key}: expected {expected}; found {detail['input']!r}."


def _arms(arms: dict[str, float]) -> tuple[str, Decimal]:
    others = sorted(arms.keys() - {CONTROL})
    shares = {name: Decimal(str(share)) for name, share in arms.items()}
    if CONTROL not in arms or len(others) != 1:
        raise UsageError(f"arms: expected {CONTROL} and one other; found {', '.join(sorted(arms)) or 'none'}.")
    if not _NAME.fullmatch(others[0]):
        raise UsageError(
            f"arms: expected a name of up to 40 small letters, digits and underscores; found {others[0]!r}."
        )
    if not all(0 < share < 1 for share in shares.values()) or sum(shares.values()) != 1:
        found = ", ".join(f"{name} = {share}" for name, share in shares.items())
        raise UsageError(f"arms: expected shares above 0 that add up to 1; found {found}.")
    return others[0], shares[others[0]]


def _blocks(block_by: list[str]) -> tuple[tuple[str, ...], str]:
    kinds = fact_kinds()
    if unknown := [name for name in block_by if name not in kinds]:
        raise UsageError(f"block_by: there is no column {unknown[0]!r}. The columns: {', '.join(kinds)}.")
    strata = tuple(name for name in block_by if kinds[name] == "text")
    numbers = [name for name in block_by if kinds[name] == "number"]
    if len(numbers) != 1 or len(strata) + 1 != len(block_by):
        raise UsageError(
            "block_by: expected one number, such as monetary, and any texts, such as segment; found "
            f"{', '.join(f'{name} ({kinds[name]})' for name in block_by) or 'none'}."
        )
    return strata, numbers[0]


def _change(mde: str, metric: Metric) -> tuple[Decimal, Literal["points", "%"]]:
    unit: Literal["points", "%"] = "points" if metric == "bought_within" else "%"
    matched = _CHANGE.fullmatch(mde)
    if not matched or matched[2] != unit or not Decimal(matched[1]):
        raise UsageError(f'mde: expected a change such as "10 {unit}", as {metric} is measured; found {mde!r}.')
    return Decimal(matched[1]), unit


def _expect_distinct(primary: Metric, secondary: list[Metric]) -> None:
    if primary in secondary or len(set(secondary)) != len(secondary):
        raise UsageError(f"secondary: expected metrics other than {primary}, each once; found {', '.join(secondary)}.")


def _expect_divisible(block_size: int, share: Decimal) -> None:
    if not 1 <= Fraction(share) * block_size <= block_size - 1:
        raise UsageError(
            f"block_size: expected blocks in which each arm has a customer; found {block_size}, of whom "
            f"{share:%} are treated."
        )


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
            "another experiment.\n" + "\n".join(diff)
        )
    if stopped_at:
        raise GuardError(f"{name} was stopped at {stopped_at:%Y-%m-%d %H:%M} UTC. Nobody is enrolled any more.")


def _first_day(cursor: Cursor, counts_from: date | None) -> date:
    cursor.execute(
        "select (now() at time zone %s)::date + 1, max(last_invoice_at) from invoice_totals", [places.TIME_ZONE]
    )
    ((tomorrow, last),) = cursor.fetchall()
    begins: date = counts_from or tomorrow
    if last and begins <= last.date():
        raise GuardError(
            f"Purchases until {last:%Y-%m-%d %H:%M} are known already; an experiment is declared before they are. "
            f"Let it count from a later day than {last:%Y-%m-%d}."
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


# One draw on any server: nothing in it depends on the order of rows, a collation or a random number of the server. Of a
# block that the share does not divide, the odd one is drawn by the hash of the block. Customers left over from full
# blocks are the largest where the share divides them, which pairs the two that differ most; otherwise the smallest.
_ENROL = """
with eligible as (
    select members.customer_id, {facts}.segment, {order} as place_by, concat_ws('/', {wave}, {strata}) as stratum
    from audience_members as members
    inner join {facts} on {facts}.customer_id = members.customer_id
    where members.audience = {audience}
        and not exists (
            select
            from assignments
            inner join experiments on experiments.experiment = assignments.experiment
            where assignments.customer_id = members.customer_id
                and (assignments.experiment = {experiment} or {collides})
        )
),

ordered as (
    select
        *,
        row_number() over (partition by stratum order by place_by desc nulls last, customer_id) - 1 as above,
        count(*) over (partition by stratum) % {size} as left_over
    from eligible
),

placed as (
    select
        *,
        (above + case when left_over * {share} % 1 = 0 then ({size} - left_over) % {size} else 0 end) / {size} as place
    from ordered
),

drawn as (
    select
        *,
        concat_ws('/', stratum, place) as block,
        sha256(convert_to(concat({salt}, ':', customer_id), 'UTF8')) as lot,
        sha256(convert_to(concat({salt}, ':', stratum, '/', place), 'UTF8')) as lot_of_block
    from placed
),

ranked as (
    select
        *,
        row_number() over (partition by block order by lot, customer_id) as rank,
        count(*) over (partition by block) * {share} as treated,
        ('x' || substr(encode(lot_of_block, 'hex'), 1, 12))::bit(48)::bigint / 2::numeric ^ 48 as odd_lot
    from drawn
)

insert into assignments
select
    {experiment},
    customer_id,
    {wave},
    block,
    segment,
    case
        when rank <= floor(treated) + case when odd_lot < treated - floor(treated) then 1 else 0 end then {treatment}
        else {control}
    end,
    {begins},
    now()
from ranked
order by customer_id
"""
_COLLIDES = sql.SQL("experiments.stopped_at is null and experiments.metric = {metric}")


def _enrol(cursor: Cursor, declaration: Declaration, begins: date) -> int:
    """Draws the arms of members who have none yet. Returns the number of the wave; 0 if there is nobody to enrol."""
    cursor.execute(
        "select salt, (select coalesce(max(wave), 0) + 1 from assignments where experiment = %(name)s) "
        "from experiments where experiment = %(name)s",
        {"name": declaration.name},
    )
    ((salt, wave),) = cursor.fetchall()
    strata = [sql.Identifier(FACTS, column) for column in declaration.strata]
    cursor.execute(
        sql.SQL(_ENROL).format(
            facts=sql.Identifier(FACTS),
            order=sql.Identifier(FACTS, declaration.order),
            strata=sql.SQL(", ").join(strata) if strata else sql.Literal("all"),
            audience=sql.Literal(declaration.audience),
            experiment=sql.Literal(declaration.name),
            collides=_COLLIDES.format(metric=sql.Literal(declaration.primary.metric)),
            size=sql.Literal(declaration.block_size),
            salt=sql.Literal(salt),
            share=sql.Literal(declaration.share),
            wave=sql.Literal(wave),
            treatment=sql.Literal(declaration.treatment),
            control=sql.Literal(CONTROL),
            begins=sql.Literal(datetime(begins.year, begins.month, begins.day)),
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


def _those_started(cursor: Cursor) -> str:
    cursor.execute("select experiment from experiments order by experiment")
    names = [name for (name,) in cursor]
    return f"Those that were: {', '.join(names)}." if names else "None was started yet."


def _state(cursor: Cursor, name: str) -> State:
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
        raise LgsError(f"There is no experiment {name!r} that was started. {_those_started(cursor)}")
    declaration = Declaration.parse(name, row[0])
    cursor.execute(
        f"""
        select
            arm,
            count(*),
            count(*) filter (
                where customer_id in (select customer_id from ({_EXPOSURES}) as exposures where experiment = %(name)s)
            ),
            count(*) filter (where customer_id in (select customer_id from marketing_exclusions)),
            max(wave),
            max(counts_from)
        from assignments
        where experiment = %(name)s
        group by arm
        order by arm
        """.encode(),
        {"name": name},
    )
    arms = cursor.fetchall()
    nobody = {CONTROL: 0, declaration.treatment: 0}
    due = (max(arm[5] for arm in arms) + timedelta(days=declaration.primary.days)).date()
    _, version, salt, cap, underpowered, started_by, started_at, stopped_at, stopped_because = row
    return State(
        declaration, version, salt, cap, underpowered, started_by, started_at, stopped_at, stopped_because,
        waves=max(arm[4] for arm in arms),
        arms=nobody | {arm[0]: arm[1] for arm in arms},
        reached=nobody | {arm[0]: arm[2] for arm in arms},
        excluded=sum(arm[3] for arm in arms),
        due=due,
    )  # fmt: skip
