"""Leaving: the plans of one customer who is to leave the lists that hold them, or a tool altogether.

No guard stops them, and they wait for no others.
"""

from collections.abc import Collection

from lgs_assets.action.audiences import FORGOTTEN
from lgs_assets.action.plans import EVERY_LIST, Planned, insert_plan
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.locks import lock_for_writing
from lgs_assets.warehouse.schema import driver_cursor

# Whatever destinations called a customer, each with the plan of its deletion, if one waits or was accepted since. The
# name is NULL where they have not said: a request without an answer may have reached another contact than a later one.
_NAMES = """
with told as (
    select destination, remote_id, plan, confirmed_at as told_at
    from destination_members
    where customer_id = %(customer)s
    union all
    select destination, remote_id, plan, answered_at
    from activation_changes
    inner join activation_plans using (plan)
    where customer_id = %(customer)s and operation in ('add', 'update')
        and (activation_changes.state in ('sending', 'accepted') or may_have_arrived)
),
names as (
    select destination, remote_id, max(plan) as plan, max(told_at) as told_at from told group by destination, remote_id
)
select names.destination, names.remote_id, deletion.plan, deletion.state
from names
left join lateral (
    select plan, activation_changes.state
    from activation_changes
    inner join activation_plans using (plan)
    where customer_id = %(customer)s and destination = names.destination and operation = 'erase'
        and activation_changes.remote_id is not distinct from names.remote_id
        and (
            activation_changes.state in ('planned', 'sending')
            or activation_changes.state = 'accepted' and answered_at > coalesce(told_at, '-infinity')
        )
    order by plan desc
    limit 1
) as deletion on true
order by names.destination, names.plan
"""


def plan_removals(warehouse: Warehouse, customer_id: int, *, but: Collection[str] = ()) -> list[int]:
    """Plans to remove a customer from every list that holds them, `but` at these destinations.

    Returns the numbers of the plans: also of those that wait already.
    """
    plans = []
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        lock_for_writing(cursor, f"removals of customer {customer_id}")
        cursor.execute(
            """
            select held.destination, held.audience, held.payload, coalesce(reason, 'suppressed'), (
                    select max(plan)
                    from activation_changes
                    inner join activation_plans as plans using (plan)
                    where customer_id = held.customer_id and operation = 'remove'
                        and activation_changes.state in ('planned', 'sending')
                        and plans.state in ('planned', 'applying') and plans.audience_version = ''
                        and (plans.destination, plans.audience) = (held.destination, held.audience)
                ) as waiting
            from destination_members as held
            left join marketing_exclusions using (customer_id)
            where customer_id = %s and destination <> all (%s)
            order by held.destination, held.audience
            """,
            [customer_id, list(but)],
        )
        for destination, audience, payload, reason, waiting in cursor.fetchall():
            change = Planned("remove", customer_id, reason, "{}", payload)
            plans.append(
                waiting or insert_plan(cursor, destination, audience, "", "", [change], {}, 1, None, batch_rows=None)
            )
    return plans


def plan_erasures(warehouse: Warehouse, customer_id: int, destination: str) -> list[int]:
    """Plans that a destination deletes a customer: a plan for each contact it had from us. Returns their numbers.

    Returns an earlier plan instead, unless the destination rejected it, or may have had the customer since.
    """
    plans = []
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        lock_for_writing(cursor, f"activation of {destination}")
        cursor.execute(_NAMES, {"customer": customer_id})
        for name, remote_id, plan, _ in cursor.fetchall():
            if name == destination:
                change = Planned("erase", customer_id, FORGOTTEN, "{}", "", remote_id)
                plans.append(
                    plan or insert_plan(cursor, name, EVERY_LIST, "", "", [change], {}, 1, None, batch_rows=None)
                )
    return plans


def having(warehouse: Warehouse, customer_id: int, *, deleting: Collection[str]) -> set[str]:
    """The destinations that have a customer, as far as is known.

    Those of the `deleting` until they have deleted all that they were told; others while a list holds the customer.
    """
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        cursor.execute(_NAMES, {"customer": customer_id})
        told = {name for name, _, _, state in cursor.fetchall() if name in deleting and state != "accepted"}
        cursor.execute("select distinct destination from destination_members where customer_id = %s", [customer_id])
        return told | {name for (name,) in cursor if name not in deleting}
