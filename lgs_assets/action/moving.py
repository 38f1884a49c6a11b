"""Moving: a destination that is another place by now than the one that its list was sent to.

Whether a new key or URL leads to the same list, only a person knows. If it does not, the list begins afresh, and whom
the former place holds is kept in `left_behind`: nothing reaches them there any more.
"""

from typing import Literal

from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import Cursor
from lgs_assets.wording import counted

PlaceIs = Literal["same", "new"]
"""What a person says of the place that a destination is now: under another key or URL the same list, or another."""


def settle_place(cursor: Cursor, destination: str, audience: str, place: str, *, place_is: PlaceIs) -> None:
    """Takes over whom a list was sent at another place, or leaves them behind there."""
    if place_is == "same":
        statement = """
            with taken_over as (
                update destination_members as held
                set place = %(place)s
                from destination_members as former
                where held.destination = %(destination)s and held.audience = %(audience)s and held.place <> %(place)s
                    and (former.destination, former.audience, former.customer_id)
                        = (held.destination, held.audience, held.customer_id)
                returning former.place
            )
            delete from left_behind
            where destination = %(destination)s and audience = %(audience)s
                and place in (select place from taken_over)
        """
    else:
        statement = """
            with gone as (
                delete from destination_members
                where destination = %(destination)s and audience = %(audience)s and place <> %(place)s
                returning *
            )
            insert into left_behind
            select destination, audience, customer_id, place, now()
            from gone
            on conflict do nothing
        """
    cursor.execute(statement.encode(), {"destination": destination, "audience": audience, "place": place})


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
        "a new one: --place new; then empty the former by hand, for nothing reaches it any more"
    )


def left_behind(
    warehouse: Warehouse, *, destination: str | None = None, audience: str | None = None, customer_id: int | None = None
) -> list[str]:
    """What former places hold of a list, or of a customer: a sentence for each list that was left behind."""
    query = """
        select destination, audience, count(distinct customer_id) as customers, max(left_at) as left_at
        from left_behind
        where (cast(:destination as text) is null or destination = :destination)
            and (cast(:audience as text) is null or audience = :audience)
            and (cast(:customer as integer) is null or customer_id = :customer)
        group by destination, audience
        order by destination, audience
    """
    return [
        f"{row.audience}: {counted(row.customers, 'customer')} left behind at a former place of {row.destination}, on "
        f"{row.left_at:%Y-%m-%d}. Nothing reaches that list any more: "
        + ("empty it by hand" if customer_id is None else f"take {customer_id} off it by hand")
        for row in warehouse.rows(query, destination=destination, audience=audience, customer=customer_id)
    ]
