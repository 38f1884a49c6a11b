"""What `lgs status` shows: what is loaded and what was refused, how fresh the tables are, and which checks fail."""

from collections.abc import Collection, Sequence

from lgs_assets.checks.sql_checks import findings
from lgs_assets.command.terminal import (
    check_lines,
    console,
    dump_table,
    movement_lines,
    plain,
    profit_line,
    publication_table,
    refusal_lines,
    say,
)
from lgs_assets.configuration import Configuration, Settings, as_written
from lgs_assets.contracts.contract import RAW_INVOICES
from lgs_assets.errors import LgsError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import LoadedDump, built_tables, loaded_dumps
from lgs_assets.warehouse.tables import Tables
from lgs_assets.wiring.instance import dagster_instance
from lgs_assets.wiring.lineage import built_specs
from lgs_assets.wiring.refusals import refusals
from lgs_assets.wiring.resources import Resources
from lgs_assets.wiring.versions import in_order, outdated, settings_used


def show_status(configuration: Configuration, *, all_checks: bool) -> bool:
    """Shows it. Returns whether a check found an error. Runs `all_checks`, or those that are due."""
    resources = Resources.of(configuration)
    warehouse = resources.warehouse
    dumps = loaded_dumps(warehouse)
    _show_dumps(resources, configuration, dumps)
    if not dumps:
        say("Nothing is loaded yet: lgs run")
        return False
    _show_tables(warehouse, configuration.settings)
    built = built_tables(warehouse)
    if "segment_migrations" in built:
        say(*movement_lines(warehouse))
    if "margins" in built:
        say(profit_line(warehouse))
    return _show_checks(resources.tables, built, all_checks=all_checks)


def _show_dumps(resources: Resources, configuration: Configuration, dumps: Sequence[LoadedDump]) -> None:
    try:
        inbox = resources.inbox.files()
        files, problems = set(inbox.arrivals), inbox.refused
    except LgsError as error:  # the tables are there all the same
        files, problems = None, [str(error)]
    with dagster_instance(configuration) as instance:
        refused = refusals(instance)
    if dumps:
        console.print(dump_table(dumps))
    if refused or problems:
        say("[bold]Refused dumps[/]")
    for refusal in refused:
        has_lines = any(loaded.dump == refusal.dump for loaded in dumps)
        has_file = files is None or refusal.dump in files
        console.print(*refusal_lines(refusal, has_file=has_file, has_lines=has_lines), sep="\n")
    for reason in problems:
        say(f"  [red]✗[/] {plain(reason)}")


def _show_tables(warehouse: Warehouse, settings: Settings) -> None:
    specs = built_specs()
    tables = [table for table in in_order(specs) if table != RAW_INVOICES]
    console.print(publication_table(warehouse, tables, outdated(specs, settings, warehouse)))
    wanted = settings.model_dump()
    say(f"Settings: {', '.join(f'{name} {as_written(value)}' for name, value in wanted.items())}")
    others = [
        f"{table} with {name} {as_written(value)}"
        for table, used in settings_used(warehouse).items()
        for name, value in used.items()
        if value != wanted[name]
    ]
    if others:
        say(f"[yellow]Built with other settings: {plain('; '.join(others))}[/]")


def _show_checks(tables: Tables, built: Collection[str], *, all_checks: bool) -> bool:
    with console.status("Checking the tables"):
        found = findings(tables, built, every=all_checks)
    failed = [check for check, finding in found if finding.violating_rows > finding.accepted_rows]
    say(f"[bold]Checks[/]: {len(found) - len(failed)} of {len(found)} hold")
    for check, finding in found:
        if finding.violating_rows:
            lines = check_lines(
                check.full_name, check.description,
                rows=finding.violating_rows, accepted=finding.accepted_rows, is_warning=check.is_warning,
            )  # fmt: skip
            console.print(*lines, sep="\n")
    return any(not check.is_warning for check in failed)
