"""Drift: whom a list is found to hold, beside whom it should hold by our doing.

Nobody is added or removed for it: who is missing was taken off by somebody, and whom others put there is theirs. But an
objection that was made at a destination counts here, too.
"""

import time
from dataclasses import dataclass

from lgs_assets.action.applying import Pause, alone, patiently
from lgs_assets.action.contacts import object_to_marketing
from lgs_assets.action.destinations.protocol import Destination, Member
from lgs_assets.action.private import prepare_private
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

    def __str__(self) -> str:
        """In a sentence."""
        return (
            f"{counted(self.found, 'member')} found, {self.held:,} put there by us; missing {len(self.missing):,}, "
            f"not ours {self.not_ours:,}, objected there {len(self.objected):,}."
        )


def check_drift(
    warehouse: Warehouse, audience: str, destination: Destination, *, pause: Pause = time.sleep
) -> Drift | None:
    """Reads a list back, keeps what it found in `list_drift`, and takes over objections. Returns None if it cannot be.

    Raises LgsError while a plan is applied there, AccessError if the destination does not let us in, and
    UnavailableError if it does not answer.
    """

    def read() -> list[Member] | None:
        members = destination.members(audience)
        return None if members is None else list(members)

    prepare_private(warehouse)
    with alone(warehouse, destination.name):
        members = patiently(read, pause=pause, then="nothing was changed.")
        if members is None:
            return None
        drift = _recorded(warehouse, audience, destination.name, members)
    for customer in drift.objected:
        object_to_marketing(warehouse, customer, source=destination.name)
    return drift


def _recorded(warehouse: Warehouse, audience: str, destination: str, members: list[Member]) -> Drift:
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        cursor.execute(
            "select coalesce(remote_id, customer_id::text), customer_id from destination_members "
            "where destination = %s and audience = %s",
            [destination, audience],
        )
        ours: dict[str, int] = dict(cursor.fetchall())
        found = {member.remote_id: member for member in members}
        objected = [
            customer for remote_id, customer in ours.items() if remote_id in found and found[remote_id].has_objected
        ]
        drift = Drift(
            held=len(ours),
            found=len(found),
            missing=sorted(customer for remote_id, customer in ours.items() if remote_id not in found),
            not_ours=len(found.keys() - ours.keys()),
            objected=sorted(objected),
        )
        cursor.execute(
            "insert into list_drift values (%s, %s, clock_timestamp(), %s, %s, %s, %s, %s)",
            [
                *(destination, audience, drift.held, drift.found),
                *(len(drift.missing), drift.not_ours, len(drift.objected)),
            ],
        )
    return drift
