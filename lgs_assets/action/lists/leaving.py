"""Leaving: the plans by which customers leave the lists that may not hold them, or a tool altogether.

No guard stops them, and they wait for no others.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from psycopg.types.json import Jsonb

from lgs_assets.action.audiences import FORGOTTEN
from lgs_assets.action.lists.plans import EVERY_LIST, LEAVING, Planned, insert_plan
from lgs_assets.action.private import as_activator, prepare_private
from lgs_assets.action.recipients import URGENT, WHY_NEVER, WHY_NOT_MATCHED, people
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.locks import lock_for_writing
from lgs_assets.warehouse.schema import Cursor, driver_cursor

_LOCK = "plans of those who leave"
# Who is on a list, or may be by a request that is under way, and must not be. Each with the plan that removes them, if
# one waits. Whom the destination is to delete leaves every list of it by that.
_MUST_LEAVE = f"""
with told as (
    select members.destination, members.audience, members.customer_id, payload, hashes_emails
    from lgs.destination_members as members
    left join lgs.activation_plans as plans on plans.plan = members.plan
    union all
    select destination, audience, customer_id, '', hashes_emails
    from lgs.activation_changes as changes
    inner join lgs.activation_plans as plans using (plan)
    where operation in ('add', 'update') and changes.state = 'sending' and plans.state = 'applying'
        and not exists (
            select
            from lgs.activation_changes as removals
            inner join lgs.activation_plans as later using (plan)
            where removals.plan > changes.plan and removals.customer_id = changes.customer_id
                and (later.destination, later.audience) = (plans.destination, plans.audience)
                and removals.operation = 'remove' and removals.state = 'accepted'
        )
),
listed as (
    select destination, audience, customer_id, max(payload) as payload, bool_or(hashes_emails) as is_hashed
    from told
    group by destination, audience, customer_id
)
select listed.destination, listed.audience, listed.customer_id, payload, judged.why_not, (
        select max(plan)
        from lgs.activation_changes as changes
        inner join lgs.activation_plans as plans using (plan)
        where changes.customer_id = listed.customer_id and operation = 'remove'
            and changes.state in ('planned', 'sending')
            and plans.state in ('planned', 'applying') and plans.audience_version = '{LEAVING}'
            and (plans.destination, plans.audience) = (listed.destination, listed.audience)
    ) as waiting
from listed
{people("listed.customer_id")}
cross join lateral (
    select coalesce({WHY_NEVER}, case when listed.is_hashed then {WHY_NOT_MATCHED} end) as why_not
) as judged
where judged.why_not = any (%(urgent)s)
    and (%(customers)s::integer[] is null or listed.customer_id = any (%(customers)s))
    and not exists (
        select
        from lgs.activation_changes as changes
        inner join lgs.activation_plans as plans using (plan)
        where changes.customer_id = listed.customer_id and operation = 'erase'
            and changes.state in ('planned', 'sending') and plans.destination = listed.destination
    )
order by listed.destination, listed.audience, listed.customer_id
"""

# Whatever destinations called customers, and at which place, each with the plan of its deletion there, if one waits or
# was settled since. The name is NULL where they have not said: a request without an answer may have reached another
# contact than a later one. At another place than the present one the same name may be somebody else's; one that was not
# recorded counts as the present one.
_NAMES = """
with told as (
    select customer_id, destination, remote_id, place, plan, confirmed_at as told_at
    from destination_members
    where customer_id = any (%(customers)s)
    union all
    select customer_id, destination, remote_id, place, plan, answered_at
    from activation_changes
    inner join activation_plans using (plan)
    where customer_id = any (%(customers)s) and operation in ('add', 'update')
        and (activation_changes.state in ('sending', 'accepted') or may_have_arrived)
),
names as (
    select customer_id, destination, remote_id, at.place, max(plan) as plan, max(told_at) as told_at
    from told
    cross join lateral (select coalesce(told.place, %(present)s::jsonb ->> destination) as place) as at
    group by customer_id, destination, remote_id, at.place
)
select names.customer_id, names.destination, names.remote_id, names.place, deletion.plan, deletion.state
from names
left join lateral (
    select plan, activation_changes.state
    from activation_changes
    inner join activation_plans using (plan)
    where customer_id = names.customer_id and destination = names.destination and operation = 'erase'
        and activation_changes.remote_id is not distinct from names.remote_id
        and (activation_plans.place is null or names.place is null or activation_plans.place = names.place)
        and (
            activation_changes.state in ('planned', 'sending')
            or activation_changes.state = any (%(settled)s) and answered_at > coalesce(told_at, '-infinity')
        )
    order by plan desc
    limit 1
) as deletion on true
order by names.customer_id, names.destination, names.plan
"""


def plan_removals(warehouse: Warehouse) -> list[int]:
    """Plans to remove everybody who may not be on a list from every list that holds them.

    It does not matter whether there still is such an audience. Returns the numbers of the plans: one a list, and also
    those that wait already.
    """
    prepare_private(warehouse)
    with warehouse.transaction() as connection:
        return insert_removals(driver_cursor(connection))


def insert_removals(cursor: Cursor, customers: Collection[int] | None = None) -> list[int]:
    """What `plan_removals` does, for all or for these customers, in the transaction of what makes it necessary.

    So nothing can come between.
    """
    lock_for_writing(cursor, _LOCK)
    with as_activator(cursor):
        cursor.execute(
            _MUST_LEAVE.encode(), {"urgent": list(URGENT), "customers": None if customers is None else list(customers)}
        )
        rows = cursor.fetchall()
    plans = []
    for (destination, audience), listed in groupby(rows, key=itemgetter(0, 1)):
        removes = []
        for *_, customer, payload, reason, waiting in listed:
            if waiting:
                plans.append(waiting)
            else:
                removes.append(Planned("remove", customer, reason, "{}", payload))
        if removes:
            cursor.execute(
                "select count(*) from destination_members where destination = %s and audience = %s and payload <> ''",
                [destination, audience],
            )
            ((held,),) = cursor.fetchall()
            plans.append(insert_plan(cursor, destination, audience, removes, held=held))
    return sorted(set(plans))


def plan_erasures(warehouse: Warehouse, present: Mapping[str, str]) -> list[int]:
    """Plans that destinations delete every customer who asked to be forgotten, as far as they have not been asked.

    Each at the place that is given as its present one. One that has answered, be it that it will not, is not asked
    again until it may have had the customer since. Returns the numbers of the plans.
    """
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        cursor.execute("select customer_id from marketing_exclusions where reason = %s", [FORGOTTEN])
        forgotten = [customer for (customer,) in cursor]
        planned = insert_erasures(cursor, forgotten, present, settled=("accepted", "rejected"))
    return [number for numbers in planned.values() for number in numbers]


def insert_erasures(
    cursor: Cursor, customers: Sequence[int], present: Mapping[str, str], *, settled: Sequence[str] = ("accepted",)
) -> dict[str, list[int]]:
    """Plans that destinations delete customers: a plan for each contact that their present places had from us.

    Returns the numbers.

    An earlier plan counts instead if it waits, or its answer is one of the `settled`, unless the destination may have
    had the customer since.
    """
    lock_for_writing(cursor, _LOCK)
    cursor.execute(_NAMES, {"customers": list(customers), "settled": list(settled), "present": Jsonb(dict(present))})
    plans: dict[str, list[int]] = {name: [] for name in present}
    for customer, name, remote_id, place, plan, _ in cursor.fetchall():
        if name in present and place == present[name]:
            change = Planned("erase", customer, FORGOTTEN, "{}", "", remote_id)
            plans[name].append(plan or insert_plan(cursor, name, EVERY_LIST, [change], held=1, place=place))
    return plans


def having(
    warehouse: Warehouse, customer_id: int, *, deleting: Collection[str], present: Mapping[str, str]
) -> set[str]:
    """The destinations that have a customer, as far as is known, at the place that they are or a former one.

    Those of the `deleting` until they have deleted all that they were told; others while a list holds the customer.
    """
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        cursor.execute(_NAMES, {"customers": [customer_id], "settled": ["accepted"], "present": Jsonb(dict(present))})
        told = {name for _, name, *_, state in cursor.fetchall() if name in deleting and state != "accepted"}
        cursor.execute("select distinct destination from destination_members where customer_id = %s", [customer_id])
        return told | {name for (name,) in cursor if name not in deleting}
