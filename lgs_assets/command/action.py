"""The commands of `lgs` about what leaves the house: audiences, contacts and destinations."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lgs_assets.command.reporting import REJECTED, expect_new, reporting_errors
from lgs_assets.escaping import printable
from lgs_assets.wording import counted

if TYPE_CHECKING:  # what takes long to import waits until a command needs it
    from lgs_assets.action.contact_file import ContactReject
    from lgs_assets.action.plans import Plan
    from lgs_assets.action.rules import Rule
    from lgs_assets.warehouse.database import Warehouse

_contacts = typer.Typer(no_args_is_help=True, help="Where customers can be reached, and who must not be written to.")
_activate = typer.Typer(
    no_args_is_help=True, help="Plan what a destination is told, review the plan, and send exactly that."
)
_audience = typer.Typer(no_args_is_help=True, help="Whom marketing speaks to, and what a rule would find.")


def add_to(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.add_typer(_audience, name="audience")
    app.add_typer(_contacts, name="contacts")
    app.add_typer(_activate, name="activate")
    app.command("forget-customer")(forget_customer)
    app.command("demo-contacts")(write_demo_contacts)


def warehouse_with_facts() -> "Warehouse":
    """The warehouse, in which there are facts to ask. Raises LgsError where there are none yet."""
    from lgs_assets.configuration import Configuration
    from lgs_assets.errors import LgsError
    from lgs_assets.warehouse.ledger import built_tables
    from lgs_assets.wiring.resources import Resources

    warehouse = Resources.of(Configuration.read()).warehouse
    if "audience_facts" not in built_tables(warehouse):
        raise LgsError("There is no table audience_facts yet: lgs run")
    return warehouse


def _warehouse_with_contacts() -> "Warehouse":
    """The warehouse with facts, for what handles contacts there. Warns if the server's log may show them."""
    from lgs_assets.action.private import log_warning

    warehouse = warehouse_with_facts()
    if warning := log_warning(warehouse):
        typer.secho(warning, err=True, fg=typer.colors.YELLOW)
    return warehouse


@_audience.command("list")
@reporting_errors
def list_audiences() -> None:
    """Show every audience: how many customers it has, how many may be sent to, and what they are worth."""
    from lgs_assets.action.audiences import gone, read_audiences, size
    from lgs_assets.action.contacts import reach
    from lgs_assets.command.terminal import audience_table, console, remark

    warehouse = warehouse_with_facts()
    rows = [(each, size(warehouse, each.rule), reach(warehouse, each.rule).get("", 0)) for each in read_audiences()]
    console.print(audience_table(rows))
    for name, destination, customers in gone(warehouse):
        remark(
            f"{name}: its file is gone, and {destination} still holds {counted(customers, 'customer')} of it. "
            f"To plan that they leave: lgs activate plan {name} {destination}"
        )


@_audience.command()
@reporting_errors
def show(
    name: Annotated[str, typer.Argument(metavar="AUDIENCE", help="An audience, as lgs audience list shows it.")],
) -> None:
    """Show one audience: its rule, its size and worth, and what a destination may know of its members."""
    from lgs_assets.action.audiences import audience_named
    from lgs_assets.action.rule_words import in_words
    from lgs_assets.command.terminal import plain, say

    audience = audience_named(name)
    warehouse = warehouse_with_facts()
    say(f"[bold]{audience.name}[/]  {plain(audience.description)}")
    say(f"Rule: {plain(audience.where)}")
    say(f"In words: {plain(in_words(audience.where))}.")
    fields = ", ".join(f"{field} = {column}" for field, column in audience.fields.items())
    say(f"Fields that may leave: {plain(fields) or 'none'}")
    most = "any number" if audience.limits.at_most is None else f"{audience.limits.at_most:,}"
    say(f"Members allowed: {audience.limits.at_least:,} to {most}")
    say(f"Version: {audience.version[:16]}")
    _show_size(warehouse, audience.rule)


@_audience.command()
@reporting_errors
def preview(
    rule: Annotated[
        str, typer.Argument(metavar="RULE", help="A condition, such as \"country = 'EIRE' and m_score = 5\".")
    ],
) -> None:
    """Show what a rule would find: size, worth, and texts in it that no customer has. Nothing is kept."""
    from lgs_assets.action.rules import judge

    judged = judge(rule)
    _show_size(warehouse_with_facts(), judged)


def _show_size(warehouse: "Warehouse", rule: "Rule") -> None:
    from lgs_assets.action.audiences import FORGOTTEN, OBJECTED, size, unmatched
    from lgs_assets.action.contacts import reach
    from lgs_assets.command.terminal import remark, say

    found = size(warehouse, rule)
    share = 100 * found.customers / found.of if found.of else 0
    say(
        f"{counted(found.customers, 'customer')} of {found.of:,} ({share:.1f} %), worth £{found.monetary:,.2f} before "
        f"returns and £{found.net_revenue:,.2f} after."
    )
    reached = reach(warehouse, rule)
    why = {True: "", False: ""}  # those in no audience are not among the customers above
    for reason, number in reached.items():
        if reason:
            why[reason in (OBJECTED, FORGOTTEN)] += f"; {reason} {number:,}"
    say(
        f"Reachable: {reached.get('', 0):,}."
        + (f" The others: {why[False][2:]}." if why[False] else "")
        + (f" In no audience, whatever its rule: {why[True][2:]}." if why[True] else "")
    )
    for text in unmatched(warehouse, rule):
        remark(text)


@_contacts.command("import")
@reporting_errors
def import_file(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A CSV file with a header; docs/consent.md has its columns.")
    ],
) -> None:
    """Import contacts from a CSV file. Invalid lines are kept aside, with the reason."""
    from lgs_assets.action.contacts import import_contacts
    from lgs_assets.command.terminal import remark, say
    from lgs_assets.configuration import Configuration

    configuration = Configuration.read()
    key = configuration.pseudonym_key
    warehouse = _warehouse_with_contacts()
    done = import_contacts(warehouse, file, key=key, reject_limit=configuration.acceptance.reject_limit)
    say(f"Imported {counted(done.contacts, 'contact')}.")
    if done.objected:
        remark(
            f"{done.objected:,} of them objected before, whatever the file says: nothing is sent to them, "
            "nor to these addresses."
        )
    _show_removals(done.removals)
    _show_rejects(done.rejects)
    if done.rejects:
        raise typer.Exit(REJECTED)


@_contacts.command("status")
@reporting_errors
def show_contacts() -> None:
    """Show how many contacts and suppressions there are, and the rejected lines of the last import. No address."""
    from lgs_assets.action.contacts import contact_status
    from lgs_assets.command.terminal import say

    warehouse = _warehouse_with_contacts()
    status = contact_status(warehouse)
    say(f"{counted(sum(status.contacts.values()), 'contact')}, {status.declined:,} of them declined marketing")
    for (basis, kind), number in status.contacts.items():
        say(f"  {basis}, {kind}: {number:,}")
    for reason, number in status.suppressed.items():
        say(f"Suppressed, {reason}: {number:,}")
    _show_rejects(status.rejects)


@_contacts.command("object")
@reporting_errors
def record_objection(
    customer_id: Annotated[int, typer.Argument(metavar="CUSTOMER", help="The number of the customer.")],
) -> None:
    """Record that a customer objects to marketing: suppressed for good, and out of every audience at once."""
    from lgs_assets.action.contacts import object_to_marketing

    warehouse = _warehouse_with_contacts()
    done = object_to_marketing(warehouse, customer_id)
    typer.echo(f"Customer {customer_id} is no longer in any audience, and nothing is sent to them.")
    _show_removals(done.removals)
    _show_left_behind(warehouse, customer_id=customer_id)


@reporting_errors
def forget_customer(
    customer_id: Annotated[int, typer.Argument(metavar="CUSTOMER", help="The number of the customer.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    permanently: Annotated[
        bool, typer.Option("--permanently", help="Have Mailchimp delete them, too: it never takes the address again.")
    ] = False,
) -> None:
    """Delete a customer's contact for good, here and at the tools that had it from here, and suppress the address.

    Klaviyo and HubSpot are asked at once to delete them, which Klaviyo does in its own time; for other destinations a
    removal from their lists is planned. Invoices stay, under their number. What was cut short goes on when the command
    is run again.
    """
    from lgs_assets.action.destinations.configured import configured_destinations
    from lgs_assets.action.forgetting import forget
    from lgs_assets.configuration import Configuration

    if not yes:
        typer.confirm(
            f"Forget customer {customer_id}: delete their contact, here and at the tools, and suppress their address?",
            abort=True,
        )
    configuration = Configuration.read()
    warehouse = _warehouse_with_contacts()
    destinations, faults = configured_destinations(configuration)
    key = configuration.pseudonym_key
    done = forget(warehouse, customer_id, destinations, key=key, faults=faults, permanently=permanently)
    contact = "contact deleted, address suppressed" if done.had_contact else "there was no contact"
    typer.echo(f"Forgot customer {customer_id}: {contact}; out of every audience. Invoices stay, as tax law asks.")
    for name, said in done.answers.items():
        typer.echo(f"{name} {said}.")
    for name in done.keeping:
        typer.echo(
            f"{name} keeps the contact. To delete it there, so that the address can never be imported again: "
            f"lgs forget-customer {customer_id} --permanently"
        )
    _show_removals(done.removals)
    for name, reason in done.failures.items():
        typer.secho(f"Not deleted at {name}: {printable(reason)}", err=True, fg=typer.colors.RED)
    if done.failures:
        typer.secho("To try again, once that is seen to, run the same command.", err=True, fg=typer.colors.RED)
    if _show_left_behind(warehouse, customer_id=customer_id) or done.failures:
        raise typer.Exit(REJECTED)


def _show_left_behind(
    warehouse: "Warehouse",
    *,
    destination: str | None = None,
    audience: str | None = None,
    customer_id: int | None = None,
) -> bool:
    """Tells what no plan reaches: former places of destinations, and former addresses. Returns whether there is any."""
    from lgs_assets.action.drift import strays
    from lgs_assets.action.moving import left_behind
    from lgs_assets.command.terminal import remark

    told = left_behind(warehouse, destination=destination, audience=audience, customer_id=customer_id)
    told += strays(warehouse, destination=destination, audience=audience, customer_id=customer_id)
    for sentence in told:
        remark(f"{sentence}.")
    return bool(told)


def _show_removals(plans: "Sequence[int]") -> None:
    for number in plans:
        typer.echo(f"Removal planned from a list that may not hold them any more: lgs activate apply {number}")


@reporting_errors
def write_demo_contacts(
    path: Annotated[Path, typer.Argument(help="Where to write them.")] = Path("demo-contacts.csv"),
    force: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
) -> None:
    """Write invented contacts, of example.test, for the customers of the demo dump."""
    import csv

    from lgs_assets.demo import DEMO_DUMP
    from lgs_assets.demo.contacts import demo_contacts
    from lgs_assets.errors import LgsError
    from lgs_assets.warehouse.ledger import loaded_dumps

    warehouse = warehouse_with_facts()
    if [loaded.dump for loaded in loaded_dumps(warehouse)] != [DEMO_DUMP]:
        raise LgsError("Contacts are invented for the demo dump alone: these customers are real.")
    expect_new(path, force=force)
    customers = [row.customer_id for row in warehouse.rows("select customer_id from customer_profile order by 1")]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(demo_contacts(customers))
    typer.echo(f"{path}: contacts of invented customers, at example.test")


@_activate.command("plan")
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
    from lgs_assets.action.guards import Allowance
    from lgs_assets.action.planning import left_out, make_plan
    from lgs_assets.action.plans import reasons
    from lgs_assets.command.terminal import plain, say
    from lgs_assets.configuration import Configuration
    from lgs_assets.errors import GuardError

    configuration = Configuration.read()
    chosen = destination_named(configuration, destination)
    warehouse = _warehouse_with_contacts()
    audience = planned_audience(warehouse, name)
    allowance = Allowance(allow_removals, allow_adds)
    key = configuration.pseudonym_key
    plan = make_plan(warehouse, audience, chosen, key=key, allowance=allowance, retry=retry, place_is=place)
    _show_left_behind(warehouse, destination=chosen.name, audience=audience.name)
    if plan is None:
        say(
            f"{plain(destination)} holds exactly the members of {audience.name} that may be sent. Nothing to do."
            + (f" Left out: {out}." if (out := reasons(left_out(warehouse, audience, chosen, key=key))) else "")
        )
        return
    _show_plan(plan)
    if plan.refusal:
        raise GuardError(f"Refused: {plan.refusal}")


@_activate.command("show")
@reporting_errors
def show_plan(
    number: Annotated[int, typer.Argument(metavar="N", help="The number of a plan.")],
    rows: Annotated[int, typer.Option(min=0, help="How many changes to show.")] = 20,
) -> None:
    """Show a plan: its changes, who is left out and why, and what became of it."""
    from lgs_assets.action.plans import changes_of, plan_numbered
    from lgs_assets.command.terminal import change_table, console, say

    warehouse = warehouse_with_facts()
    plan = plan_numbered(warehouse, number)
    changes = changes_of(warehouse, number)
    console.print(change_table(changes[:rows]))
    if len(changes) > rows:
        say(f"and {len(changes) - rows:,} more")
    _show_left_behind(warehouse, destination=plan.destination, audience=plan.audience)
    states = Counter(change["state"] for change in changes)
    say(", ".join(f"{state} {count:,}" for state, count in sorted(states.items())))
    _show_plan(plan)


@_activate.command("list")
@reporting_errors
def list_plans() -> None:
    """Show the last plans, and what became of each."""
    from lgs_assets.action.plans import plans
    from lgs_assets.command.terminal import console, plan_table

    console.print(plan_table(plans(warehouse_with_facts())))


@_activate.command("drift")
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
    from lgs_assets.action.drift import check_drift
    from lgs_assets.command.terminal import console, say
    from lgs_assets.configuration import Configuration

    configuration = Configuration.read()
    chosen = destination_named(configuration, destination)
    warehouse = _warehouse_with_contacts()
    audience = planned_audience(warehouse, name)
    with console.status(f"Reading the list {audience.name} of {chosen.name}"):
        drift = check_drift(warehouse, audience.name, chosen, key=configuration.pseudonym_key)
    _show_left_behind(warehouse, destination=chosen.name, audience=audience.name)
    if drift is None:
        say(f"{chosen.name} cannot be read back; it only receives.")
        return
    say(str(drift))
    if drift.missing:
        missing = ", ".join(map(str, drift.missing[:rows])) + (", …" if len(drift.missing) > rows else "")
        say(f"Missing: {missing}. Somebody took them off; they are not put back.")
    if drift.objected:
        say("Customers who objected there are now suppressed here as well.")
        _show_removals(drift.removals)


@_activate.command()
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
    from lgs_assets.action.moving import held_here, note_emptied
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


@_activate.command("cancel")
@reporting_errors
def cancel(number: Annotated[int, typer.Argument(metavar="N", help="The number of a plan.")]) -> None:
    """End a plan, also one that is applied in part: nothing more of it is sent. What was accepted stays."""
    from lgs_assets.action.applying import cancel_plan

    done = cancel_plan(_warehouse_with_contacts(), number)
    unknown = f"; {counted(done.may_have_arrived, 'change')} may have arrived" if done.may_have_arrived else ""
    typer.echo(f"Plan {number} is cancelled: {counted(done.accepted, 'change')} accepted before{unknown}.")
    _show_removals(done.removals)


@_activate.command("apply")
@reporting_errors
def apply(number: Annotated[int, typer.Argument(metavar="N", help="The number of a plan.")]) -> None:
    """Send exactly what a plan says, once. One that was interrupted goes on where it stopped."""
    from lgs_assets.action.applying import NOT_LISTED, apply_plan
    from lgs_assets.action.audiences import version_now
    from lgs_assets.action.destinations.configured import destination_named
    from lgs_assets.action.plans import plan_numbered
    from lgs_assets.command.terminal import console, remark, say
    from lgs_assets.configuration import Configuration

    configuration = Configuration.read()
    warehouse = _warehouse_with_contacts()
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
    _show_removals(done.removals)
    if done.rejected or withheld:
        raise typer.Exit(REJECTED)


def _show_plan(plan: "Plan") -> None:
    from lgs_assets.action.plans import decisions, summary
    from lgs_assets.command.terminal import plain, say

    say(plain(summary(plan)), plain(decisions(plan)))
    if plan.state == "planned":
        say(
            f"Nothing is sent yet. To see the changes: lgs activate show {plan.plan}; to send them: "
            f"lgs activate apply {plan.plan}"
        )
    else:
        say(f"State: {plan.state}")


def _show_rejects(rejects: "Sequence[ContactReject]") -> None:
    from lgs_assets.command.terminal import SHOWN_REJECTS, remark, say

    for reject in rejects[:SHOWN_REJECTS]:
        remark(str(reject))
    if len(rejects) > SHOWN_REJECTS:
        say(f"and {len(rejects) - SHOWN_REJECTS:,} more")
