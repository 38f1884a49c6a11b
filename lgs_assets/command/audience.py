"""The commands of `lgs audience`: whom marketing speaks to, and what a rule would find."""

from typing import TYPE_CHECKING, Annotated

import typer

from lgs_assets.command.reporting import reporting_errors
from lgs_assets.command.warehouses import warehouse_with_facts
from lgs_assets.wording import counted

if TYPE_CHECKING:  # what takes long to import waits until a command needs it
    from lgs_assets.action.rules import Rule
    from lgs_assets.warehouse.database import Warehouse

commands = typer.Typer(no_args_is_help=True, help="Whom marketing speaks to, and what a rule would find.")


@commands.command("list")
@reporting_errors
def list_audiences() -> None:
    """Show every audience: how many customers it has, how many may be sent to, and what they are worth."""
    from lgs_assets.action.audiences import read_audiences, removed_audiences, size
    from lgs_assets.action.contacts import reach
    from lgs_assets.command.terminal import audience_table, console, remark

    warehouse = warehouse_with_facts()
    rows = [(each, size(warehouse, each.rule), reach(warehouse, each.rule).get("", 0)) for each in read_audiences()]
    console.print(audience_table(rows))
    for name, destination, customers in removed_audiences(warehouse):
        remark(
            f"{name}: its file is gone, and {destination} still holds {counted(customers, 'customer')} of it. "
            f"To plan that they leave: lgs activate plan {name} {destination}"
        )


@commands.command()
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


@commands.command()
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
