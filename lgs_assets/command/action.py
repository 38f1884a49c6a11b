"""The commands of `lgs` about what leaves the house: audiences, contacts and destinations."""

from typing import TYPE_CHECKING, Annotated

import typer

from lgs_assets.command.reporting import reporting_errors
from lgs_assets.wording import counted

if TYPE_CHECKING:  # what takes long to import waits until a command needs it
    from lgs_assets.action.rules import Rule
    from lgs_assets.warehouse.database import Warehouse

_audience = typer.Typer(no_args_is_help=True, help="Whom marketing speaks to, and what a rule would find.")


def add_to(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.add_typer(_audience, name="audience")


def _warehouse() -> "Warehouse":
    """The warehouse, in which there are facts to ask. Raises LgsError where there are none yet."""
    from lgs_assets.configuration import Configuration
    from lgs_assets.errors import LgsError
    from lgs_assets.wiring.resources import Resources
    from lgs_assets.wiring.versions import published_versions

    warehouse = Resources.of(Configuration.read()).warehouse
    if "audience_facts" not in published_versions(warehouse):
        raise LgsError("There is no table audience_facts yet: lgs run")
    return warehouse


@_audience.command("list")
@reporting_errors
def list_audiences() -> None:
    """Show every audience: how many customers it has, what they are worth, and what it is for."""
    from lgs_assets.action.audiences import read_audiences, size
    from lgs_assets.command.terminal import audience_table, console

    warehouse = _warehouse()
    console.print(audience_table([(each, size(warehouse, each.rule)) for each in read_audiences()]))


@_audience.command()
@reporting_errors
def show(name: Annotated[str, typer.Argument(help="An audience, by the name that lgs audience list shows.")]) -> None:
    """Show one audience: its rule, its size and worth, and what a destination may know of its members."""
    from lgs_assets.action.audiences import audience_named
    from lgs_assets.command.terminal import console, plain

    audience = audience_named(name)
    warehouse = _warehouse()
    console.print(f"[bold]{audience.name}[/]  {plain(audience.description)}", highlight=False, soft_wrap=True)
    console.print(f"Rule: {plain(audience.where)}", highlight=False, soft_wrap=True)
    fields = ", ".join(f"{field} = {column}" for field, column in audience.fields.items())
    console.print(f"Fields that may leave: {plain(fields) or 'none'}", highlight=False, soft_wrap=True)
    most = "any number" if audience.limits.at_most is None else f"{audience.limits.at_most:,}"
    console.print(f"Members allowed: {audience.limits.at_least:,} to {most}", highlight=False)
    console.print(f"Version: {audience.version[:16]}", highlight=False)
    _show_size(warehouse, audience.rule)


@_audience.command()
@reporting_errors
def preview(
    rule: Annotated[str, typer.Argument(help="A condition, such as \"country = 'EIRE' and m_score = 5\".")],
) -> None:
    """Show what a rule would find: size, worth, and texts in it that no customer has. Nothing is kept."""
    from lgs_assets.action.rules import judge

    judged = judge(rule)
    _show_size(_warehouse(), judged)


def _show_size(warehouse: "Warehouse", rule: "Rule") -> None:
    from lgs_assets.action.audiences import size, unmatched
    from lgs_assets.command.terminal import console, plain

    found = size(warehouse, rule)
    share = 100 * found.customers / found.of if found.of else 0
    console.print(
        f"{counted(found.customers, 'customer')} of {found.of:,} ({share:.1f} %), worth £{found.monetary:,.2f} before "
        f"returns and £{found.net_revenue:,.2f} after.",
        highlight=False,
        soft_wrap=True,
    )
    if found.excluded:
        console.print(f"Left out: {counted(found.excluded, 'customer')} who objected or asked to be forgotten.")
    for remark in unmatched(warehouse, rule):
        console.print(f"[yellow]![/] {plain(remark)}", highlight=False, soft_wrap=True)
