"""Forgetting a customer: here at once, and by the tools' own deletion where they have one.

A deletion elsewhere is a plan of one change, which is marked, sent and receipted like any other. All that destinations
are to be asked is planned before the first is. So forgetting that was cut short goes on when the customer is forgotten
again, or at night, and nobody is asked twice for what is done.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from lgs_assets.action.contacts import forget_contact
from lgs_assets.action.destinations.configured import DELETING, NEEDS
from lgs_assets.action.destinations.protocol import Destination
from lgs_assets.action.lists.applying import Pause, apply_plan
from lgs_assets.action.lists.leaving import having
from lgs_assets.action.lists.moving import present_places
from lgs_assets.action.lists.plans import WAITING, changes_of, plan_numbered
from lgs_assets.errors import LgsError, UsageError
from lgs_assets.warehouse.database import Warehouse

_AT_FORMER = (
    "a former account or list of it had them, which is not asked: look there by hand. If it is the present one under "
    "another key, plan its lists with --place same, and run this again"
)


@dataclass(frozen=True)
class Forgotten:
    """What forgetting a customer came to."""

    had_contact: bool
    answers: dict[str, str]
    """What the destinations said that were asked to delete the customer, by their names: now, or when it was."""
    failures: dict[str, str]
    """Why others could not be asked, or did not do it."""
    keeping: list[str]
    """Destinations that delete only for good, which nobody has asked for."""
    removals: list[int]
    """The plans by which the customer leaves lists of destinations that are asked for no deletion."""


def forget(
    warehouse: Warehouse,
    customer_id: int,
    destinations: Sequence[Destination],
    *,
    key: str | None,
    faults: Mapping[str, str] = MappingProxyType({}),
    permanently: bool = False,
    pause: Pause = time.sleep,
) -> Forgotten:
    """Forgets a customer, and has every destination that received them delete them.

    `permanently` asks those, too, that never take the address again; `faults` are why others cannot be used. Whatever a
    destination answers, the contact is gone here, and the others are asked. Raises LgsError if there is no such
    customer.
    """
    answers: dict[str, str] = {}
    failures: dict[str, str] = {}
    asked = [each for each in destinations if each.erasure == "own" or (permanently and each.erasure == "permanent")]
    present: dict[str, str] = {}
    unasked = _AT_FORMER
    try:
        present = present_places(warehouse, asked, key=key)
    except UsageError as error:  # it is the destinations that need the key
        unasked = str(error)
    gone = forget_contact(warehouse, customer_id, erasing=present)
    for destination in asked:
        said: list[str] = []
        reasons: list[str] = []
        numbers = gone.erasures.get(destination.name, [])
        for number in numbers:
            try:
                said.append(erase(warehouse, number, destination, key=key, pause=pause))
            except LgsError as error:
                reasons.append(str(error))
        of_several = f": {len(said)} of {len(numbers)} contacts" if len(numbers) > 1 else ""
        if said:
            answers[destination.name] = "; ".join(said) + of_several
        if reasons:
            failures[destination.name] = "; ".join(dict.fromkeys(reasons))
    configured = {each.name for each in destinations}
    still = having(warehouse, customer_id, deleting=DELETING, present=present)
    failures |= {each.name: unasked for each in asked if each.name in still and each.name not in failures}
    unset = {name: f"it is not configured: set {NEEDS[name]}" for name in sorted(still - configured)}
    failures |= unset | {name: fault for name, fault in faults.items() if name in unset}
    keeping = [
        each.name for each in destinations if each.erasure == "permanent" and each not in asked and each.name in still
    ]
    return Forgotten(gone.had_contact, answers, failures, keeping, gone.removals)


def erase(
    warehouse: Warehouse, number: int, destination: Destination, *, key: str | None, pause: Pause = time.sleep
) -> str:
    """Has a destination do a deletion that is planned, unless it has. Returns what it said.

    Raises LgsError if the destination did not do it, and what `apply_plan` raises.
    """
    if plan_numbered(warehouse, number).state in WAITING:
        apply_plan(warehouse, number, destination, key=key, pause=pause)
    plan = plan_numbered(warehouse, number)
    (change,) = changes_of(warehouse, number)
    if change["state"] != "accepted":
        raise LgsError(change["answer"])
    return f"{change['answer']} (plan {number}, {plan.ended_at:%Y-%m-%d %H:%M} UTC)"
