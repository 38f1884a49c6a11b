"""The jobs: which assets are materialized together, the pull from another database, and the deletion of old runs."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import dagster as dg
from pydantic import Field

from lgs_assets.action import applying
from lgs_assets.action.audiences import gone, read_audiences, version_now, without_file
from lgs_assets.action.drift import strays
from lgs_assets.action.leaving import plan_erasures, plan_removals
from lgs_assets.action.moving import come_back, left_behind, present_places
from lgs_assets.action.nightly import Night, keep_up, see_out
from lgs_assets.action.plans import EVERY_LIST, leaving_plans, plan_numbered, summary
from lgs_assets.action.private import log_warning
from lgs_assets.arrivals.inbox import Inbox
from lgs_assets.arrivals.pull import PullUnderWayError, Source, pull_new_lines
from lgs_assets.checks.sql_checks import evaluation
from lgs_assets.contracts.check import CHECKS
from lgs_assets.contracts.contract import RAW_INVOICES
from lgs_assets.errors import DumpError, DumpsError, LgsError, ServerError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.tables import Tables
from lgs_assets.wiring.failures import StepFailure, plain_failures
from lgs_assets.wiring.io_manager import load
from lgs_assets.wiring.ledgers import observe_ledgers
from lgs_assets.wiring.metadata import describe_dump, described
from lgs_assets.wiring.resources import Activation, RunAcceptance
from lgs_assets.wiring.retention import delete_old_runs
from lgs_assets.wiring.retries import retried

RETENTION = "retention"

lineage = dg.define_asset_job(
    "lineage",
    selection=dg.AssetSelection.all(),
    description="One dump through the whole lineage: loads it, then rebuilds and checks everything downstream.",
)

ingest = dg.define_asset_job(
    "ingest",
    selection=dg.AssetSelection.assets(RAW_INVOICES),
    description="Loads one dump and checks it. Automation rebuilds everything downstream.",
)

refresh = dg.define_asset_job(
    "refresh",
    selection=(dg.AssetSelection.all() - dg.AssetSelection.assets(RAW_INVOICES))
    | dg.AssetSelection.checks_for_assets(RAW_INVOICES),
    description="Rebuilds everything downstream of the dumps, and checks it and them.",
)


class RunDumps(dg.Config):
    """The dumps that a run of `ingest_many` loads."""

    dumps: list[str] = Field(description="The names of the dumps, which are in the inbox.")


@dg.op(out={})
def load_dumps(
    context: dg.OpExecutionContext,
    config: RunDumps,
    inbox: dg.ResourceParam[Inbox],
    acceptance: RunAcceptance,
    tables: dg.ResourceParam[Tables],
) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation]:
    """Loads each dump in its own transaction, then checks them all, once.

    A dump that cannot be loaded holds up no other: the run fails at its end, with every reason.
    """
    reasons: dict[str, str] = {}
    for name in config.dumps:
        with plain_failures(), retried():
            try:
                file = inbox.dump(name, acceptance)
                dump = load(tables, file, run=context.run_id, warn=context.log.warning)
            except DumpError as error:
                reasons[name] = str(error)
                continue
        metadata = described(RAW_INVOICES, partial(describe_dump, file, dump), context.log.warning)
        # At once: if the run ends early, automation must still see what is loaded by then.
        yield dg.AssetMaterialization(RAW_INVOICES, partition=file.name, metadata=metadata)
    if len(reasons) < len(config.dumps):
        with plain_failures(), retried():
            evaluations = [evaluation(check, tables) for check in CHECKS if check.table == RAW_INVOICES]
        yield from evaluations
    if reasons:
        raise StepFailure(DumpsError(reasons))


@dg.job(description="Loads many dumps in one run, and checks them once. Automation rebuilds everything downstream.")
def ingest_many() -> None:
    """The job that the inbox sensor and `lgs run` start when more than one dump is waiting."""
    load_dumps()


@dg.op
def land_new_lines(
    context: dg.OpExecutionContext,
    source: dg.ResourceParam[Source],
    inbox: dg.ResourceParam[Inbox],
    warehouse: dg.ResourceParam[Warehouse],
) -> None:
    """Lands new lines of the source as one more dump in the inbox."""
    with plain_failures():
        try:
            done = pull_new_lines(source, inbox, warehouse, warn=context.log.warning)
        except PullUnderWayError as reason:  # such as a pull that takes longer than the schedule's interval
            context.log.info(str(reason))
            return
    context.add_output_metadata({"dump": done.dump, "lines": done.lines, "is_new": done.is_new})


@dg.job(description="Pulls new lines from the database of LGS_SOURCE_URL into the inbox, whose sensor loads them.")
def pull() -> None:
    """The job of the schedule `scheduled_pull`."""
    land_new_lines()


# Five minutes in all: a run that waits keeps others from starting.
_TURNS, _SECONDS_BETWEEN_TURNS = 10, 30


class RunPlan(dg.Config):
    """What a run of `apply_plan` sends."""

    plan: int = Field(ge=1, description="The number of the plan, as lgs activate list shows it.")


@dg.op
def send_plan(
    context: dg.OpExecutionContext,
    config: RunPlan,
    warehouse: dg.ResourceParam[Warehouse],
    activation: dg.ResourceParam[Activation],
) -> None:
    """Sends exactly what a plan says, once. Waits its turn for a while where another is applied to the destination."""
    with plain_failures():
        _warn_of_log(context, warehouse)
        plan = plan_numbered(warehouse, config.plan)
        version = None if plan.is_leaving else version_now(plan.audience)
        destination = activation.destination(plan.destination)
        try:
            outcome = applying.apply_plan(warehouse, plan.plan, destination, key=activation.key, version=version)
        except applying.TakenError as error:
            if context.retry_number >= _TURNS:
                raise
            raise dg.RetryRequested(max_retries=_TURNS, seconds_to_wait=_SECONDS_BETWEEN_TURNS) from error
    context.add_output_metadata(
        {
            "audience": plan.audience,
            "destination": plan.destination,
            "accepted": outcome.accepted,
            "rejected": len(outcome.rejected),
            "withheld": len(outcome.withheld),
        }
    )
    observe_ledgers(context, warehouse)
    if outcome.rejected or outcome.withheld:
        counts = f"{len(outcome.rejected)} rejected, {len(outcome.withheld)} withheld"
        context.log.warning(f"{counts}: see activation_changes")


@dg.job(description="Applies one plan, which somebody has reviewed: sends exactly what it says, once.")
def apply_plan() -> None:
    """What `lgs activate apply` does, as a run."""
    send_plan()


@dg.op
def make_plans(
    context: dg.OpExecutionContext, warehouse: dg.ResourceParam[Warehouse], activation: dg.ResourceParam[Activation]
) -> None:
    """Does the night's work: those leave who must, and each list is kept up that an audience names a destination for.

    What cannot be worked on holds up nothing else: the run fails at its end, with every reason.
    """
    done: dict[str, str] = {}
    reasons: list[str] = []
    with plain_failures(), retried():
        _warn_of_log(context, warehouse)
        failed = _see_out(warehouse, activation, done, reasons)
        lists = [(audience, name) for audience in read_audiences() for name in audience.destinations]
        lists += [(without_file(audience), name) for audience, name, _ in gone(warehouse)]
        for audience, name in lists:
            each = f"{audience.name} to {name}"
            with _noting(reasons, each):
                night = keep_up(warehouse, audience, activation.destination(name), key=activation.key)
                done |= _told(each, night)
                if night.plan and night.plan.refusal:
                    context.log.warning(f"{each}: refused: {night.plan.refusal}")
        if told := left_behind(warehouse) + strays(warehouse):
            done["left behind"] = "\n".join(told)
        _see_out(warehouse, activation, done, reasons, but=failed)  # who objected at a tool, as was read this night
    context.add_output_metadata(done)
    observe_ledgers(context, warehouse)
    if reasons:
        raise StepFailure(LgsError("\n".join(reasons)))


def _warn_of_log(context: dg.OpExecutionContext, warehouse: Warehouse) -> None:
    if warning := log_warning(warehouse):
        context.log.warning(warning)


def _see_out(
    warehouse: Warehouse, activation: Activation, done: dict[str, str], reasons: list[str], but: Collection[str] = ()
) -> set[str]:
    """Has everybody leave who may not be on a list, or at a tool, whatever the audiences are, `but` at destinations.

    Returns at which destinations it failed.
    """
    destinations, faults = activation.destinations
    present = present_places(warehouse, destinations, key=activation.key)
    come_back(warehouse, present)
    plan_removals(warehouse)
    failed = faults.keys() - but
    reasons += [faults[name] for name in sorted(failed)]
    plan_erasures(warehouse, {each.name: present[each.name] for each in destinations if each.erasure == "own"})
    for plan in leaving_plans(warehouse):
        name = plan.destination
        if name in {*but, *failed} or plan.place not in (None, present.get(name)):
            continue
        each = f"{'deletion' if plan.audience == EVERY_LIST else 'removals'} at {name}, plan {plan.plan}"
        noted = len(reasons)
        with _noting(reasons, each):
            done[each] = see_out(warehouse, plan, activation.destination(name), key=activation.key)
        if len(reasons) > noted:
            failed.add(name)
    return failed


@contextmanager
def _noting(reasons: list[str], what: str) -> Iterator[None]:
    """Goes on after an error of the block, whose reason is noted. Raises ServerError: it concerns all that follows."""
    try:
        yield
    except ServerError:
        raise
    except LgsError as error:
        reasons.append(f"{what}: {error}")


def _told(each: str, night: Night) -> dict[str, str]:
    """What was done for a list, in words."""
    told = {f"{each}: read back": str(night.drift)} if night.drift else {}
    if night.plan:
        waits = f"Applied: accepted {night.outcome.accepted:,}." if night.outcome else "It waits to be applied."
        told[each] = f"{summary(night.plan)} {waits}"
    return told


@dg.job(
    description="Applies the removals of those who must leave, and has tools delete for good who is to be forgotten. "
    "Reads back and plans every list that an audience names a destination for; applies those with auto = true."
)
def plan_lists() -> None:
    """The job of the schedule `nightly_plans`."""
    make_plans()


class RunRetention(dg.Config):
    """How long runs are kept."""

    days: int = Field(ge=1, description="Runs that finished longer ago are deleted.")


@dg.op
def delete_runs(context: dg.OpExecutionContext, config: RunRetention) -> None:
    """Deletes the runs past their retention, except those that hold the latest state of something."""
    deleted = delete_old_runs(context.instance, finished_before=datetime.now(UTC) - timedelta(days=config.days))
    context.add_output_metadata({"runs_deleted": deleted})


@dg.graph
def delete_old() -> None:
    """The one step of `retention`."""
    delete_runs()


def retention(days: int) -> dg.JobDefinition:
    """The job of the schedule `daily_retention`, which keeps runs for this many days."""
    return delete_old.to_job(
        name=RETENTION,
        config=dg.RunConfig({"delete_runs": RunRetention(days=days)}),
        description="Deletes old runs with their events. The latest run of each table, dump and check stays.",
    )
