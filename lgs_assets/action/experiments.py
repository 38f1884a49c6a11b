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
from lgs_assets.warehouse.publish import disown
from lgs_assets.warehouse.schema import Cursor, driver_cursor

FOLDER = places.ROOT / "experiments"
RESULTS = "experiment_results"
"""The table of what experiments found: out of date once one is started or stopped."""
CONTROL = "control"
"""The arm that is left alone."""
EVERYTHING = "everything"
"""The arm of a global holdout that is not left alone: its customers may be in other experiments as well."""

_EXPOSURES = (places.SQL / "exposures.sql").read_text()

Metric = Literal["bought_within", "net_revenue", "orders", "revenue_per_order"]
MONEY: frozenset[Metric] = frozenset({"net_revenue", "revenue_per_order"})
"""Metrics that returns change."""
LATE_DAYS = 30
"""For how long after a window a return of what was bought in it still counts."""

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
    looks: list[int] = []


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
    block_by: tuple[str, ...]
    """Columns of `audience_facts` by which the customers of a block are alike: one number, and any texts."""
    block_size: int
    primary: Primary
    secondary: tuple[Metric, ...]
    change: Decimal
    """The smallest change worth finding, in `unit`."""
    unit: Literal["points", "%"]
    enrol: Literal["once", "waves"]
    looks: tuple[int, ...]
    """Days of the window after which the primary metric is looked at before the end."""

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
            _expect_arms(stated.arms)
            _expect_blocks(stated.block_by)
            _expect_change(stated.mde, stated.primary.metric)
            _expect_distinct(stated.primary.metric, stated.secondary)
            _expect_divisible(stated.block_size, stated.arms)
            _expect_looks(stated.looks, stated.primary.days)
        except UsageError as error:
            raise UsageError(f"{called}: {error}") from None
        return cls.frozen(name, text)

    @classmethod
    def frozen(cls, name: str, text: str) -> Self:
        """The experiment of a text that was accepted at its start, whatever the rules for such texts are today."""
        stated = tomllib.loads(text)
        (treatment,) = stated["arms"].keys() - {CONTROL}
        change, _, unit = stated["mde"].partition(" ")
        return cls(
            name=name,
            text=text,
            hypothesis=stated["hypothesis"].strip(),
            owner=stated["owner"].strip(),
            audience=stated["audience"].strip(),
            treatment=treatment,
            share=Decimal(str(stated["arms"][treatment])),
            block_by=tuple(stated["block_by"]),
            block_size=stated["block_size"],
            primary=Primary.model_construct(**stated["primary"]),
            secondary=tuple(stated.get("secondary", ())),
            change=Decimal(change),
            unit=unit,
            enrol=stated.get("enrol", "once"),
            looks=tuple(stated.get("looks", ())),
        )

    @property
    def strata(self) -> tuple[str, ...]:
        """The texts of `block_by`: blocks have their values in common."""
        return tuple(name for name in self.block_by if fact_kinds()[name] == "text")

    @property
    def order(self) -> str:
        """The number of `block_by`, by which customers within these are alike."""
        return next(name for name in self.block_by if fact_kinds()[name] == "number")

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
    """Members who are not enrolled, as they are in another running experiment, whatever it asks."""


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
    """Those of them whom a destination held, through any audience, while their purchases counted and the experiment
    ran. Of the control group that is contamination."""
    reached_through: dict[str, dict[str, int]]
    """Likewise, by audience and arm."""
    excluded: int
    """Customers of any arm who have objected to marketing or are forgotten. They still count as assigned."""
    begins: date
    """From when the purchases of the first customers count."""
    due: date
    """The day after the last observed one of the last customer."""

    def due_of(self, metric: Metric, *, after: int | None = None) -> date:
        """From which day on a metric can be told of everybody, in full or after so many days of the window."""
        days = self.declaration.primary.days
        early = 0 if after is None else days - after
        return self.due + timedelta(days=LATE_DAYS * (metric in MONEY) - early)


def start(
    warehouse: Warehouse,
    declaration: Declaration,
    audience: Audience,
    *,
    counts_from: date | None = None,
    cap: Decimal | None = None,
    doubt: str | None = None,
    underpowered: str | None = None,
) -> Started:
    """Freezes the declaration and draws the arms; done again, it draws nobody twice. New members are another wave.

    Purchases count from the first moment of `counts_from`: tomorrow if None. `doubt` is why the experiment can hardly
    answer its question, `underpowered` the reason to start it all the same. Raises GuardError if there is doubt and no
    reason, the file or the audience is not as it was at the start, the experiment was stopped or can be told already,
    the members are those of another rule, or purchases of those days are known already; LgsError if an arm would be
    empty.
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
                    %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, session_user, now(), null, null
                )
                """,
                [
                    *(declaration.name, declaration.text, declaration.version, audience.name, audience.version),
                    *(declaration.primary.metric, declaration.primary.days, declaration.share),
                    *(secrets.token_hex(16), cap, reason),
                ],
            )
        wave = _enrol(cursor, declaration, begins)
        sizes = _arm_sizes(cursor, declaration.name)
        if sizes.keys() != {CONTROL, declaration.treatment}:
            raise LgsError(
                f"{declaration.name}: the audience {audience.name} has too few customers to fill both arms: "
                f"{sum(sizes.values())} could be enrolled. Nothing is started."
            )
        disown(connection, RESULTS)
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
            raise LgsError(f"No experiment {name!r} was started. {_those_started(cursor)}")
        if row[0]:
            raise LgsError(f"{name} was already stopped at {row[0]:%Y-%m-%d %H:%M} UTC.")
        cursor.execute(
            "update experiments set stopped_at = now(), stopped_because = %s where experiment = %s", [because, name]
        )
        disown(connection, RESULTS)


def is_started(warehouse: Warehouse, name: str) -> bool:
    """Whether an experiment of this name was started, whatever became of it."""
    return bool(warehouse.rows("select from experiments where experiment = :name", name=name))


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


IN_CONTROL = """
case when exists (
    select
    from lgs.assignments
    inner join lgs.experiments on experiments.experiment = assignments.experiment
    where assignments.customer_id = {customer}
        and assignments.arm = 'control'
        and experiments.stopped_at is null
) then 'control group' end
"""
"""Why a customer may not be sent as a member of any audience: a running experiment compares others with them. One
audience may hold the members of another, so leaving them out of its own alone would not leave them alone."""


def busy_elsewhere(name: str, customer: sql.Composable) -> sql.Composed:
    """A condition on a customer: another running experiment has assigned them an arm that must stay as it is."""
    return sql.SQL(
        """exists (
            select
            from assignments
            inner join experiments on experiments.experiment = assignments.experiment
            where assignments.customer_id = {customer}
                and assignments.experiment <> {name}
                and assignments.arm <> {everything}
                and experiments.stopped_at is null
        )"""
    ).format(name=sql.Literal(name), everything=sql.Literal(EVERYTHING), customer=customer)


def _reason(detail: Any) -> str:
    """One line on a key: what is expected, and what was found."""
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "missing":
        return f"{key}: expected, and not there."
    if detail["type"] == "extra_forbidden":
        keys = Primary.model_fields if key.startswith("primary.") else _File.model_fields
        return f"{key}: unknown key. The keys: {', '.join(keys)}."
    expected = detail["msg"].removeprefix("Input should be ").removeprefix("String should have ")
    return f"{key}: expected {expected}; found {detail['input']!r}."


def _expect_arms(arms: dict[str, float]) -> None:
    others = sorted(arms.keys() - {CONTROL})
    shares = {name: Decimal(str(share)) for name, share in arms.items()}
    if CONTROL not in arms or len(others) != 1:
        raise UsageError(f"arms: expected {CONTROL} and one other; found {', '.join(sorted(arms)) or 'none'}.")
    if not _NAME.fullmatch(others[0]):
        raise UsageError(
            f"arms: expected a name of up to 40 small letters, digits and underscores; found {others[0]!r}."
        )
    if not all(share.is_finite() and 0 < share < 1 for share in shares.values()) or sum(shares.values()) != 1:
        found = ", ".join(f"{name} = {share}" for name, share in shares.items())
        raise UsageError(f"arms: expected shares above 0 that add up to 1; found {found}.")


def _expect_blocks(block_by: list[str]) -> None:
    kinds = fact_kinds()
    if unknown := [name for name in block_by if name not in kinds]:
        raise UsageError(f"block_by: there is no column {unknown[0]!r}. The columns: {', '.join(kinds)}.")
    found = [kinds[name] for name in block_by]
    if found.count("number") != 1 or found.count("text") != len(found) - 1 or len(set(block_by)) != len(block_by):
        raise UsageError(
            "block_by: expected one number, such as monetary, and any texts, such as segment, each once; found "
            f"{', '.join(f'{name} ({kinds[name]})' for name in block_by) or 'none'}."
        )


def _expect_change(mde: str, metric: Metric) -> None:
    unit = "points" if metric == "bought_within" else "%"
    matched = _CHANGE.fullmatch(mde)
    if not matched or matched[2] != unit or not Decimal(matched[1]):
        raise UsageError(f'mde: expected a change such as "10 {unit}", as {metric} is measured; found {mde!r}.')
    if unit == "points" and Decimal(matched[1]) >= 100:
        raise UsageError(f"mde: expected fewer than 100 points, as a share has no more; found {mde!r}.")


def _expect_distinct(primary: Metric, secondary: list[Metric]) -> None:
    if primary in secondary or len(set(secondary)) != len(secondary):
        raise UsageError(f"secondary: expected metrics other than {primary}, each once; found {', '.join(secondary)}.")


def _expect_divisible(block_size: int, arms: dict[str, float]) -> None:
    for arm, share in arms.items():
        if Fraction(str(share)) * block_size < 1:
            raise UsageError(
                f"block_size: expected blocks in which each arm has a customer; found {block_size}, of whom "
                f"{share:.4g} are {arm}."
            )


def _expect_looks(looks: list[int], days: int) -> None:
    if looks != sorted(set(looks)) or not all(0 < look < days for look in looks):
        raise UsageError(
            f"looks: expected days of the window before its end, in order, such as [30, 60]; the window has {days}; "
            f"found {looks}."
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


def _expect_not_due(cursor: Cursor, found: State) -> None:
    due, covered = found.due_of(found.declaration.primary.metric), covered_until(cursor)
    if covered and due <= covered:
        raise GuardError(
            f"{found.declaration.name} has been due since {due}: anyone who has seen its result may not enrol more. To "
            "ask again, declare another experiment."
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
        and not {busy}
        and not exists (
            select from assignments where experiment = {experiment} and customer_id = members.customer_id
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
            busy=busy_elsewhere(declaration.name, sql.SQL("members.customer_id")),
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
    return f"Started: {', '.join(names)}." if names else "None was started yet."


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
        raise LgsError(f"No experiment {name!r} was started. {_those_started(cursor)}")
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
        from ({_EXPOSURES}) as exposures
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
    _, version, salt, cap, underpowered, started_by, started_at, stopped_at, stopped_because = row
    return State(
        declaration, version, salt, cap, underpowered, started_by, started_at, stopped_at, stopped_because,
        waves=max((arm[3] for arm in arms), default=0),
        arms=nobody | {arm[0]: arm[1] for arm in arms},
        reached=through.pop(None, nobody),
        reached_through={str(audience): by_arm for audience, by_arm in through.items()},
        excluded=sum(arm[2] for arm in arms),
        begins=min((arm[4] for arm in arms), default=started_at.date()),
        due=max((arm[5] for arm in arms), default=started_at.date()) + timedelta(days=declaration.primary.days),
    )  # fmt: skip


def covered_until(cursor: Cursor) -> date | None:
    """The first day that the data does not cover: that of the last invoice, which need not be over; None without."""
    cursor.execute("select max(last_invoice_at)::date from invoice_totals")
    ((day,),) = cursor.fetchall()
    return None if day is None else date(day.year, day.month, day.day)
