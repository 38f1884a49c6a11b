"""Drift: whom a list is found to hold, beside whom we put there.

Nobody is added or removed for it: who is missing was taken off by somebody, and whom others put there is theirs. But an
objection that was made at a destination counts here, too.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

from lgs_assets.action.contacts import expect_key, object_to_marketing, pseudonym
from lgs_assets.action.destinations.configured import WITH_OWN_IDS
from lgs_assets.action.destinations.protocol import Destination, Member
from lgs_assets.action.lists.applying import Pause, alone, with_retries
from lgs_assets.action.lists.plans import pseudonym_of
from lgs_assets.action.private import as_activator, is_prepared, may_see, prepare_private
from lgs_assets.action.recipients import URGENT, WHY_NEVER, people
from lgs_assets.errors import LgsError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import driver_cursor
from lgs_assets.wording import counted

# So many members are read at most: an answer without end must not fill the memory.
_MOST, _MOST_FOR_EACH = 1_000_000, 10


@dataclass(frozen=True)
class Drift:
    """What a list was found to hold."""

    held: int
    """Customers whom we put there."""
    found: int
    """People whom it holds."""
    missing: list[int]
    """Customers whom we put there and who are not there."""
    not_ours: int
    """People whom somebody else put there."""
    objected: list[int]
    """Customers put there by us who objected there: from now on they are suppressed here, too."""
    unknown: int
    """Customers whom we put there and who cannot be looked for: it has not said what it calls them."""
    barred: int = 0
    """Of those who are not ours, people who may not be written to at that address."""
    elsewhere: int = 0
    """Customers who were sent to another place than the destination is now."""
    removals: list[int] = field(default_factory=list)
    """The plans by which those who objected leave every list."""

    def __str__(self) -> str:
        """In a sentence."""
        elsewhere = f" {counted(self.elsewhere, 'customer')} sent to another place: not looked for."
        return (
            f"{counted(self.found, 'member')} found, {self.held:,} put there by us; missing {len(self.missing):,}, "
            f"not ours {self.not_ours:,}, objected there {len(self.objected):,}"
            + (f", unknown there {self.unknown:,}." if self.unknown else ".")
            + (
                f" Of those not ours, {self.barred:,} may not be written to: take them off by hand."
                if self.barred
                else ""
            )
            + (elsewhere if self.elsewhere else "")
        )


def check_drift(
    warehouse: Warehouse, audience: str, destination: Destination, *, key: str | None, pause: Pause = time.sleep
) -> Drift | None:
    """Reads a list back, keeps what it found in `list_drift`, and takes over objections. Returns None if it cannot be.

    Raises LgsError while a plan is applied there, AccessError if the destination does not let us in, and
    UnavailableError if it does not answer.
    """

    if destination.members(audience, ()) is None:  # else it is read when the first is asked for
        return None
    prepare_private(warehouse)
    with alone(warehouse, destination.name):
        with warehouse.transaction() as connection:
            cursor = driver_cursor(connection)
            with as_activator(cursor):
                the_key = expect_key(cursor, key)
            place = pseudonym_of(the_key, destination.place)
        ours, elsewhere = _ours(warehouse, audience, destination, place)
        members = with_retries(partial(_read, destination, audience, ours), pause=pause, then="nothing was changed.")
        barred = _barred(warehouse, the_key, [each.email for each in members if each.is_listed and each.email])
        drift = replace(_drift(ours, members), barred=barred, elsewhere=elsewhere)
        _record(warehouse, audience, destination.name, drift)
    if not drift.objected:
        return drift
    done = object_to_marketing(warehouse, *drift.objected, source=destination.name)
    return replace(drift, removals=done.removals)


def _read(destination: Destination, audience: str, ours: Mapping[int, str | None]) -> list[Member]:
    """Whom a list holds; the addresses only of those who are not ours. Raises LgsError for one without end."""
    names = {name for name in ours.values() if name}
    most = _MOST_FOR_EACH * len(ours) + _MOST
    members = [
        member._replace(email=None if member.remote_id in names else member.email)
        for member in islice(destination.members(audience, names) or (), most + 1)
    ]
    if len(members) > most:
        raise LgsError(f"{destination.name}: the list has more than {most:,} members, and is not read.")
    return members


def _ours(
    warehouse: Warehouse, audience: str, destination: Destination, place: str
) -> tuple[dict[int, str | None], int]:
    """Whom we put on a list, and what the destination calls them; None if it has not said. And how many
    were sent to another place than it is now, where the same name may be somebody else's.

    What it calls two of them is the later's: an address can change hands.
    """
    query = """
        select customer_id, place is null or place = :place as is_here,
            case first_value(customer_id) over (partition by remote_id order by confirmed_at desc, customer_id)
                when customer_id then remote_id
            end as remote_id
        from destination_members
        where destination = :destination and audience = :audience
        order by customer_id
    """
    rows = warehouse.rows(query, destination=destination.name, audience=audience, place=place)
    here = [row for row in rows if row.is_here]
    names = {row.customer_id: row.remote_id if destination.has_own_ids else str(row.customer_id) for row in here}
    return names, len(rows) - len(here)


def _drift(ours: Mapping[int, str | None], members: Iterable[Member]) -> Drift:
    found = {member.remote_id for member in members if member.is_listed}
    objected = {member.remote_id for member in members if member.has_objected}
    return Drift(
        held=len(ours),
        found=len(found),
        missing=[customer for customer, name in ours.items() if name and name not in found | objected],
        not_ours=len(found - set(ours.values())),
        objected=[customer for customer, name in ours.items() if name in objected],
        unknown=sum(name is None for name in ours.values()),
    )


def strays(
    warehouse: Warehouse, *, destination: str | None = None, audience: str | None = None, customer_id: int | None = None
) -> list[str]:
    """Who may be on a list by a former address: a sentence for each list.

    A request was not answered, and by the next the shop had another address of theirs, which is another contact there.
    Nobody can be removed by an address that is not known any more; but a reading of the list since then has counted
    who may not be written to.
    """
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        if not is_prepared(cursor) or not may_see(cursor):
            return []
        with as_activator(cursor):
            cursor.execute(
                """
                select plans.destination, plans.audience, count(distinct changes.customer_id)
                from lgs.activation_changes as changes
                inner join lgs.activation_plans as plans on plans.plan = changes.plan
                left join lgs_private.contacts as contacts on contacts.customer_id = changes.customer_id
                left join lgs.marketing_exclusions as excluded on excluded.customer_id = changes.customer_id
                where plans.destination = any (%(with_own_ids)s) and changes.operation in ('add', 'update')
                    and (changes.may_have_arrived or changes.state = 'sending')
                    and (%(destination)s::text is null or plans.destination = %(destination)s)
                    and (%(audience)s::text is null or plans.audience = %(audience)s)
                    and (%(customer)s::integer is null or changes.customer_id = %(customer)s)
                    and (
                        contacts.customer_id is null
                        or exists (
                            select
                            from lgs_private.former_keys as former
                            where former.customer_id = changes.customer_id and former.email_key <> contacts.email_key
                        )
                    )
                    and not exists (
                        select
                        from lgs.activation_changes as accepted
                        inner join lgs.activation_plans as later on later.plan = accepted.plan
                        where accepted.plan > changes.plan and accepted.state = 'accepted'
                            and (accepted.customer_id, accepted.payload) = (changes.customer_id, changes.payload)
                            and (later.destination, later.audience) = (plans.destination, plans.audience)
                    )
                    and not exists (
                        select
                        from lgs.list_drift as reading
                        where (reading.destination, reading.audience) = (plans.destination, plans.audience)
                            and reading.barred is not null
                            and reading.checked_at
                                > greatest(changes.answered_at, plans.ended_at, plans.made_at, excluded.since)
                    )
                group by plans.destination, plans.audience
                order by plans.destination, plans.audience
                """,
                {
                    "with_own_ids": sorted(WITH_OWN_IDS), "destination": destination, "audience": audience,
                    "customer": customer_id,
                },
            )  # fmt: skip
            return [
                f"{name}: {counted(customers, 'customer')} may be on the list of {tool} by a former address, as a "
                f"request was not answered. Read it back, which counts who may not be written to: "
                f"lgs activate drift {name} {tool}"
                for tool, name, customers in cursor
            ]


def _barred(warehouse: Warehouse, key: str, emails: Sequence[str]) -> int:
    """How many of these addresses may not be written to: suppressed, or one that a customer has or had who declined."""
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        with as_activator(cursor):
            cursor.execute(
                f"""
                select count(*)
                from unnest(%s::bytea[]) as found (email_key)
                where email_key in (select email_key from lgs_private.suppressions)
                    or email_key in (select email_key from lgs_private.contacts where not marketing_ok)
                    or email_key in (
                        select former.email_key
                        from lgs_private.former_keys as former
                        {people("former.customer_id")}
                        where {WHY_NEVER} = any (%s) and not exists (
                            select
                            from lgs_private.contacts as present -- an address can change hands
                            where present.email_key = former.email_key and present.customer_id <> former.customer_id
                        )
                    )
                """.encode(),
                [[pseudonym(key, email) for email in emails], list(URGENT)],
            )
            ((number,),) = cursor.fetchall()
    return int(number)


def _record(warehouse: Warehouse, audience: str, destination: str, drift: Drift) -> None:
    with warehouse.transaction() as connection:
        driver_cursor(connection).execute(
            "insert into list_drift values (%s, %s, clock_timestamp(), %s, %s, %s, %s, %s, %s, %s)",
            [
                *(destination, audience, drift.held, drift.found),
                *(len(drift.missing), drift.not_ours, len(drift.objected), drift.unknown, drift.barred),
            ],
        )
