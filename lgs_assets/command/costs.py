"""The commands of `lgs costs`: what products cost the shop, from which margins are computed."""

from pathlib import Path
from typing import Annotated

import typer

from lgs_assets.command.reporting import REJECTED, reporting_errors
from lgs_assets.command.updating import bring_up_to_date, say_waiting
from lgs_assets.command.warehouses import configured_warehouse
from lgs_assets.wording import counted

commands = typer.Typer(no_args_is_help=True, help="What products cost the shop, from which margins are computed.")

_SHOWN_CODES = 5


@commands.command("import")
@reporting_errors
def import_costs(
    file: Annotated[Path, typer.Argument(help="A CSV with the columns stock_code, valid_from and unit_cost.")],
) -> None:
    """Keep unit costs, in place of those of the same product and day, and compute margins with them.

    A cost holds until the next one of its product. Rejected lines are set aside with the reason (lgs costs rejects),
    and the exit code is 3. If their share exceeds LGS_REJECT_LIMIT, no cost is kept.
    """
    from lgs_assets.arrivals.costs import read_costs
    from lgs_assets.command.terminal import plain, say, show_rejects
    from lgs_assets.configuration import Configuration
    from lgs_assets.errors import DumpError
    from lgs_assets.warehouse.costs import codes_without_lines, keep_costs, keep_rejected_costs
    from lgs_assets.warehouse.ledger import loaded_dumps
    from lgs_assets.wiring.instance import dagster_instance, taking_turns
    from lgs_assets.wiring.resources import Resources

    configuration = Configuration.read()
    warehouse = Resources.of(configuration).warehouse
    try:
        read, rejected = read_costs(file, reject_limit=configuration.reject_limit)
    except DumpError as error:
        if error.rejects:
            keep_rejected_costs(warehouse, error.rejects)
        raise
    with dagster_instance(configuration) as instance, taking_turns(instance, waiting=say_waiting):
        keep_costs(warehouse, read, rejected)
    products = counted(len({cost.code for cost in read}), "product")
    say(f"Kept {counted(len(read), 'unit cost')} of {products} from {plain(str(file))}.")
    if unknown := codes_without_lines(warehouse, read):
        shown = ", ".join(unknown[:_SHOWN_CODES]) + (", …" if len(unknown) > _SHOWN_CODES else "")
        say(f"No line is of {len(unknown):,} of these: {plain(shown)}. Check the stock codes.")
    if rejected:
        show_rejects(rejected, of=str(file), command="costs rejects", as_csv=False)
    if read and loaded_dumps(warehouse):
        bring_up_to_date(configuration)
    if rejected:
        raise typer.Exit(REJECTED)


@commands.command("rejects")
@reporting_errors
def show_rejected_costs(
    as_csv: Annotated[bool, typer.Option("--csv", help="Write all as CSV, instead of the first as a table.")] = False,
) -> None:
    """Show the lines of the last file of unit costs that were rejected, and why."""
    from lgs_assets.command.terminal import show_rejects
    from lgs_assets.warehouse.costs import rejected_costs

    rejected = rejected_costs(configured_warehouse())
    show_rejects(rejected, of="the last file of unit costs", command="costs rejects", as_csv=as_csv)
