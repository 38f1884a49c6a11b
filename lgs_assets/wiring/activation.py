"""The jobs of activation: a plan that somebody has reviewed is applied, and the night's work done."""

import dagster as dg
from pydantic import Field

from lgs_assets.action.audiences import version_now
from lgs_assets.action.destinations.configured import Activation
from lgs_assets.action.lists import applying
from lgs_assets.action.lists.plans import plan_numbered
from lgs_assets.action.nightly import work
from lgs_assets.action.private import log_warning
from lgs_assets.errors import LgsError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wiring.failures import StepFailure, plain_failures
from lgs_assets.wiring.ledgers import observe_ledgers
from lgs_assets.wiring.retries import retried

_TURNS, _SECONDS_BETWEEN_TURNS = 10, 30
"""Five minutes in all: a run that waits keeps others from starting."""


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
    with plain_failures(), retried():
        _warn_of_log(context, warehouse)
        done, failures = work(warehouse, activation, warn=context.log.warning)
    context.add_output_metadata(done)
    observe_ledgers(context, warehouse)
    if failures:
        raise StepFailure(LgsError("\n".join(failures)))


def _warn_of_log(context: dg.OpExecutionContext, warehouse: Warehouse) -> None:
    if warning := log_warning(warehouse):
        context.log.warning(warning)


@dg.job(
    description="Applies the removals of those who must leave, and has tools delete for good who is to be forgotten. "
    "Reads back and plans every list that an audience names a destination for; applies those with auto = true."
)
def plan_lists() -> None:
    """The job of the schedule `nightly_plans`."""
    make_plans()
