"""Moving: a destination that is another place by now than the one that its list was sent to.

Whether a new key or URL leads to the same list, only a person knows. If it does not, the list begins afresh, and whom
the former place holds is kept in `left_behind`: nothing reaches them there, unless it is the present one again.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import sqlalchemy as sa

from lgs_assets.action.contacts import expect_key
from lgs_assets.action.destinations.protocol import Destination
from lgs_assets.action.lists.applying import alone
from lgs_assets.action.lists.plans import EVERY_LIST, LEAVE_BEHIND, LEAVING, WAITING, pseudonym_of
from lgs_assets.action.private import as_activator, prepare_private
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.publish import mark_outdated
from lgs_assets.warehouse.schema import Cursor, driver_cursor
from lgs_assets.wording import counted

PlaceIs = Literal["same", "new"]
"""What a person says of the place that a destination is now: under another key or URL the same list, or another."""


def present_places(warehouse: Warehouse, destinations: Iterable[Destination], *, key: str | None) -> dict[str, str]:
    """Where destinations are now, as ledgers have it, by their names. Raises UsageError without the key."""
    prepare_private(warehouse)
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        with as_activator(cursor):
            the_key = expect_key(cursor, key)
    return {each.name: pseudonym_of(the_key, each.place) for each in destinations}


def come_back(warehouse: Warehouse, present: Mapping[str, str]) -> None:
    """Takes up again whom destinations left behind at the places that they are now."""
    with warehouse.transaction() as connection:
        for destination, place in present.items():
            take_up(connection, destination, place)


def take_up(connection: sa.Connection, destination: str, place: str) -> None:
    """Counts as held whom a destination left behind at a place that it is again, which may have been emptied since.

    Whom its list holds at another place by now is left behind there instead.
    """
    cursor = driver_cursor(connection)
    cursor.execute(
        f"""
        with back as (
            delete from left_behind
            where destination = %(destination)s and place = %(place)s and emptied_at is null
            returning *
        ),
        gone as (
            select held.*
            from destination_members as held
            inner join back using (destination, audience, customer_id)
            where held.place <> back.place
        ),
        noted as ({LEAVE_BEHIND})
        insert into destination_members
        select destination, audience, customer_id, '', plan, confirmed_at, remote_id, place
        from back
        on conflict (destination, audience, customer_id) do update
        set (payload, plan, confirmed_at, remote_id, place)
            = (excluded.payload, excluded.plan, excluded.confirmed_at, excluded.remote_id, excluded.place)
        where destination_members.place <> excluded.place
        """.encode(),
        {"destination": destination, "place": place},
    )
    if cursor.rowcount:
        mark_outdated(connection, "exposures")


def settle_place(
    connection: sa.Connection, destination: str, audience: str, place: str, *, hashed: bool, place_is: PlaceIs
) -> None:
    """Takes over whom a list was sent at another place, with what it is called there, or leaves them behind.

    Who was told in another form than `hashed` addresses have now, or the others, is told again.
    """
    cursor = driver_cursor(connection)
    record_place(cursor, destination, audience, "" if place_is == "new" else place)
    if place_is == "same":
        statement = """
            with taken_over as (
                update destination_members as held
                set place = %(place)s,
                    payload = case
                        when held.payload <> '' and plans.hashes_emails <> %(hashed)s then 'unknown' else held.payload
                    end
                from destination_members as former
                left join activation_plans as plans using (plan)
                where held.destination = %(destination)s and held.audience = %(audience)s and held.place <> %(place)s
                    and (former.destination, former.audience, former.customer_id)
                        = (held.destination, held.audience, held.customer_id)
                returning former.place
            ),
            renamed as (
                update activation_plans
                set place = %(place)s
                where destination = %(destination)s and audience in (%(audience)s, %(every_list)s)
                    and place in (select place from taken_over)
            )
            delete from left_behind
            where destination = %(destination)s and audience = %(audience)s
                and place in (select place from taken_over)
        """
    else:
        statement = f"""
            with gone as (
                delete from destination_members
                where destination = %(destination)s and audience = %(audience)s and place <> %(place)s
                returning *
            )
            {LEAVE_BEHIND}
        """
    cursor.execute(
        statement.encode(),
        {
            "destination": destination,
            "audience": audience,
            "place": place,
            "hashed": hashed,
            "every_list": EVERY_LIST,
        },
    )
    mark_outdated(connection, "exposures")


def record_place(cursor: Cursor, destination: str, audience: str, place: str) -> None:
    """Says where a list was sent before places were recorded: such members and plans have none."""
    cursor.execute(
        """
        with members as (
            update destination_members
            set place = %(place)s
            where destination = %(destination)s and audience = %(audience)s and place is null
        )
        update activation_plans
        set place = %(place)s
        where destination = %(destination)s and audience = %(audience)s and place is null
            and audience_version <> %(leaving)s
        """,
        {"destination": destination, "audience": audience, "place": place, "leaving": LEAVING},
    )


def why_not_here(cursor: Cursor, destination: str, audience: str, place: str) -> str | None:
    """Why a list may not be planned at a place before somebody has said what that is; None if nobody need."""
    cursor.execute(
        "select count(*) from destination_members where destination = %s and audience = %s and place <> %s",
        [destination, audience, place],
    )
    ((elsewhere,),) = cursor.fetchall()
    if not elsewhere:
        return None
    return (
        f"{counted(elsewhere, 'customer')} of this list were sent to another place than {destination} is now: another "
        "account or key, URL or folder, or form of the addresses. If it leads to the same list: --place same. If it is "
        "a new one: --place new; then empty the old one by hand: nothing updates it any longer"
    )


def left_behind(
    warehouse: Warehouse, *, destination: str | None = None, audience: str | None = None, customer_id: int | None = None
) -> list[str]:
    """What former places hold of a list, or of a customer: a sentence for each list that was left behind."""
    query = """
        select destination, audience, count(distinct customer_id) as customers, max(left_at) as left_at
        from left_behind
        where emptied_at is null
            and (cast(:destination as text) is null or destination = :destination)
            and (cast(:audience as text) is null or audience = :audience)
            and (cast(:customer as integer) is null or customer_id = :customer)
        group by destination, audience
        order by destination, audience
    """
    return [
        f"{row.audience}: {counted(row.customers, 'customer')} left behind at a former place of {row.destination}, on "
        f"{row.left_at:%Y-%m-%d}. Nothing reaches that list any more: "
        + (
            f"empty it by hand, and then say so: lgs activate emptied {row.audience} {row.destination}"
            if customer_id is None
            else f"take {customer_id} off it by hand"
        )
        for row in warehouse.rows(query, destination=destination, audience=audience, customer=customer_id)
    ]


def held_here(warehouse: Warehouse, destination: str, audience: str) -> int:
    """How many customers a list counts as held where its destination is now."""
    query = """
        select count(*) as customers
        from destination_members
        where destination = :destination and audience = :audience
    """
    (row,) = warehouse.rows(query, destination=destination, audience=audience)
    return int(row.customers)


def note_emptied(warehouse: Warehouse, destination: str, audience: str, *, is_gone: bool = False) -> int:
    """Keeps that somebody has emptied a list at its former places; also at the present one if it `is_gone` from there.

    Returns how many customers that concerns. Raises TakenError while a plan is applied there.
    """
    of_list = {"destination": destination, "audience": audience, "waiting": list(WAITING)}
    with alone(warehouse, destination), warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        if is_gone:
            gone = "delete from destination_members where destination = %(destination)s and audience = %(audience)s"
            cursor.execute(f"with gone as ({gone} returning *) {LEAVE_BEHIND}".encode(), of_list)
            cursor.execute(
                "update activation_plans set state = 'expired', ended_at = now() "
                "where destination = %(destination)s and audience = %(audience)s and state = any (%(waiting)s)",
                of_list,
            )
            cursor.execute(  # nothing is left to read back
                "insert into list_drift values (%(destination)s, %(audience)s, clock_timestamp(), 0, 0, 0, 0, 0, 0, 0)",
                of_list,
            )
        cursor.execute(
            """
            with emptied as (
                update left_behind
                set emptied_at = now(), emptied_by = session_user
                where destination = %(destination)s and audience = %(audience)s and emptied_at is null
                returning customer_id
            )
            select count(distinct customer_id) from emptied
            """,
            of_list,
        )
        ((customers,),) = cursor.fetchall()
        mark_outdated(connection, "exposures")
    return int(customers)
