"""The audiences: what the files of the folder `audiences` state, who is in each, and who entered and left.

A file is reviewed like code: its rule says who, its fields are all that a destination may know of a member, and its
limits say how many there may be.
"""

import difflib
import json
import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from psycopg import sql
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from lgs_assets import places
from lgs_assets.action.rule_words import in_words
from lgs_assets.action.rules import FACTS, Rule, fact_kinds, judge
from lgs_assets.errors import LgsError, RuleError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.locks import lock_for_writing
from lgs_assets.warehouse.schema import Cursor, driver_cursor

if TYPE_CHECKING:  # a plan, which knows audiences, has 200 MB to be made in
    import pandas as pd

FOLDER = places.ROOT / "audiences"
FILES = tuple(sorted(FOLDER.glob("*.toml")))
FORGOTTEN = "forgotten"
OBJECTED = "objected"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")]
# What destinations call the contact themselves, and HubSpot all that it keeps of one, such as whether they opted out.
_TAKEN = re.compile(r"customer_id|operation|email|email_sha256|hs_.*", re.IGNORECASE)
# Whoever objected or is forgotten is in no audience: profiling for marketing ends, too.
_ELIGIBLE = "audience_facts.customer_id not in (select customer_id from marketing_exclusions)"

_HISTORY = """
with changes as (
    select audience, entered_at as snapshot_date, count(*) as entered, 0 as left_since
    from audience_memberships
    group by audience, entered_at
    union all
    select audience, left_at, 0, count(*)
    from audience_memberships
    where left_at is not null
    group by audience, left_at
)

select
    audience,
    snapshot_date,
    sum(entered)::bigint as entered,
    sum(left_since)::bigint as left_since,
    (sum(sum(entered) - sum(left_since)) over (partition by audience order by snapshot_date))::bigint as members
from changes
group by audience, snapshot_date
order by audience, snapshot_date
"""


class Limits(BaseModel):
    """How many members an audience may have."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    at_least: int = Field(default=0, ge=0)
    at_most: int | None = Field(default=None, ge=0)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    description: str = Field(min_length=1)
    where: str
    destinations: list[str] = []
    auto: bool = False
    fields: dict[_FieldName, str] = {}
    limits: Limits = Limits()


@dataclass(frozen=True)
class Audience:
    """An audience, as its file states it."""

    name: str
    description: str
    where: str
    fields: dict[str, str]
    """What a destination may know of a member: the name there, and the column of `audience_facts`."""
    limits: Limits
    destinations: tuple[str, ...] = ()
    """Where a plan is made for every night."""
    is_automatic: bool = False
    """Whether such a plan is applied at once, if it is within its guard."""

    @classmethod
    def read(cls, file: Path) -> Self:
        """The audience of a file. Raises RuleError, which names the file and the key, for one that states none."""
        if not _NAME.fullmatch(file.stem):
            raise RuleError(f"{file.name}: expected a name of up to 40 lowercase letters, digits and underscores.")
        try:
            stated = _File.model_validate(tomllib.loads(file.read_text()))
        except ValidationError as error:
            wrong = [f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in error.errors()]
            raise RuleError(f"{file.name}: {'; '.join(wrong)}.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RuleError(f"{file.name}: {error}.") from None
        if unknown := sorted(set(stated.fields.values()) - fact_kinds().keys()):
            raise RuleError(
                f"{file.name}: fields: there is no column {unknown[0]!r}. The columns: {', '.join(fact_kinds())}."
            )
        if taken := [name for name in stated.fields if _TAKEN.fullmatch(name)]:
            raise RuleError(
                f"{file.name}: fields: {taken[0]} is a name of the destinations' own: choose another, such as "
                f"lgs_{taken[0].lower()}."
            )
        if stated.auto and not stated.destinations:
            raise RuleError(f"{file.name}: auto: expected destinations, to which plans are applied.")
        audience = cls(
            file.stem, stated.description, stated.where, stated.fields, stated.limits, tuple(stated.destinations),
            stated.auto,
        )  # fmt: skip
        try:
            audience.rule  # noqa: B018 (it is judged here, where the file is known)
        except RuleError as error:
            raise RuleError(f"{file.name}: where: {error}") from None
        return audience

    @cached_property
    def rule(self) -> Rule:
        """The rule, judged."""
        return judge(self.where)

    @property
    def version(self) -> str:
        """What tells the rule and the fields from any others."""
        return self.rule.version(self.fields)


def read_audiences() -> list[Audience]:
    """Every audience, by name. Raises RuleError for a file that states none."""
    return [Audience.read(file) for file in FILES]


def audience_named(name: str) -> Audience:
    """The audience of a name. Raises LgsError if there is none."""
    for file in FILES:
        if file.stem == name:
            return Audience.read(file)
    raise LgsError(f"There is no audience {name!r}. The audiences: {', '.join(file.stem for file in FILES)}.")


def removed_audiences(warehouse: Warehouse) -> list[tuple[str, str, int]]:
    """The audiences whose file is gone and that destinations hold all the same: the name, where, and how many.

    Nobody is a member any more: a plan takes all of them off the list.
    """
    query = """
        select audience, destination, count(*) as customers
        from destination_members
        where audience <> all (:declared)
        group by audience, destination
        order by audience, destination
    """
    rows = warehouse.rows(query, declared=[file.stem for file in FILES])
    return [(row.audience, row.destination, row.customers) for row in rows]


def without_file(name: str) -> Audience:
    """An audience whose file is gone: it has no member."""
    return Audience(name, "Its file is gone.", "false", {}, Limits())


def planned_audience(warehouse: Warehouse, name: str) -> Audience:
    """The audience of a name, also one whose file is gone while a destination holds it, or a plan of it waits.

    Raises LgsError for others, and for a file that is there and wrong.
    """
    query = """
        select from destination_members where audience = :name
        union all
        select from activation_plans where audience = :name and audience <> '' and ended_at is null
    """  # '' has the plans of deletions
    is_gone = name not in {file.stem for file in FILES} and warehouse.rows(query, name=name)
    return without_file(name) if is_gone else audience_named(name)


def version_now(name: str) -> str:
    """The version of an audience that was planned: as its file states it, or that of nobody if its file is gone."""
    is_there = name in {file.stem for file in FILES}
    return (audience_named(name) if is_there else without_file(name)).version


def stated(warehouse: Warehouse, audiences: list[Audience]) -> "pd.DataFrame":
    """The rows of the table `audiences`: one an audience."""
    from lgs_assets.warehouse.frames import frame_of_rows

    rows = [
        {
            "audience": audience.name,
            "description": audience.description,
            "rule": audience.where,
            "words": in_words(audience.where),
            "condition": audience.rule.sql,
            "fields": json.dumps(audience.fields, sort_keys=True),
            "version": audience.version,
            "at_least": audience.limits.at_least,
            "at_most": audience.limits.at_most,
            "unmatched": "; ".join(unmatched(warehouse, audience.rule)) or None,
        }
        for audience in audiences
    ]
    return frame_of_rows("audiences", rows)


def unmatched(warehouse: Warehouse, rule: Rule) -> list[str]:
    """The texts in a rule that no customer has, each with what comes near it. The playbook's segments count as had."""
    found = []
    for column, text in rule.comparisons:
        query = f"select distinct {column} as value from audience_facts where {column} is not null"
        if column == "segment":
            query += " union select segment from segment_playbook"
        values = [row.value for row in warehouse.rows(query)]
        if text not in values:
            near = difflib.get_close_matches(text, values, n=1, cutoff=0.5)
            found.append(f"no customer has {column} {text!r}" + (f"; there is {near[0]}" if near else ""))
    return found


def members(warehouse: Warehouse, audiences: list[Audience]) -> "pd.DataFrame":
    """The rows of the table `audience_members`: one an audience and customer."""
    import pandas as pd

    from lgs_assets.contracts.declaration import columns  # here: see `fact_kinds`

    rows: list[tuple[Any, ...]] = []
    types = {column.name: column.type for column in columns(FACTS)}
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        for audience in audiences:
            pairs = [
                sql.SQL("{}, {}{}").format(
                    sql.Literal(name),
                    sql.Identifier("audience_facts", column),
                    sql.SQL(
                        "::text" if types[column] == "numeric" else ""
                    ),  # a number of JSON is a float to its readers
                )
                for name, column in sorted(audience.fields.items())
            ]
            query = sql.SQL(
                "select {name}, customer_id, {version}, jsonb_build_object({pairs})::text from audience_facts "
                "where {rule} and {eligible} order by customer_id"
            ).format(
                name=sql.Literal(audience.name),
                version=sql.Literal(audience.version),
                pairs=sql.SQL(", ").join(pairs),
                rule=condition(audience.rule),
                eligible=sql.SQL(_ELIGIBLE),
            )
            rows += cursor.execute(query).fetchall()
    return pd.DataFrame(rows, columns=["audience", "customer_id", "version", "fields"]).astype({"customer_id": "int64"})


def record_members(warehouse: Warehouse, *, publication: str) -> "pd.DataFrame":
    """Closes the stays of those who left and opens those of who entered. Returns the rows of `audience_history`.

    `publication` is the version of `audience_members`. Done again with the same members it changes nothing; nor does
    it where there is no customer at all, of whom nobody can have left.
    """
    import pandas as pd

    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        lock_for_writing(cursor, "audience_memberships")
        cursor.execute("select max(snapshot_date) from audience_facts")
        ((snapshot,),) = cursor.fetchall()
        # Who was excluded while the members were found is one of them still.
        cursor.execute(
            "delete from audience_members where customer_id in (select customer_id from marketing_exclusions)"
        )
        if snapshot is not None:
            _end_stays(cursor, snapshot, publication)
            cursor.execute(
                """
                insert into audience_memberships
                    (audience, customer_id, entered_at, entered_version, entered_by, entry_recorded_at)
                select audience, customer_id, %s, version, %s, now()
                from audience_members
                order by audience, customer_id
                on conflict (audience, customer_id) where left_at is null do nothing
                """,
                [snapshot, publication],
            )
        cursor.execute(_HISTORY)
        rows = cursor.fetchall()
    frame = pd.DataFrame(rows, columns=["audience", "snapshot_date", "entered", "left_since", "members"])
    counts = dict.fromkeys(["entered", "left_since", "members"], "int64")
    return frame.astype(counts | {"snapshot_date": "datetime64[us]"})


def exclude(cursor: Cursor, customers: Collection[int], reason: str) -> None:
    """Takes customers out of every audience, at once and for good. Being forgotten outranks an objection."""
    cursor.execute(
        """
        insert into marketing_exclusions
        select distinct customer_id, %s, now() from unnest(%s::integer[]) as excluded (customer_id)
        on conflict (customer_id) do update set reason = excluded.reason where excluded.reason = 'forgotten'
        """,
        [reason, list(customers)],
    )
    cursor.execute("select to_regclass('audience_members'), to_regclass('audience_history')")
    if None in cursor.fetchall()[0]:
        return  # nothing is built yet
    cursor.execute("delete from audience_members where customer_id = any (%s)", [list(customers)])
    cursor.execute("select max(snapshot_date) from audience_facts")
    ((snapshot,),) = cursor.fetchall()
    _end_stays(cursor, snapshot, reason)
    cursor.execute("delete from audience_history")
    cursor.execute(f"insert into audience_history {_HISTORY}".encode())


def _end_stays(cursor: Cursor, snapshot: Any, by: str) -> None:
    cursor.execute(
        """
        update audience_memberships
        set left_at = greatest(entered_at, %s), left_by = %s, exit_recorded_at = now()
        where left_at is null and not exists (
            select from audience_members as member
            where member.audience = audience_memberships.audience
                and member.customer_id = audience_memberships.customer_id
        )
        """,
        [snapshot, by],
    )


@dataclass(frozen=True)
class Size:
    """How large a group of customers is, and what they are worth."""

    customers: int
    of: int
    """All customers with facts."""
    monetary: Decimal
    """Their sales before returns, in pounds."""
    net_revenue: Decimal
    """Their sales after returns, in pounds."""


def size(warehouse: Warehouse, rule: Rule, *, among: sql.Composable | None = None) -> Size:
    """How many customers a rule finds now, and their worth; `among` is a further condition on `audience_facts`."""
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        cursor.execute(
            sql.SQL(
                """
                select
                    count(*) filter (where is_member),
                    count(*),
                    coalesce(sum(monetary) filter (where is_member), 0),
                    coalesce(sum(net_revenue) filter (where is_member), 0)
                from audience_facts
                cross join lateral (select {rule} and {eligible} and {among} as is_member) as judged
                """
            ).format(rule=condition(rule), eligible=sql.SQL(_ELIGIBLE), among=among or sql.SQL("true"))
        )
        return Size(*cursor.fetchall()[0])


def condition(rule: Rule) -> sql.SQL:
    """The condition of a rule, which consists of what `judge` wrote."""
    return sql.SQL(rule.sql)
