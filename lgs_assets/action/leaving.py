"""Leaving: the plans of one customer who is to leave the lists that hold them, or a tool altogether.

No guard stops them, and they wait for no others.
"""

from collections.abc import Collection

from lgs_assets.action.audiences import FORGOTTEN
from lgs_assets.action.plans import EVERY_LIST, Planned, insert_plan
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.locks import lock_for_writing
from lgs_assets.warehouse.schema import Cursor, driver_cursor


def plan_removals(warehouse: Warehouse, customer_id: int, *, but: Collection[str] = ()) -> list[int]:
    """Plans to remove a customer from every list that holds them, `but` at these destinations.

    Returns the numbers of the plans: also of those that wait already.
    """
    plans = []
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
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


def plan_erasure(warehouse: Warehouse, customer_id: int, destination: str) -> int | None:
    """Plans that a destination deletes a customer. Returns the number of the plan; None if it never had them from us.

    One that was made before is the plan still, unless the destination rejected it, or may have had them since.
    """
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        lock_for_writing(cursor, f"activation of {destination}")
        cursor.execute(
            """
            select plan
            from activation_changes
            inner join activation_plans using (plan)
            where customer_id = %s and destination = %s and operation = 'erase' and (
                    activation_changes.state in ('planned', 'sending')
                    or activation_changes.state = 'accepted' and not exists (
                        select from destination_members as held
                        where held.customer_id = activation_changes.customer_id
                            and held.destination = activation_plans.destination
                    )
                )
            order by plan desc
            limit 1
            """,
            [customer_id, destination],
        )
        if row := cursor.fetchone():
            return int(row[0])
        if not (known := _known_as(cursor, customer_id, destination)):
            return None
        change = Planned("erase", customer_id, FORGOTTEN, "{}", "", known[0])
        return insert_plan(cursor, destination, EVERY_LIST, "", "", [change], {}, 1, None, batch_rows=None)


def had_from_us(warehouse: Warehouse, customer_id: int, destination: str) -> bool:
    """Whether a destination was ever told of a customer, as far as is known."""
    with warehouse.transaction() as connection:
        return _known_as(driver_cursor(connection), customer_id, destination) is not None


def _known_as(cursor: Cursor, customer_id: int, destination: str) -> tuple[str | None] | None:
    """What a destination last called a customer, as far as it has said; None if it was never told of them."""
    cursor.execute(
        """
        select remote_id
        from (
            select remote_id, confirmed_at as known_at
            from destination_members
            where customer_id = %(customer)s and destination = %(destination)s
            union all
            select remote_id, answered_at
            from activation_changes
            inner join activation_plans using (plan)
            where customer_id = %(customer)s and destination = %(destination)s and operation in ('add', 'update')
                and activation_changes.state in ('sending', 'accepted')
        ) as known
        order by remote_id is null, known_at desc nulls last
        limit 1
        """,
        {"customer": customer_id, "destination": destination},
    )
    row = cursor.fetchone()
    return None if row is None else (row[0],)
