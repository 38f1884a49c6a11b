"""The night's work: those leave who must; a list is read back, planned, and applied where its audience says so."""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lgs_assets.action.audiences import Audience, read_audiences, removed_audiences, without_file
from lgs_assets.action.destinations.configured import Activation
from lgs_assets.action.destinations.protocol import Destination
from lgs_assets.action.forgetting import erase
from lgs_assets.action.lists.applying import Outcome, Pause, apply_plan
from lgs_assets.action.lists.drift import Drift, check_drift, strays
from lgs_assets.action.lists.leaving import plan_erasures, plan_removals
from lgs_assets.action.lists.moving import come_back, left_behind, present_places
from lgs_assets.action.lists.planning import make_plan
from lgs_assets.action.lists.plans import EVERY_LIST, Plan, is_established, leaving_plans, summary, unfinished_plan
from lgs_assets.errors import LgsError, ServerError
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


def work(
    warehouse: Warehouse, activation: Activation, *, warn: Callable[[str], None]
) -> tuple[dict[str, str], list[str]]:
    """Does all of the night's work: those leave who must, and each list is synced that an audience asks for.

    Returns what was done, by what it was done for, and what failed and why: it holds up nothing else.
    """
    done: dict[str, str] = {}
    failures: list[str] = []
    failed = _take_off_who_leaves(warehouse, activation, done, failures)
    lists = [(audience, name) for audience in read_audiences() for name in audience.destinations]
    lists += [(without_file(audience), name) for audience, name, _ in removed_audiences(warehouse)]
    for audience, name in lists:
        each = f"{audience.name} to {name}"
        with _carrying_on(failures, each):
            night = sync_list(warehouse, audience, activation.destination(name), key=activation.key)
            done |= _in_words(each, night)
            if night.plan and night.plan.refusal:
                warn(f"{each}: refused: {night.plan.refusal}")
    if told := left_behind(warehouse) + strays(warehouse):
        done["left behind"] = "\n".join(told)
    # Also who objected at a tool, as was read this night.
    _take_off_who_leaves(warehouse, activation, done, failures, but=failed)
    return done, failures


def finish_leaving(
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


def sync_list(
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


def _take_off_who_leaves(
    warehouse: Warehouse, activation: Activation, done: dict[str, str], failures: list[str], but: Collection[str] = ()
) -> set[str]:
    """Has everybody leave who may not be on a list, or at a tool, whatever the audiences are, `but` at destinations.

    Returns at which destinations it failed.
    """
    destinations, faults = activation.destinations
    present = present_places(warehouse, destinations, key=activation.key)
    come_back(warehouse, present)
    plan_removals(warehouse)
    failed = faults.keys() - but
    failures += [faults[name] for name in sorted(failed)]
    plan_erasures(warehouse, {each.name: present[each.name] for each in destinations if each.erasure == "own"})
    for plan in leaving_plans(warehouse):
        name = plan.destination
        if name in {*but, *failed} or plan.place not in (None, present.get(name)):
            continue
        each = f"{'deletion' if plan.audience == EVERY_LIST else 'removals'} at {name}, plan {plan.plan}"
        failed_before = len(failures)
        with _carrying_on(failures, each):
            done[each] = finish_leaving(warehouse, plan, activation.destination(name), key=activation.key)
        if len(failures) > failed_before:
            failed.add(name)
    return failed


@contextmanager
def _carrying_on(failures: list[str], what: str) -> Iterator[None]:
    """Goes on after an error of the block, which becomes a failure. Raises ServerError: all that follows would fail."""
    try:
        yield
    except ServerError:
        raise
    except LgsError as error:
        failures.append(f"{what}: {error}")


def _in_words(each: str, night: Night) -> dict[str, str]:
    """What was done for a list, in words."""
    told = {f"{each}: read back": str(night.drift)} if night.drift else {}
    if night.plan:
        waits = f"Applied: accepted {night.outcome.accepted:,}." if night.outcome else "It waits to be applied."
        told[each] = f"{summary(night.plan)} {waits}"
    return told
