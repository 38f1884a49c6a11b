"""The ledger of plans: what was planned for a destination, the changes of each plan, and what became of them."""

import hmac
import json
import os
import pwd
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import groupby
from types import MappingProxyType
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from lgs_assets.errors import LgsError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.locks import lock_for_writing, try_lock
from lgs_assets.warehouse.schema import Cursor, driver_cursor
from lgs_assets.wording import counted

EVERY_LIST = ""
"""In place of an audience: that of a deletion."""
LEAVING = ""
"""In place of a version of the audience: that of a plan by which customers leave, which no rule asks for."""
WAITING = ("planned", "applying")
"""The states of a plan that is not done with."""
EXPIRES_HOURS = 24
RESUMES_HOURS = 48
"""How old a plan applied in part may be and still be finished: a night that was cut short is, by the next."""

MAY_HAVE_CHANGED = """
on conflict (destination, audience, customer_id) do update
set payload = 'unknown' where destination_members.payload <> ''
"""
"""Whoever is held stays so, but what the destination was told of them last is not known: they are updated again."""
LEAVE_BEHIND = """
insert into left_behind
select destination, audience, customer_id, coalesce(place, ''), now(), plan, confirmed_at, remote_id
from gone
on conflict (destination, audience, customer_id, place) do update
set (left_at, plan, confirmed_at, remote_id, emptied_at, emptied_by)
    = (excluded.left_at, excluded.plan, excluded.confirmed_at, excluded.remote_id, null, null)
"""
"""Whom a list holds at a place that is not the present one: rows of `destination_members`, as `gone`."""
_CANONICAL = json.JSONEncoder(sort_keys=True)  # made once: json.dumps would make one a customer
_PLANS = """
select plan, destination, audience, audience_version, adds, updates, removes, left_out, held_before, digest, state,
    refusal, made_by, made_at, ended_at, place, hashes_emails, allowed, applied_by, applied_at
from activation_plans
"""


class Planned(NamedTuple):
    """One change of a plan."""

    operation: str
    customer_id: int
    cause: str
    fields: str
    """What the destination is told of the customer, as JSON."""
    payload: str
    remote_id: str | None = None
    """What the destination calls the customer, if that is known and no longer in the list."""


@dataclass(frozen=True)
class Plan:
    """A plan, as the ledger has it."""

    plan: int
    destination: str
    audience: str
    audience_version: str
    adds: int
    updates: int
    removes: int
    left_out: dict[str, int]
    held_before: int
    digest: str
    state: str
    refusal: str | None
    made_by: str
    made_at: datetime
    ended_at: datetime | None
    place: str | None
    hashes_emails: bool
    allowed: dict[str, Any]
    applied_by: str | None
    applied_at: datetime | None

    @property
    def is_leaving(self) -> bool:
        """Whether customers leave by it, which no rule asks for."""
        return self.audience_version == LEAVING


def plan_numbered(warehouse: Warehouse, number: int) -> Plan:
    """A plan by its number. Raises LgsError if there is none."""
    with warehouse.transaction() as connection:
        return read_plan(driver_cursor(connection), number)


def changes_of(warehouse: Warehouse, number: int) -> list[dict[str, Any]]:
    """The changes of a plan, removals first: customer, operation, cause, fields, state, answer."""
    query = """
        select customer_id, operation, cause, fields, state, answer
        from activation_changes
        where plan = :plan
        order by batch, customer_id
    """
    return [dict(row) for row in warehouse.rows(query, plan=number)]


def plans(warehouse: Warehouse, *, last: int = 20) -> list[Plan]:
    """The last plans, newest first."""
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        cursor.execute(f"{_PLANS} order by plan desc limit %s".encode(), [last])
        return [Plan(*row) for row in cursor]


def leaving_plans(warehouse: Warehouse) -> list[Plan]:
    """The plans by which customers are to leave lists or tools, and have not yet. No guard and no age stops them."""
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        cursor.execute(
            f"{_PLANS} where audience_version = '{LEAVING}' and state = any (%s) order by plan".encode(),
            [list(WAITING)],
        )
        return [Plan(*row) for row in cursor]


def unfinished_plan(warehouse: Warehouse, destination: str, audience: str, version: str, place: str) -> int | None:
    """The number of the plan of a list that is applied in part, and may be finished; None if there is none.

    Not one of another version of the audience, nor one for another place, nor one that is too old; nor a first list,
    which somebody may have broken off because it was the wrong one.
    """
    query = """
        select plan from activation_plans
        where destination = :destination and audience = :audience and audience_version = :version
            and state = 'applying' and held_before > 0 and (place is null or place = :place)
            and made_at > now() - make_interval(hours => :hours)
    """
    of_list = {"destination": destination, "audience": audience, "version": version, "place": place}
    rows = warehouse.rows(query, **of_list, hours=RESUMES_HOURS)
    return next((row.plan for row in rows), None)


def is_established(warehouse: Warehouse, destination: str, audience: str, place: str) -> bool:
    """Whether a plan of this list was applied to its end at this place, and no first list was only begun since."""
    query = f"""
        select state in ('applied', 'partial') as is_whole
        from activation_plans
        where destination = :destination and audience = :audience and (place is null or place = :place)
            and audience_version <> '{LEAVING}'
            and (state in ('applied', 'partial') or held_before = 0 and applied_at is not null)
        order by plan desc
        limit 1
    """
    rows = warehouse.rows(query, destination=destination, audience=audience, place=place)
    return any(row.is_whole for row in rows)


def summary(plan: Plan) -> str:
    """A plan in a sentence."""
    if plan.audience == EVERY_LIST:
        return f"Plan {plan.plan}: {plan.destination} is asked to delete a customer."
    parts = [f"+ {plan.adds:,}", f"~ {plan.updates:,}", f"- {plan.removes:,}"]
    out = reasons(plan.left_out)
    held = f"the destination had confirmed {counted(plan.held_before, 'customer')}"
    hashed = " Addresses leave hashed." if plan.hashes_emails else ""
    return f"Plan {plan.plan}: {', '.join(parts)}; {held}.{hashed}" + (f" Left out: {out}." if out else "")


def reasons(left_out: Mapping[str, int]) -> str:
    """How many are left out, by reason, in words."""
    return "; ".join(f"{reason} {number:,}" for reason, number in sorted(left_out.items()))


def decisions(plan: Plan) -> str:
    """Who made a plan, what it was allowed beyond its guards, and who applied it."""
    allowed = "".join(f" Allowed: {what} {value}." for what, value in sorted(plan.allowed.items()))
    applied = f" Applied by {plan.applied_by}, {plan.applied_at:%Y-%m-%d %H:%M} UTC." if plan.applied_by else ""
    return f"Made by {plan.made_by}, {plan.made_at:%Y-%m-%d %H:%M} UTC.{allowed}{applied}"


def account() -> str:
    """Whose process this is: a login of the database is often shared."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # as in a container, whose accounts have numbers alone
        return str(os.getuid())


def read_plan(cursor: Cursor, number: int) -> Plan:
    """A plan by its number. Raises LgsError if there is none."""
    cursor.execute(f"{_PLANS} where plan = %s".encode(), [number])
    if not (row := cursor.fetchone()):
        raise LgsError(f"There is no plan {number}: lgs activate list shows those that there are.")
    return Plan(*row)


def insert_plan(
    cursor: Cursor,
    destination: str,
    audience: str,
    changes: Sequence[Planned],
    *,
    held: int,
    version: str = LEAVING,
    publication: str = "",
    left_out: dict[str, int] | None = None,
    refusal: str | None = None,
    batch_rows: int | None = None,
    place: str | None = None,
    hashes_emails: bool = False,
    allowed: Mapping[str, Any] = MappingProxyType({}),
) -> int:
    """Writes a plan down, with its changes in batches of so many rows. Returns its number.

    `place` is the pseudonym of where it may go; none for a plan by which customers leave, which may go to any.
    """
    operations = Counter(change.operation for change in changes)
    digest = _digest(destination, audience, ((each.operation, each.customer_id, each.payload) for each in changes))
    cursor.execute(
        """
        insert into activation_plans (
            destination, audience, audience_version, publication, adds, updates, removes, left_out, held_before, digest,
            state, refusal, made_by, made_at, ended_at, place, hashes_emails, allowed
        )
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, concat(%s::text, ' as ', session_user), now(),
            case when %s then now() end, %s, %s, %s)
        returning plan
        """,
        [
            *(destination, audience, version, publication),
            *(operations["add"], operations["update"], operations["remove"] + operations["erase"]),
            *(
                Jsonb(left_out or {}),
                held,
                digest,
                "planned" if changes else "refused",
                refusal,
                account(),
                not changes,
            ),
            *(place, hashes_emails, Jsonb(dict(allowed))),
        ],
    )
    ((number,),) = cursor.fetchall()
    with cursor.copy(
        "copy activation_changes (plan, customer_id, operation, cause, fields, payload, remote_id, batch, state) "
        "from stdin"
    ) as copy:
        for batch, change in _batched(changes, batch_rows):
            told = (change.operation, change.cause, change.fields, change.payload, change.remote_id)
            copy.write_row((number, change.customer_id, *told, batch, "planned"))
    return int(number)


def _digest(destination: str, audience: str, changes: Iterable[Sequence[Any]]) -> str:
    """That of the changes of a plan: operation, customer and payload of each, in the order of the plan."""
    digest = sha256(f"{destination}/{audience}".encode())
    for change in changes:
        digest.update(json.dumps([*change]).encode())
    return digest.hexdigest()


def is_as_planned(cursor: Cursor, plan: Plan) -> bool:
    """Whether the changes of a plan are still those that were reviewed."""
    cursor.execute(
        "select operation, customer_id, payload from activation_changes where plan = %s "
        "order by array_position(array['remove', 'add', 'update'], operation), customer_id",
        [plan.plan],
    )
    return _digest(plan.destination, plan.audience, cursor) == plan.digest


def lock_planning(cursor: Cursor, destination: str) -> None:
    """Waits until nobody plans, begins or cancels anything of a destination; until the transaction ends."""
    lock_for_writing(cursor, f"activation of {destination}")


def lock_name(destination: str) -> str:
    """The name of the advisory lock held while something is done at a destination."""
    return f"lgs.applying to {destination}"


def expire_waiting(cursor: Cursor, destination: str, audience: str, version: str, place: str) -> None:
    """Ends a plan of the same list that waits, or was given up. Raises LgsError for one that is applied in part.

    One by which customers leave goes on waiting while one of them is held, or until all of it is applied once it has
    begun: nothing may come between.
    Given up is one that is old, for another place than `place`, or of another version of the audience than `version`:
    nobody would have it finished. What may have arrived by it counts as held, so that it is removed where it
    should not be; its payload is not known, so that it is sent again where it should.
    """
    cursor.execute(
        f"""
        select plan,
            made_at < now() - make_interval(hours => %s) or audience_version <> %s or place <> %s
        from activation_plans
        where destination = %s and audience = %s and state = 'applying' and audience_version <> '{LEAVING}'
        """.encode(),
        [EXPIRES_HOURS, version, place, destination, audience],
    )
    for plan, is_given_up in cursor.fetchall():
        if not is_given_up:
            raise LgsError(
                f"Plan {plan} of this list is applied in part. Finish it first: lgs activate apply {plan}; or end it "
                f"there: lgs activate cancel {plan}"
            )
        give_up(cursor, plan, destination)
    cursor.execute(
        f"""
        update activation_plans as plans
        set state = 'expired', ended_at = now()
        where destination = %s and audience = %s and state = 'planned'
            and (
                audience_version <> '{LEAVING}'
                or not exists (
                    select
                    from activation_changes as changes
                    inner join destination_members as held using (customer_id)
                    where changes.plan = plans.plan
                        and (held.destination, held.audience) = (plans.destination, plans.audience)
                )
            )
        """.encode(),
        [destination, audience],
    )


def give_up(cursor: Cursor, plan: int, destination: str) -> None:
    """Ends a plan that was applied in part. Raises LgsError if it is being applied at this moment."""
    if not try_lock(cursor, lock_name(destination)):
        raise LgsError(f"Another plan is being applied to {destination}. Wait until it is done.")
    cursor.execute(
        """
        insert into destination_members
        select destination, audience, customer_id, '', plan, now(), null, place
        from activation_changes
        inner join activation_plans using (plan)
        where plan = %s and operation in ('add', 'update') and activation_changes.state = 'sending'
        """
        + MAY_HAVE_CHANGED,
        [plan],
    )
    cursor.execute("update activation_plans set state = 'expired', ended_at = now() where plan = %s", [plan])


def _batched(changes: Sequence[Planned], rows: int | None) -> Iterator[tuple[int, Planned]]:
    """Each change with the number of its batch. Removals, which come first, do not share one with others."""
    if rows is None:
        yield from ((1, change) for change in changes)
        return
    number = 0
    for _, group in groupby(changes, key=lambda change: change.operation == "remove"):
        for place, change in enumerate(group):
            number += place % rows == 0
            yield number, change


def pseudonym_of(key: str, place: str) -> str:
    """What a place goes by: a plan is for this one alone, and the place may be a secret."""
    return hmac.digest(key.encode(), place.encode(), "sha256").hex()


def fingerprint(key: str, customer_id: int, email: str | None, fields: dict[str, Any]) -> str:
    """What tells all that a destination is told of a customer from anything else, and gives nothing of it away."""
    content = _CANONICAL.encode([customer_id, email, fields])
    return hmac.digest(key.encode(), content.encode(), "sha256").hex()


def is_another(key: str, customer_id: int, email: str | None, *, held: str | None, told: dict[str, Any] | None) -> bool:
    """Whether an address is another than was sent with the fields `told`, of which `held` is the payload, if known."""
    is_known = held not in (None, "", "unknown") and told is not None
    return is_known and fingerprint(key, customer_id, email, told or {}) != held
