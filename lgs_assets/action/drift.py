"""Drift: whom a list is found to hold, beside whom it should hold by our doing.

Nobody is added or removed for it: who is missing was taken off by somebody, and whom others put there is theirs. But an
objection that was made at a destination counts here, too.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from lgs_assets.action.applying import Pause, alone, patiently
from lgs_assets.action.contacts import expect_key, object_to_marketing
from lgs_assets.action.destinations.protocol import Destination, Member
from lgs_assets.action.plans import pseudonym_of
from lgs_assets.action.private import as_activator, prepare_private
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import driver_cursor
from lgs_assets.wording import counted


@dataclass(frozen=True)
class Drift:
    """What a list was found to hold."""

    held: int
    """Customers whom it should hold by our doing."""
    found: int
    """People whom it holds."""
    missing: list[int]
    """Customers whom it should hold by our doing and does not."""
    not_ours: int
    """People whom somebody else put there."""
    objected: list[int]
    """Customers put there by us who objected there: from now on they are suppressed here, too."""
    unknown: int
    """Customers whom it should hold by our doing, and cannot be looked for: it has not said what it calls them."""
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
            + (elsewhere if self.elsewhere else "")
        )


def check_drift(
    warehouse: Warehouse, audience: str, destination: Destination, *, key: str | None, pause: Pause = time.sleep
) -> Drift | None:
    """Reads a list back, keeps what it found in `list_drift`, and takes over objections. Returns None if it cannot be.

    Raises LgsError while a plan is applied there, AccessError if the destination does not let us in, and
    UnavailableError if it does not answer.
    """

    def read() -> list[Member]:
        return list(destination.members(audience, {name for name in ours.values() if name}) or ())

    if destination.members(audience, ()) is None:  # else it is read when the first is asked for
        return None
    prepare_private(warehouse)
    with alone(warehouse, destination.name):
        with warehouse.transaction() as connection:
            cursor = driver_cursor(connection)
            with as_activator(cursor):
                place = pseudonym_of(expect_key(cursor, key), destination.place)
        ours, elsewhere = _ours(warehouse, audience, destination, place)
        members = patiently(read, pause=pause, then="nothing was changed.")
        drift = replace(_drift(ours, members), elsewhere=elsewhere)
        _record(warehouse, audience, destination.name, drift)
    if not drift.objected:
        return drift
    done = object_to_marketing(warehouse, *drift.objected, source=destination.name)
    return replace(drift, removals=done.removals)


def _ours(
    warehouse: Warehouse, audience: str, destination: Destination, place: str
) -> tuple[dict[int, str | None], int]:
    """Whom a list should hold by our doing, and what the destination calls them; None if it has not said. And how many
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


def _record(warehouse: Warehouse, audience: str, destination: str, drift: Drift) -> None:
    with warehouse.transaction() as connection:
        driver_cursor(connection).execute(
            "insert into list_drift values (%s, %s, clock_timestamp(), %s, %s, %s, %s, %s, %s)",
            [
                *(destination, audience, drift.held, drift.found),
                *(len(drift.missing), drift.not_ours, len(drift.objected), drift.unknown),
            ],
        )
