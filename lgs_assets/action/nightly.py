"""The night's work: those leave who must; a list is read back, planned, and applied where its audience says so."""

import time
from dataclasses import dataclass

from lgs_assets.action.applying import Outcome, Pause, apply_plan
from lgs_assets.action.audiences import Audience
from lgs_assets.action.destinations.protocol import Destination
from lgs_assets.action.drift import Drift, check_drift
from lgs_assets.action.forgetting import erase
from lgs_assets.action.moving import present_places
from lgs_assets.action.planning import make_plan
from lgs_assets.action.plans import EVERY_LIST, Plan, is_established, unfinished_plan
from lgs_assets.errors import LgsError
from lgs_assets.warehouse.database import Warehouse


@dataclass(frozen=True)
class Night:
    """What was done for a list."""

    drift: Drift | None
    """What it was found to hold; None if it cannot be read back."""
    plan: Plan | None
    """What was planned; None if nothing is to be done."""
    outcome: Outcome | None
    """What applying the plan came to; None if it waits for a person."""


def see_out(
    warehouse: Warehouse, plan: Plan, destination: Destination, *, key: str | None, pause: Pause = time.sleep
) -> str:
    """Applies a plan of those who leave, which needs nobody's eyes. Returns what it came to.

    Raises LgsError if the destination did not do all of it, and what `apply_plan` raises.
    """
    if plan.audience == EVERY_LIST:
        return erase(warehouse, plan.plan, destination, key=key, pause=pause)
    outcome = apply_plan(warehouse, plan.plan, destination, key=key, pause=pause)
    if outcome.rejected:
        raise LgsError("; ".join(dict.fromkeys(outcome.rejected.values())))
    return f"removed {outcome.accepted:,} from {plan.audience}"


def keep_up(
    warehouse: Warehouse, audience: Audience, destination: Destination, *, key: str | None, pause: Pause = time.sleep
) -> Night:
    """Does the night's work on a list. Raises what `check_drift`, `make_plan` and `apply_plan` raise.

    Applied without a person is only what no guard refuses, or allows whatever else it refuses: never a first list,
    which has no guard but the eyes of somebody. It is one until a plan of it was applied to its end.
    """
    (place,) = present_places(warehouse, [destination], key=key).values()
    begun = unfinished_plan(warehouse, destination.name, audience.name, audience.version, place)
    is_seen = is_established(warehouse, destination.name, audience.name, place)
    if begun and audience.is_automatic and is_seen:
        apply_plan(warehouse, begun, destination, key=key, version=audience.version, pause=pause)
    drift = check_drift(warehouse, audience.name, destination, key=key, pause=pause)
    plan = make_plan(warehouse, audience, destination, key=key)
    if not plan or not audience.is_automatic or plan.state != "planned" or not plan.held_before or not is_seen:
        return Night(drift, plan, None)
    outcome = apply_plan(warehouse, plan.plan, destination, key=key, version=audience.version, pause=pause)
    return Night(drift, plan, outcome)
