"""The commands of `lgs activate`: plan what a destination is told, review the plan, and send exactly that."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lgs_assets.command.reporting import REJECTED, reporting_errors
from lgs_assets.command.warehouses import warehouse_with_contacts, warehouse_with_facts
from lgs_assets.escaping import printable
from lgs_assets.wording import counted

if TYPE_CHECKING:  # what takes long to import waits until a command needs it
    from lgs_assets.action.lists.plans import Plan

commands = typer.Typer(
    no_args_is_help=True, help="Plan what a destination is told, review the plan, and send exactly that."
)


@commands.command("plan")
@reporting_errors
def plan_activation(
    name: Annotated[str, typer.Argument(metavar="AUDIENCE", help="An audience, as lgs audience list shows it.")],
    destination: Annotated[
        str, typer.Argument(metavar="DESTINATION", help="Where it goes: drop, webhook, klaviyo, mailchimp or hubspot.")
    ],
    allow_removals: Annotated[
        int | None, typer.Option(min=1, help="Allow exactly this many removals, even above the guard's limit.")
    ] = None,
    allow_adds: Annotated[int | None, typer.Option(min=1, help="Allow exactly this many additions.")] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Also plan customers whom the destination rejected before.")
    ] = False,
    place: Annotated[
        Literal["same", "new"] | None,
        typer.Option(help="After another key, URL or folder was set: whether that is the same list or a new one."),
    ] = None,
) -> None:
    """Show what a destination would be told of an audience, as a numbered plan. Nothing is sent."""
    from lgs_assets.action.audiences import planned_audience
    from lgs_assets.action.destinations.configured import destination_named
    from lgs_assets.action.lists.guards import Allowance
    from lgs_assets.action.lists.planning import left_out, make_plan
    from lgs_assets.action.lists.plans import reasons
    from lgs_assets.command.terminal import plain, say, show_left_behind
    from lgs_assets.configuration import Configuration
    from lgs_assets.errors import GuardError

    configuration = Configuration.read()
    chosen = destination_named(configuration, destination)
    warehouse = warehouse_with_contacts()
    audience = planned_audience(warehouse, name)
    allowance = Allowance(allow_removals, allow_adds)
    key = configuration.pseudonym_key
    plan = make_plan(warehouse, audience, chosen, key=key, allowance=allowance, retry=retry, place_is=place)
    show_left_behind(warehouse, destination=chosen.name, audience=audience.name)
    if plan is None:
        say(
            f"{plain(destination)} holds exactly the members of {audience.name} that may be sent. Nothing to do."
            + (f" Left out: {out}." if (out := reasons(left_out(warehouse, audience, chosen, key=key))) else "")
        )
        return
    _show_plan(plan)
    if plan.refusal:
        raise GuardError(f"Refused: {plan.refusal}")


@commands.command("show")
@reporting_errors
def show_plan(
    number: Annotated[int, typer.Argument(metavar="N", help="The number of a plan.")],
    rows: Annotated[int, typer.Option(min=0, help="How many changes to show.")] = 20,
) -> None:
    """Show a plan: its changes, who is left out and why, and what became of it."""
    from lgs_assets.action.lists.plans import changes_of, plan_numbered
    from lgs_assets.command.terminal import change_table, console, say, show_left_behind

    warehouse = warehouse_with_facts()
    plan = plan_numbered(warehouse, number)
    changes = changes_of(warehouse, number)
    console.print(change_table(changes[:rows]))
    if len(changes) > rows:
        say(f"and {len(changes) - rows:,} more")
    show_left_behind(warehouse, destination=plan.destination, audience=plan.audience)
    states = Counter(change["state"] for change in changes)
    say(", ".join(f"{state} {count:,}" for state, count in sorted(states.items())))
    _show_plan(plan)


@commands.command("list")
@reporting_errors
def list_plans() -> None:
    """Show the last plans, and what became of each."""
    from lgs_assets.action.lists.plans import plans
    from lgs_assets.command.terminal import console, plan_table

    console.print(plan_table(plans(warehouse_with_facts())))


@commands.command("drift")
@reporting_errors
def show_drift(
    name: Annotated[str, typer.Argument(metavar="AUDIENCE", help="An audience, as lgs audience list shows it.")],
    destination: Annotated[
        str, typer.Argument(metavar="DESTINATION", help="Where its list is: klaviyo, mailchimp or hubspot.")
    ],
    rows: Annotated[int, typer.Option(min=0, help="Name so many of the customers who are missing.")] = 20,
) -> None:
    """Read a list back: who is missing, who is not ours, and who objected there. Objections are taken over."""
    from lgs_assets.action.audiences import planned_audience
    from lgs_assets.action.destinations.configured import destination_named
    from lgs_assets.action.lists.drift import check_drift
    from lgs_assets.command.terminal import console, say, show_left_behind, show_removals
    from lgs_assets.configuration import Configuration

    configuration = Configuration.read()
    chosen = destination_named(configuration, destination)
    warehouse = warehouse_with_contacts()
    audience = planned_audience(warehouse, name)
    with console.status(f"Reading the list {audience.name} of {chosen.name}"):
        drift = check_drift(warehouse, audience.name, chosen, key=configuration.pseudonym_key)
    show_left_behind(warehouse, destination=chosen.name, audience=audience.name)
    if drift is None:
        say(f"{chosen.name} cannot be read back; it only receives.")
        return
    say(str(drift))
    if drift.missing:
        missing = ", ".join(map(str, drift.missing[:rows])) + (", …" if len(drift.missing) > rows else "")
        say(f"Missing: {missing}. Somebody took them off; they are not put back.")
    if drift.objected:
        say("Customers who objected there are now suppressed here as well.")
        show_removals(drift.removals)


@commands.command()
@reporting_errors
def emptied(
    name: Annotated[str, typer.Argument(metavar="AUDIENCE", help="An audience, also one whose file is gone.")],
    destination: Annotated[str, typer.Argument(metavar="DESTINATION", help="The destination whose list it was.")],
    is_gone: Annotated[
        bool, typer.Option("--gone", help="The list is gone from where the destination is now, too.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --gone, do not ask.")] = False,
) -> None:
    """Say that you have emptied, by hand, the lists that a destination left behind, so that no more is said of them."""
    from lgs_assets.action.destinations.configured import NEEDS
    from lgs_assets.action.lists.moving import held_here, note_emptied
    from lgs_assets.errors import UsageError

    if destination not in NEEDS:
        raise UsageError(f"There is no destination {destination!r}. There are: {', '.join(NEEDS)}.")
    warehouse = warehouse_with_facts()
    if is_gone and not yes and (customers := held_here(warehouse, destination, name)):
        typer.confirm(
            f"{destination} counts as holding {counted(customers, 'customer')} of {printable(name)}. Is that list gone "
            "there? Nobody is removed from it any more, whoever objects, and the next plan of it is a first list, "
            "without guards",
            abort=True,
        )
    customers = note_emptied(warehouse, destination, name, is_gone=is_gone)
    if customers:
        typer.echo(f"Noted as taken off those lists: {counted(customers, 'customer')} of {printable(name)}.")
    else:
        typer.echo(f"No customer of {printable(name)} is left behind at a former place of {printable(destination)}.")


@commands.command("cancel")
@reporting_errors
def cancel(number: Annotated[int, typer.Argument(metavar="N", help="The number of a plan.")]) -> None:
    """End a plan, also one that is applied in part: nothing more of it is sent. What was accepted stays."""
    from lgs_assets.action.lists.applying import cancel_plan
    from lgs_assets.command.terminal import show_removals

    done = cancel_plan(warehouse_with_contacts(), number)
    unknown = f"; {counted(done.may_have_arrived, 'change')} may have arrived" if done.may_have_arrived else ""
    typer.echo(f"Plan {number} is cancelled: {counted(done.accepted, 'change')} accepted before{unknown}.")
    show_removals(done.removals)


@commands.command("apply")
@reporting_errors
def apply(number: Annotated[int, typer.Argument(metavar="N", help="The number of a plan.")]) -> None:
    """Send exactly what a plan says, once. One that was interrupted goes on where it stopped."""
    from lgs_assets.action.audiences import version_now
    from lgs_assets.action.destinations.configured import destination_named
    from lgs_assets.action.lists.applying import NOT_LISTED, apply_plan
    from lgs_assets.action.lists.plans import plan_numbered
    from lgs_assets.command.terminal import console, remark, say, show_removals
    from lgs_assets.configuration import Configuration

    configuration = Configuration.read()
    warehouse = warehouse_with_contacts()
    plan = plan_numbered(warehouse, number)
    chosen = destination_named(configuration, plan.destination)
    version = None if plan.is_leaving else version_now(plan.audience)
    with console.status(f"Sending plan {number} to {chosen.name}"):
        done = apply_plan(warehouse, number, chosen, key=configuration.pseudonym_key, version=version)
    say(f"Plan {number} is applied: {counted(done.accepted, 'change')} accepted.")
    withheld = Counter(done.withheld.values())
    if already := withheld.pop(NOT_LISTED, 0):  # another plan has done it
        say(f"Already off the list: {already:,}.")
    for what, reasons in (("Rejected", Counter(done.rejected.values())), ("Withheld", withheld)):
        for reason, times in reasons.items():
            remark(f"{what}: {times:,}, {reason}")
    show_removals(done.removals)
    if done.rejected or withheld:
        raise typer.Exit(REJECTED)


def _show_plan(plan: "Plan") -> None:
    from lgs_assets.action.lists.plans import decisions, summary
    from lgs_assets.command.terminal import plain, say

    say(plain(summary(plan)), plain(decisions(plan)))
    if plan.state == "planned":
        say(
            f"Nothing is sent yet. To see the changes: lgs activate show {plan.plan}; to send them: "
            f"lgs activate apply {plan.plan}"
        )
    else:
        say(f"State: {plan.state}")
