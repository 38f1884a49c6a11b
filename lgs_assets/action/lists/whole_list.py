"""The whole of a list as it will be once a batch is accepted: for destinations that keep no list of their own."""

from collections.abc import Sequence

from lgs_assets.action.destinations.protocol import Change, Listed
from lgs_assets.action.lists.plans import Plan
from lgs_assets.action.private import as_activator
from lgs_assets.action.recipients import recipients, why_not
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import driver_cursor


def list_after(warehouse: Warehouse, plan: Plan, changes: Sequence[Change]) -> list[Listed] | None:
    """Whom the list of a plan holds at its place after changes of it, by customer, at their present address.

    Each with the fields that the destination was last told. Who may no longer be sent is not among them, even if no
    plan has removed them yet. None while others are held of whom it is not known that they are there: a list without
    them would take them off.
    """
    of_list = {
        "destination": plan.destination,
        "audience": plan.audience,
        "plan": plan.plan,
        "place": plan.place,
        "changed": [change.customer_id for change in changes],
        "entered": [change.customer_id for change in changes if change.operation in ("add", "update")],
    }
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        cursor.execute(
            """
            select
            from destination_members
            where destination = %(destination)s and audience = %(audience)s and customer_id <> all (%(changed)s)
                and (payload = '' or place <> %(place)s)
            limit 1
            """,
            of_list,
        )
        if cursor.fetchone() is not None:
            return None
        with as_activator(cursor):
            cursor.execute(
                f"""
                select listed.customer_id, contacts.email, told.fields
                from (
                    select customer_id, plan
                    from lgs.destination_members
                    where destination = %(destination)s and audience = %(audience)s
                        and customer_id <> all (%(changed)s)
                    union all
                    select unnest(%(entered)s::integer[]), %(plan)s
                ) as listed
                inner join lgs.activation_changes as told using (plan, customer_id)
                {recipients("listed.customer_id")}
                where {why_not(hashed=plan.hashes_emails)} is null
                order by listed.customer_id
                """.encode(),
                of_list,
            )
            return [Listed(*row) for row in cursor]
