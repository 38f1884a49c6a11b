"""Planning: the difference between who may be sent and whom we put on the list of the destination.

To plan sends nothing. What we did not put there is never removed.
"""

import json
from collections import Counter

from lgs_assets.action.audiences import Audience
from lgs_assets.action.contacts import expect_key
from lgs_assets.action.destinations.protocol import Destination
from lgs_assets.action.experiments.holdout import CONTROL_GROUP, record_held_out
from lgs_assets.action.lists.guards import NOTHING_MORE, Allowance, too_large, unfit
from lgs_assets.action.lists.moving import PlaceIs, record_place, settle_place, take_up, why_not_here
from lgs_assets.action.lists.plans import (
    Plan,
    Planned,
    expire_waiting,
    fingerprint,
    insert_plan,
    is_another,
    lock_planning,
    pseudonym_of,
    read_plan,
)
from lgs_assets.action.private import as_activator, prepare_private
from lgs_assets.action.recipients import URGENT, recipients, why_not
from lgs_assets.errors import LgsError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import Cursor, driver_cursor

REJECTED_BEFORE = "rejected before"
_GONE = "left the audience"
_MOVED = "another address by now, which was rejected"


def make_plan(
    warehouse: Warehouse,
    audience: Audience,
    destination: Destination,
    *,
    key: str | None,
    allowance: Allowance = NOTHING_MORE,
    retry: bool = False,
    place_is: PlaceIs | None = None,
) -> Plan | None:
    """Plans what a destination is to be told of an audience. Returns None if it holds just that already.

    A plan that waits for the same list is expired by the new one. Where a guard refuses, the plan holds the removals
    that must be made all the same, and says in `refusal` what was refused; without any, its state is refused. Whom the
    destination rejected is planned again only with `retry`. `place_is` says what the present place is to a list that
    was sent to another.
    Raises LgsError if a plan of the list is applied in part, or the audience is not built.
    """
    prepare_private(warehouse)
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        lock_planning(cursor, destination.name)
        with as_activator(cursor):
            the_key = expect_key(cursor, key)
        place = pseudonym_of(the_key, destination.place)
        hashed = destination.hashes_emails
        expire_waiting(cursor, destination.name, audience.name, audience.version, place)
        take_up(connection, destination.name, place)
        if place_is:
            settle_place(connection, destination.name, audience.name, place, hashed=hashed, place_is=place_is)
        if not (is_elsewhere := why_not_here(cursor, destination.name, audience.name, place)):
            record_place(cursor, destination.name, audience.name, place)
        publication, age = _publication(cursor)
        with as_activator(cursor):
            wanted, left_out, rejected, control = _wanted(
                cursor, the_key, audience.name, destination.name, place, retry=retry, hashed=hashed
            )
            held = _held(cursor, audience.name, destination.name, hashed=hashed)
            moved = _moved(cursor, the_key, audience.name, destination.name, rejected)
        held |= {customer: (held[customer][0], _MOVED) for customer in moved}
        changes = _difference(wanted, held, the_key, rejected - moved)
        confirmed = sum(bool(payload) for payload, _ in held.values())
        cursor.execute(
            "select count(*), array_agg(distinct version) from audience_members where audience = %s", [audience.name]
        )
        ((members, versions),) = cursor.fetchall()
        is_outdated = {*(versions or [])} - {audience.version}  # as where the file of the audience is gone
        if not changes and not is_elsewhere and not is_outdated:
            return None
        refusal = (
            is_elsewhere
            or unfit(publication, age, audience, members=members, versions=set(versions or []))
            or too_large(changes, members=members, held=len(held), allowance=allowance)
        )
        if refusal:
            changes = [change for change in changes if change.operation == "remove" and change.cause in URGENT]
        number = insert_plan(
            cursor, destination.name, audience.name, changes, held=confirmed, version=audience.version,
            publication=publication, left_out=dict(sorted(left_out.items())), refusal=refusal,
            batch_rows=destination.batch_rows, place=place, hashes_emails=hashed,
            allowed=allowance.told | ({"place": place_is} if place_is else {}),
        )  # fmt: skip
        record_held_out(cursor, control, number)
        return read_plan(cursor, number)


def left_out(warehouse: Warehouse, audience: Audience, destination: Destination, *, key: str | None) -> dict[str, int]:
    """How many members are not sent, by reason: what a plan would say of them, where there is none to make."""
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        with as_activator(cursor):
            the_key = expect_key(cursor, key)
            place = pseudonym_of(the_key, destination.place)
            _, found, _, _ = _wanted(
                cursor, the_key, audience.name, destination.name, place, retry=False, hashed=destination.hashes_emails
            )
    return dict(sorted(found.items()))


def _publication(cursor: Cursor) -> tuple[str, float]:
    """The version of the members, and how many hours ago they were found."""
    cursor.execute(
        "select version, extract(epoch from now() - published_at) / 3600 from publications "
        "where table_name = 'audience_members'"
    )
    if not (row := cursor.fetchone()):
        raise LgsError("There is no table audience_members yet: lgs run")
    return row[0], float(row[1])


def _wanted(
    cursor: Cursor, key: str, audience: str, destination: str, place: str, *, retry: bool, hashed: bool
) -> tuple[dict[int, tuple[str, str]], Counter[str], set[int], set[int]]:
    """Who may be sent, with fields and payload; how many members may not, by reason; and of these, whom the destination
    would reject again at this place and who is of a control group.

    Fields are JSON. As lgs_activator.
    """
    cursor.execute(
        """
        select rejected.customer_id, rejected.payload
        from lgs.activation_changes as rejected
        inner join lgs.activation_plans as plans using (plan)
        where plans.audience = %s and plans.destination = %s and (plans.place is null or plans.place = %s)
            and rejected.state = 'rejected' and not exists (
            select
            from lgs.activation_changes as accepted
            inner join lgs.activation_plans as later using (plan)
            where accepted.plan > rejected.plan and accepted.state = 'accepted'
                and (accepted.customer_id, accepted.payload) = (rejected.customer_id, rejected.payload)
                and (later.destination, later.audience) = (plans.destination, plans.audience)
        )
        """,
        [audience, destination, place],
    )
    rejections = set() if retry else set(cursor.fetchall())
    members = cursor.stream(  # not all at once: of a large audience, only what is kept takes memory
        f"""
        select members.customer_id, members.fields::text, contacts.email,
            {why_not(hashed=hashed)}
        from lgs.audience_members as members
        {recipients("members.customer_id")}
        where audience = %s
        order by members.customer_id
        """.encode(),
        [audience],
        size=1000,
    )
    wanted: dict[int, tuple[str, str]] = {}
    left_out: Counter[str] = Counter()
    rejected: set[int] = set()
    control: set[int] = set()
    for customer, fields, email, reason in members:
        payload = "" if reason else fingerprint(key, customer, email, json.loads(fields))
        if reason:
            left_out[reason] += 1
            control |= {customer} if reason == CONTROL_GROUP else set()
        elif (customer, payload) in rejections:
            left_out[REJECTED_BEFORE] += 1
            rejected.add(customer)
        else:
            wanted[customer] = (fields, payload)
    return wanted, left_out, rejected, control


def _held(cursor: Cursor, audience: str, destination: str, *, hashed: bool) -> dict[int, tuple[str, str]]:
    """Whom the destination holds, what it was told, and why they would be removed. As lgs_activator."""
    cursor.execute(
        f"""
        select held.customer_id, held.payload, {why_not(hashed=hashed)}
        from lgs.destination_members as held
        {recipients("held.customer_id")}
        where held.audience = %s and held.destination = %s
        """.encode(),
        [audience, destination],
    )
    return {customer: (payload, reason or _GONE) for customer, payload, reason in cursor}


def _moved(cursor: Cursor, key: str, audience: str, destination: str, rejected: set[int]) -> set[int]:
    """Of the rejected, whom the list holds at another address than the shop has now. As lgs_activator."""
    cursor.execute(
        """
        select held.customer_id, held.payload, contacts.email, told.fields
        from lgs.destination_members as held
        inner join lgs.activation_changes as told on (told.plan, told.customer_id) = (held.plan, held.customer_id)
        inner join lgs_private.contacts as contacts on contacts.customer_id = held.customer_id
        where held.audience = %s and held.destination = %s and held.customer_id = any (%s)
        """,
        [audience, destination, list(rejected)],
    )
    return {
        customer
        for customer, payload, email, fields in cursor
        if is_another(key, customer, email, held=payload, told=fields)
    }


def _difference(
    wanted: dict[int, tuple[str, str]], held: dict[int, tuple[str, str]], key: str, rejected: set[int]
) -> list[Planned]:
    """Removals, adds and updates, each by customer. Nobody is removed because an update of their fields was rejected.

    Of whom it is not known whether they arrived, adds are made again: an update would not put them on a list.
    """
    confirmed = {customer: payload for customer, (payload, _) in held.items() if payload}
    removes = [
        Planned("remove", customer, held[customer][1], "{}", fingerprint(key, customer, None, {}))
        for customer in sorted(held.keys() - wanted.keys() - rejected)
    ]
    adds = [
        Planned("add", customer, "entered the audience", *wanted[customer])
        for customer in sorted(wanted.keys() - confirmed.keys())
    ]
    updates = [
        Planned("update", customer, "fields or contact changed", *wanted[customer])
        for customer in sorted(wanted.keys() & confirmed.keys())
        if wanted[customer][1] != confirmed[customer]
    ]
    return removes + adds + updates
