"""The commands about people: `lgs contacts`, and to forget a customer altogether."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lgs_assets.command.reporting import REJECTED, expect_new, reporting_errors
from lgs_assets.command.warehouses import warehouse_with_contacts, warehouse_with_facts
from lgs_assets.escaping import printable
from lgs_assets.wording import counted

if TYPE_CHECKING:  # what takes long to import waits until a command needs it
    from lgs_assets.action.contact_file import ContactReject

commands = typer.Typer(no_args_is_help=True, help="Where customers can be reached, and who must not be written to.")


@commands.command("import")
@reporting_errors
def import_file(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A CSV file with a header; docs/consent.md has its columns.")
    ],
) -> None:
    """Import contacts from a CSV file. Invalid lines are kept aside, with the reason."""
    from lgs_assets.action.contacts import import_contacts
    from lgs_assets.command.terminal import remark, say, show_removals
    from lgs_assets.configuration import Configuration

    configuration = Configuration.read()
    key = configuration.pseudonym_key
    warehouse = warehouse_with_contacts()
    done = import_contacts(warehouse, file, key=key, reject_limit=configuration.acceptance.reject_limit)
    say(f"Imported {counted(done.contacts, 'contact')}.")
    if done.objected:
        remark(
            f"{done.objected:,} of them objected before, whatever the file says: nothing is sent to them, "
            "nor to these addresses."
        )
    show_removals(done.removals)
    _show_rejects(done.rejects)
    if done.rejects:
        raise typer.Exit(REJECTED)


@commands.command("status")
@reporting_errors
def show_contacts() -> None:
    """Show how many contacts and suppressions there are, and the rejected lines of the last import. No address."""
    from lgs_assets.action.contacts import contact_status
    from lgs_assets.command.terminal import say

    warehouse = warehouse_with_contacts()
    status = contact_status(warehouse)
    say(f"{counted(sum(status.contacts.values()), 'contact')}, {status.declined:,} of them declined marketing")
    for (basis, kind), number in status.contacts.items():
        say(f"  {basis}, {kind}: {number:,}")
    for reason, number in status.suppressed.items():
        say(f"Suppressed, {reason}: {number:,}")
    _show_rejects(status.rejects)


@commands.command("object")
@reporting_errors
def record_objection(
    customer_id: Annotated[int, typer.Argument(metavar="CUSTOMER", help="The number of the customer.")],
) -> None:
    """Record that a customer objects to marketing: suppressed for good, and out of every audience at once."""
    from lgs_assets.action.contacts import object_to_marketing
    from lgs_assets.command.terminal import show_left_behind, show_removals

    warehouse = warehouse_with_contacts()
    done = object_to_marketing(warehouse, customer_id)
    typer.echo(f"Customer {customer_id} is no longer in any audience, and nothing is sent to them.")
    show_removals(done.removals)
    show_left_behind(warehouse, customer_id=customer_id)


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
    from lgs_assets.command.terminal import show_left_behind, show_removals
    from lgs_assets.configuration import Configuration

    if not yes:
        typer.confirm(
            f"Forget customer {customer_id}: delete their contact, here and at the tools, and suppress their address?",
            abort=True,
        )
    configuration = Configuration.read()
    warehouse = warehouse_with_contacts()
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
    show_removals(done.removals)
    for name, reason in done.failures.items():
        typer.secho(f"Not deleted at {name}: {printable(reason)}", err=True, fg=typer.colors.RED)
    if done.failures:
        typer.secho("To try again, once that is seen to, run the same command.", err=True, fg=typer.colors.RED)
    if show_left_behind(warehouse, customer_id=customer_id) or done.failures:
        raise typer.Exit(REJECTED)


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


def _show_rejects(rejects: "Sequence[ContactReject]") -> None:
    from lgs_assets.command.terminal import SHOWN_REJECTS, remark, say

    for reject in rejects[:SHOWN_REJECTS]:
        remark(str(reject))
    if len(rejects) > SHOWN_REJECTS:
        say(f"and {len(rejects) - SHOWN_REJECTS:,} more")
