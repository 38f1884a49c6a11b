"""The command `lgs`: what a person does with the platform from a terminal.

Exit codes: 0 done; 1 failed, with the reason on standard error; 2 wrong usage, such as an invalid rule; 3 a check
of what was built found an error, and what a blocking check guards was left as it was, or lines of an inspected dump
would be rejected, or a destination rejected rows; 4 a guard refused.
"""

import csv
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TextIO

import typer

from lgs_assets import places
from lgs_assets.command import action, experiment
from lgs_assets.command.reporting import REJECTED
from lgs_assets.command.reporting import fail as _fail
from lgs_assets.command.reporting import reporting_errors as _reporting_errors
from lgs_assets.dashboard import PORT
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.errors import LgsError
from lgs_assets.escaping import csv_cell, printable
from lgs_assets.wording import counted

if TYPE_CHECKING:  # what takes long to import waits until a command needs it
    from sqlalchemy import URL

    from lgs_assets.command.runner import Outcome, Step
    from lgs_assets.configuration import Configuration
    from lgs_assets.sources import Reject
    from lgs_assets.warehouse.database import Warehouse

_SHOWN_CODES = 5
_EXPORTS = {"charts", "demo-costs", "demo-dump", "export", "psql", "report"}  # they write files for people to hand on

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a plain traceback is what a bug report needs
    help="Customer analytics for a retailer: from invoice dumps to RFM segments and charts.",
    rich_markup_mode="rich",
)


costs = typer.Typer(no_args_is_help=True, help="What products cost the shop, from which margins are computed.")


def _show(outcome: "Outcome", warehouse: "Warehouse", *, done: str = "") -> None:
    """What a command has done, the segments as they are now, and the checks that do not hold."""
    from lgs_assets.command.terminal import check_lines, console, movement_lines, plain, remark, say, segment_table
    from lgs_assets.wiring.versions import published_versions

    did = [done] if done else []
    did += [f"loaded {', '.join(outcome.loaded)}"] if outcome.loaded else []
    did += [f"rebuilt {counted(len(outcome.rebuilt), 'table')}"] if outcome.rebuilt else []
    if did:
        said = "; ".join(did)
        say(f"{plain(said[0].upper() + said[1:])}.\n")
    elif not outcome.refused:
        say("Everything is up to date.\n")
    for text in outcome.remarks:
        remark(text)
    built = published_versions(warehouse)
    if "segment_summary" in built:
        console.print(segment_table(warehouse))
    if "segment_migrations" in built:
        say(*movement_lines(warehouse))
    _show_risk(warehouse, customers=10)
    for check in outcome.failed_checks:
        rows, accepted = (int(str(check.metadata[name].value)) for name in ("violating_rows", "accepted_rows"))
        name = f"{check.asset_key.to_user_string()}.{check.check_name}"
        lines = check_lines(name, check.severity.value, check.description or "", rows=rows, accepted=accepted)
        console.print(*lines, sep="\n")


def _show_risk(warehouse: "Warehouse", *, customers: int) -> None:
    """The most valuable customers at risk, if anybody is known to be."""
    from lgs_assets.command.terminal import calibration_lines, console, error_lines, risk_table, say
    from lgs_assets.wiring.versions import published_versions

    built = published_versions(warehouse)
    if "churn_risk" not in built or not warehouse.rows("select from churn_risk limit 1"):
        return
    if "audience_members" not in built:
        say(
            "Customers at risk are not listed: until audience_members is built (lgs run), it is not known which of "
            "them an experiment leaves alone."
        )
    else:
        console.print(risk_table(warehouse, customers))
        lines = (*error_lines(warehouse, "churn_risk, active in the last 365"), *calibration_lines(warehouse))
        say(*lines)


def _end_with(outcome: "Outcome") -> None:
    if outcome.refused:
        _fail("\n".join(outcome.refused))
    if any(check.severity.value == "ERROR" for check in outcome.failed_checks):
        raise typer.Exit(REJECTED)


def _warehouse() -> "Warehouse":
    from lgs_assets.configuration import Configuration
    from lgs_assets.wiring.resources import Resources

    return Resources.of(Configuration.read()).warehouse


def _say_waiting() -> None:
    typer.secho("Another command is at work. Waiting for it to finish.", err=True)


def _say_unknown() -> None:
    """Names each variable that a misspelling may have made: it would be ignored in silence."""
    from lgs_assets.configuration import unknown_variables

    for name, likely in unknown_variables().items():
        hint = f"Did you mean {likely}?" if likely else "All are listed by lgs config."
        typer.secho(f"{printable(name)} is not a setting, so it is ignored. {hint}", err=True)


def _bring_up_to_date(configuration: "Configuration", dump: Path | None = None, *, force: bool = False) -> None:
    """Loads and rebuilds what is due, and shows it. Exits with REJECTED if a check found an error."""
    from lgs_assets.command.runner import Runner
    from lgs_assets.command.terminal import console, say, segment_table, step_progress
    from lgs_assets.wiring.instance import dagster_instance, taking_turns

    def report(step: "Step") -> None:
        progress(step)
        if step.name == "check_segment_summary" and step.seconds is not None:
            # What most people wait for is done first: all else takes several times as long.
            console.print(segment_table(runner.resources.warehouse))

    with (
        dagster_instance(configuration) as instance,
        taking_turns(instance, waiting=_say_waiting),
        step_progress() as progress,
    ):
        runner = Runner(configuration, instance, report)
        outcome = runner.bring_up_to_date(dump, force=force)
    _show(outcome, runner.resources.warehouse)
    if configuration.settings != configuration.read().settings:
        say("These settings hold until the next rebuild; the variables LGS_… in the README keep them.")
    lgs = "lgs" if shutil.which("lgs") else os.path.relpath(sys.argv[0])
    say(
        "\nLook further:\n"
        f"  [bold]{lgs} dashboard[/] figures, segments and lists of customers, as pages (make dashboard)\n"
        f"  [bold]{lgs} ui[/]        the lineage, its checks and charts in the Dagster UI (make ui)\n"
        f"  [bold]{lgs} charts[/]    every chart as PNG and SVG in a folder\n"
        f"  [bold]{lgs} psql[/]      the tables in SQL: select * from segments limit 10;\n"
        f"  [bold]{lgs} status[/]    what is loaded, how fresh it is, which checks fail\n"
        "  notebooks/customer_segments.ipynb    the analysis, for any Jupyter that runs in .venv"
    )
    _end_with(outcome)


@app.callback(invoke_without_command=True)
def _main(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if show_version:
        typer.echo(version("lgs-assets"))
        raise typer.Exit
    said = logging.StreamHandler()
    logging.getLogger("lgs_assets").addHandler(said)
    context.call_on_close(partial(logging.getLogger("lgs_assets").removeHandler, said))
    if context.invoked_subcommand not in _EXPORTS:  # what the platform keeps is for this account alone
        context.call_on_close(partial(os.umask, os.umask(0o077)))


@app.command()
@_reporting_errors
def run(
    dump: Annotated[
        Path | None,
        typer.Argument(help="A dump in any format. Default: what is in the inbox, or a demo dump."),
    ] = None,
    snapshot_date: Annotated[
        str | None, typer.Option(help="The date that recency looks back from. Default: the month after the data.")
    ] = None,
    ties: Annotated[
        Literal["by_customer_id", "together"] | None,
        typer.Option(help="How equal frequencies are scored: by_customer_id or together."),
    ] = None,
    drop_repeats: Annotated[
        bool | None, typer.Option("--drop-repeats/--keep-repeats", help="Leave out lines that repeat another.")
    ] = None,
    doubled_invoices: Annotated[
        Literal["twice", "once"] | None,
        typer.Option(help="How invoices count that a dump holds twice in full: twice or once."),
    ] = None,
    pair_support: Annotated[
        int | None, typer.Option(help="In how many baskets two products must be together to count as a pair.")
    ] = None,
    chart_cutoff: Annotated[float | None, typer.Option(help="The quantile at which the amount charts are cut.")] = None,
    as_of: Annotated[
        str | None, typer.Option(help="The day that predictions are made from. Default: that of the snapshot date.")
    ] = None,
    discount_pct: Annotated[
        float | None, typer.Option(help="The yearly rate at which expected sales are discounted, in percent.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Load and rebuild even what is up to date.")] = False,
) -> None:
    """Load a dump and bring every table and chart up to date.

    What is up to date is left alone: a second run changes nothing. Settings come from the options, else from the
    environment (LGS_SNAPSHOT_DATE, LGS_TIES, LGS_DROP_REPEATS, LGS_DOUBLED_INVOICES, LGS_PAIR_SUPPORT,
    LGS_CHART_CUTOFF, LGS_AS_OF, LGS_DISCOUNT_PCT), else they have their defaults.
    """
    from lgs_assets.configuration import Configuration

    _say_unknown()
    options = {
        "snapshot_date": snapshot_date, "ties": ties, "drop_repeats": drop_repeats,
        "doubled_invoices": doubled_invoices, "pair_support": pair_support, "chart_cutoff": chart_cutoff,
        "as_of": as_of, "discount_pct": discount_pct,
    }  # fmt: skip
    given = {name: value for name, value in options.items() if value is not None}
    _bring_up_to_date(Configuration.read(**given), dump, force=force)


@app.command()
@_reporting_errors
def pull(
    everything: Annotated[
        bool, typer.Option("--everything", help="Pull all lines, not just what is new since the last loaded one.")
    ] = False,
) -> None:
    """Pull new lines from the database of LGS_SOURCE_URL and bring every table and chart up to date with them."""
    from lgs_assets.arrivals.pull import pull_new_lines
    from lgs_assets.command.terminal import console, say
    from lgs_assets.configuration import Configuration
    from lgs_assets.wiring.resources import Resources

    configuration = Configuration.read()
    resources = Resources.of(configuration)
    with console.status("Pulling") as status:
        done = pull_new_lines(
            resources.source,
            resources.inbox,
            resources.warehouse,
            everything=everything,
            warn=lambda text: console.print(printable(text, keep="\n"), style="yellow", markup=False),
            progress=lambda lines: status.update(f"Pulling: {counted(lines, 'line')}"),
        )
    if done.is_new:
        say(f"Pulled {counted(done.lines, 'line')}: {done.dump}")
    else:
        say(f"Nothing new in the table {configuration.source_table}.")
    if resources.inbox.path_of(done.dump).exists():  # if it is not new, perhaps it could not be loaded when it was
        _bring_up_to_date(configuration)


@app.command()
@_reporting_errors
def ui(
    port: Annotated[int, typer.Option(help="The port of the web page.")] = 3000,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    is_opened: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Serve the Dagster UI, with the daemon that runs sensors and schedules, until Ctrl-C.

    The output of its processes goes to the file ui.log in the folder of the platform's state.
    """
    from lgs_assets.command.webserver import listen, own_origins, serve
    from lgs_assets.configuration import Configuration
    from lgs_assets.wiring.instance import dagster_instance
    from lgs_assets.wiring.resources import Resources

    _say_unknown()
    configuration = Configuration.read()
    origins, listening = own_origins(host, port, configuration), listen(host, port)
    resources = Resources.of(configuration)
    resources.inbox.prepare()
    # Both are made once, before the processes that use them.
    resources.warehouse.prepare()
    with dagster_instance(configuration):
        pass
    os.chdir(places.ROOT)
    options = ["--workspace", "workspace.yaml", "--code-server-log-level", "error"]
    daemon = [str(Path(sys.executable).with_name("dagster-daemon")), "run", *options, "--log-level", "warning"]
    log = configuration.state / "ui.log"
    log.write_bytes(b"")

    def announce(address: str) -> None:
        print(f"The Dagster UI: {address}\nCtrl-C ends it.", file=terminal, flush=True)
        if is_opened and not webbrowser.open(address):
            print("There is no browser to open it in.", file=terminal, flush=True)

    with _beside(daemon, log=log), _output_into(log) as terminal:
        serve(listening, origins, [*options, "--dagster-log-level", "warning"], announce=announce)


@app.command()
@_reporting_errors
def dashboard(
    port: Annotated[int, typer.Option(help="The port of the pages.")] = PORT,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    is_opened: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Serve the tables as pages for people: figures, segments, lists to take away. Until Ctrl-C; changes nothing."""
    from lgs_assets.configuration import Configuration
    from lgs_assets.dashboard.serve import serve

    def announce(address: str) -> None:
        print(f"The dashboard: {address}\nCtrl-C ends it.", flush=True)
        if is_opened and not webbrowser.open(address):
            print("There is no browser to open it in.", flush=True)

    _say_unknown()
    serve(Configuration.read(), host=host, port=port, announce=announce)


@app.command()
@_reporting_errors
def export(
    folder: Annotated[Path, typer.Argument(help="Where to write them.")] = Path("customers"),
    segment: Annotated[
        list[str] | None, typer.Option("--segment", help="Only this segment; may be given several times.")
    ] = None,
) -> None:
    """Export the customers of each segment at the end of the data: a workbook, CSV files, and a manifest.

    Pages and their files are of the last whole month. The manifest has the snapshot and the settings.
    """
    from lgs_assets.configuration import Configuration
    from lgs_assets.dashboard.export import export as write_lists
    from lgs_assets.dashboard.serve import tables_of

    for file in write_lists(tables_of(Configuration.read()), folder, segment or []):
        typer.echo(printable(str(file)))


@app.command()
@_reporting_errors
def report(
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write it: .html or .pdf.")],
    segments: Annotated[list[str] | None, typer.Argument(help="Segments. Default: the whole shop on a sheet.")] = None,
    month: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m"], help="The report that was kept of this month: the shop and all segments."),
    ] = None,
) -> None:
    """Write the printable report of segments, of the whole shop, or of a past month. A PDF needs the extra `report`."""
    from lgs_assets.configuration import Configuration
    from lgs_assets.dashboard.report import put, write
    from lgs_assets.dashboard.serve import tables_of

    if month:
        if segments:
            raise typer.BadParameter("the report of a month has all segments", param_hint="--month")
        from lgs_assets.warehouse.report_archive import kept
        from lgs_assets.wiring.resources import Resources

        warehouse = Resources.of(Configuration.read()).warehouse
        typer.echo(printable(str(put(lambda: kept(warehouse, month.date()), output))))
        return
    typer.echo(printable(str(write(tables_of(Configuration.read()), segments or [], output))))


@contextmanager
def _output_into(log: Path) -> Iterator[TextIO]:
    """Has a file take what this process and those that it starts print. Yields the terminal."""
    with os.fdopen(os.dup(1), "w") as terminal, log.open("ab") as file:
        kept = os.dup(2)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield terminal
        finally:
            os.dup2(terminal.fileno(), 1)
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def _beside(command: list[str], *, log: Path) -> Iterator[None]:
    """Runs a command beside the block, and ends each of them when the other one ends. A file takes its output."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with log.open("ab") as file:
        # It hears of Ctrl-C from this process, once.
        process = subprocess.Popen(command, process_group=0, stdout=file, stderr=file)
    is_over = threading.Event()

    def watch() -> None:
        process.wait()
        if not is_over.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        has_ended = process.poll() is not None
        is_over.set()
        process.send_signal(signal.SIGINT)  # does nothing to one that has ended
        process.wait()
        if has_ended:
            _fail(f"{Path(command[0]).name} has ended by itself. The reason is at the end of {log}.")


@app.command()
@_reporting_errors
def risk(
    customers: Annotated[int, typer.Option("--top", min=1, help="How many customers to show.")] = 20,
) -> None:
    """Show the most valuable customers at risk of not buying, and how wrong that has been."""
    warehouse = _warehouse()
    _say_if_unavailable(warehouse)
    _show_risk(warehouse, customers=customers)


@app.command()
@_reporting_errors
def forecast() -> None:
    """Show the sales of the months and weeks to come, and how wrong such forecasts have been."""
    from lgs_assets.command.terminal import console, error_lines, forecast_table, say

    warehouse = _warehouse()
    _say_if_unavailable(warehouse)
    console.print(forecast_table(warehouse))
    say(*error_lines(warehouse, "forecasts, total"))


def _say_if_unavailable(warehouse: "Warehouse") -> None:
    """Ends the command with the reason where nothing is predicted."""
    from lgs_assets.command.terminal import unavailable
    from lgs_assets.wiring.versions import published_versions

    if "prediction_terms" not in published_versions(warehouse):
        _fail("Nothing is predicted yet: lgs run builds the tables.")
    if reason := unavailable(warehouse):
        typer.echo(f"Nothing is predicted. {reason}")
        raise typer.Exit


@app.command()
@_reporting_errors
def status(
    all_checks: Annotated[
        bool, typer.Option("--check", help="Run every check now, not only those that are due.")
    ] = False,
) -> None:
    """Show what is loaded and what was refused, how fresh the tables are, who moved and which checks fail."""
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
    from lgs_assets.configuration import Configuration, as_written
    from lgs_assets.warehouse.ledger import loaded_dumps
    from lgs_assets.wiring.instance import dagster_instance
    from lgs_assets.wiring.lineage import built_specs
    from lgs_assets.wiring.partitions import RAW_INVOICES
    from lgs_assets.wiring.refusals import refusals
    from lgs_assets.wiring.resources import Resources
    from lgs_assets.wiring.versions import in_order, outdated, settings_used

    configuration = Configuration.read()
    resources = Resources.of(configuration)
    warehouse = resources.warehouse
    dumps = loaded_dumps(warehouse)
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
    if not dumps:
        say("Nothing is loaded yet: lgs run")
        return
    specs = built_specs()
    tables = [table for table in in_order(specs) if table != RAW_INVOICES]
    console.print(publication_table(warehouse, tables, outdated(specs, configuration.settings, warehouse)))
    wanted = configuration.settings.model_dump()
    say(f"Settings: {', '.join(f'{name} {as_written(value)}' for name, value in wanted.items())}")
    others = [
        f"{table} with {name} {as_written(value)}"
        for table, settings in settings_used(warehouse).items()
        for name, value in settings.items()
        if value != wanted[name]
    ]
    if others:
        say(f"[yellow]Built with other settings: {plain('; '.join(others))}[/]")
    built = {row.table_name for row in warehouse.rows("select table_name from publications")} | {"raw_invoices"}
    if "segment_migrations" in built:
        say(*movement_lines(warehouse))
    if "margins" in built:
        say(profit_line(warehouse))
    with console.status("Checking the tables"):
        found = findings(resources.tables, built, every=all_checks)
    failed = [check for check, finding in found if finding.violating_rows > finding.accepted_rows]
    say(f"[bold]Checks[/]: {len(found) - len(failed)} of {len(found)} hold")
    for check, finding in found:
        if finding.violating_rows:
            lines = check_lines(
                check.full_name, check.severity.value, check.description,
                rows=finding.violating_rows, accepted=finding.accepted_rows,
            )  # fmt: skip
            console.print(*lines, sep="\n")
    if any(check.severity.value == "ERROR" for check in failed):
        raise typer.Exit(REJECTED)


@app.command()
@_reporting_errors
def accept(
    check: Annotated[str, typer.Argument(help="A check that warns, by the name that lgs status shows.")],
    rows: Annotated[
        int | None, typer.Argument(min=0, help="Up to how many rows. Default: as many as it finds now. 0: none.")
    ] = None,
) -> None:
    """Accept what a check warns of, up to a number of rows. It holds from then on, and warns when it finds more."""
    from lgs_assets.checks.findings import accept_rows
    from lgs_assets.checks.sql_checks import check_named, evaluate, evaluation
    from lgs_assets.command.terminal import say
    from lgs_assets.configuration import Configuration
    from lgs_assets.wiring.instance import dagster_instance
    from lgs_assets.wiring.resources import Resources
    from lgs_assets.wiring.versions import published_versions

    known = check_named(check)
    if known.severity.value == "ERROR":
        raise LgsError(f"{check} reports an error in the figures, which cannot be accepted. Find its cause.")
    configuration = Configuration.read()
    resources = Resources.of(configuration)
    if known.table not in published_versions(resources.warehouse):
        raise LgsError(f"There is no table {known.table} yet: lgs run")
    found = int(str(evaluate(known, resources.tables).metadata["violating_rows"].value))
    accepted = found if rows is None else rows
    accept_rows(resources.warehouse, known.table, known.name, accepted)
    with dagster_instance(configuration) as instance:
        instance.report_runless_asset_event(evaluation(known, resources.tables))  # so the UI shows it at once
    ends = (
        f"it warns when it finds more than {counted(accepted, 'row')}" if accepted else "no violating row is accepted"
    )
    say(f"{check} finds {counted(found, 'row')} now; from now on {ends}.")


@app.command()
@_reporting_errors
def inspect(dump: Annotated[Path, typer.Argument(help="Any file that may be a dump.")]) -> None:
    """Show what a dump is and what is wrong with it, without loading it.

    Ends with exit code 3 if lines would be rejected.
    """
    from lgs_assets.command.terminal import console, inspection_table, plain, reject_table
    from lgs_assets.configuration import Configuration
    from lgs_assets.sources.inspection import inspect_dump

    with console.status(f"Reading {plain(str(dump))}"):
        inspection = inspect_dump(dump.resolve(), dates=Configuration.read().dates)
    console.print(inspection_table(dump, inspection))
    if inspection.rejected:
        console.print(reject_table(inspection.first_rejects))
        raise typer.Exit(REJECTED)


@app.command()
@_reporting_errors
def rejects(
    dump: Annotated[str, typer.Argument(help="The name of a dump, as lgs status shows it.")],
    as_csv: Annotated[bool, typer.Option("--csv", help="Write all as CSV, instead of the first as a table.")] = False,
) -> None:
    """Show the lines of a loaded dump that were rejected, and why. A corrected dump of the same name replaces them."""
    from lgs_assets.warehouse.ledger import loaded_dumps, rejected_lines

    warehouse = _warehouse()
    known = [loaded.dump for loaded in loaded_dumps(warehouse)]
    if dump not in known:
        raise LgsError(f"There is no dump {dump}. Loaded: {', '.join(known) or 'none'}.")
    _show_rejects(rejected_lines(warehouse, dump), of=dump, command="rejects", as_csv=as_csv)


def _show_rejects(rejected: "Sequence[Reject]", *, of: str, command: str, as_csv: bool) -> None:
    """The first rejected lines as a table, or all as CSV."""
    from lgs_assets.command.terminal import SHOWN_REJECTS, console, plain, reject_table, say
    from lgs_assets.sources import Reject

    if as_csv:
        # Cells in quotes, for a spreadsheet may take another character than the comma for their border.
        rows = [[reject.line, *(csv_cell(text or "") for text in reject[1:])] for reject in rejected]
        csv.writer(sys.stdout, quoting=csv.QUOTE_NONNUMERIC).writerows([Reject._fields, *rows])
    elif rejected:
        console.print(reject_table(rejected[:SHOWN_REJECTS]))
        are = "is" if len(rejected) == 1 else "are"
        said = f"{counted(len(rejected), 'line')} of {plain(of)} {are} rejected; lgs {command} --csv writes all."
        say(said)
    else:
        say(f"No line of {plain(of)} is rejected.")


@app.command()
@_reporting_errors
def forget(
    dump: Annotated[str, typer.Argument(help="The name of a dump, as lgs status shows it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take the lines of a dump out again, and rebuild what was built with them.

    Its file is moved to the folder `forgotten` of the inbox.
    """
    from lgs_assets.arrivals.inbox import FORGOTTEN, is_name
    from lgs_assets.command.runner import Runner
    from lgs_assets.command.terminal import step_progress
    from lgs_assets.configuration import Configuration
    from lgs_assets.warehouse.ledger import loaded_dumps
    from lgs_assets.wiring.instance import dagster_instance, taking_turns
    from lgs_assets.wiring.resources import Resources

    if not is_name(dump):
        raise typer.BadParameter(f"{dump!r} is not the name of a dump; lgs status shows them.")
    configuration = Configuration.read()
    with dagster_instance(configuration) as instance:
        resources = Resources.of(configuration)
        lines = sum(loaded.lines for loaded in loaded_dumps(resources.warehouse) if loaded.dump == dump)
        has_file = dump in resources.inbox.files().arrivals
        aside = f"{configuration.inbox_location}/{FORGOTTEN}"
        if not yes:
            todo = [f"take {counted(lines, 'line')} of it out of the tables"] if lines else []
            todo += [f"move its file to {aside}"] if has_file else []
            question = " and ".join(todo) or "no line of it is loaded, and its file is gone"
            typer.confirm(f"Forget {printable(dump)}: {question}?", abort=True)
        with taking_turns(instance, waiting=_say_waiting), step_progress() as progress:
            runner = Runner(configuration, instance, progress)
            outcome = runner.forget(dump)
    done = f"took {counted(lines, 'line')} of {dump} out" if lines else f"forgot {dump}, of which nothing was loaded"
    done += f"; moved its file to {aside}" if has_file else ""
    _show(outcome, runner.resources.warehouse, done=done)
    _end_with(outcome)


@app.command("demo-dump")
@_reporting_errors
def demo_dump(
    path: Annotated[Path, typer.Argument(help="Where to write it: .sql or .sql.gz.")] = Path(DEMO_DUMP),
    lines: Annotated[int, typer.Option(min=1000, help="About how many invoice lines.")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives other lines.")] = 2009,
    force: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
) -> None:
    """Write a synthetic dump that has the anatomy of a real one. The same seed gives the same bytes."""
    from lgs_assets.demo.dump import write_demo_dump

    if path.exists() and not force:
        raise LgsError(f"{path} is there already; --force replaces it.")
    written = write_demo_dump(path, lines=lines, seed=seed)
    lines_of, customers = counted(written.lines, "synthetic line"), counted(written.customers, "customer")
    typer.echo(f"{path}: {lines_of} of {customers}")


@app.command("demo-costs")
@_reporting_errors
def demo_costs(
    path: Annotated[Path, typer.Argument(help="Where to write them.")] = Path("demo_costs.csv"),
    seed: Annotated[int, typer.Option(min=0, help="That of the demo dump.")] = 2009,
    force: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
) -> None:
    """Write invented unit costs for the demo shop. The same seed gives the same bytes."""
    from lgs_assets.arrivals.costs import as_csv
    from lgs_assets.demo.costs import demo_costs

    if path.exists() and not force:
        raise LgsError(f"{path} is there already; --force replaces it.")
    made = demo_costs(seed=seed)
    path.write_text("".join(as_csv(made)))
    typer.echo(f"{path}: {counted(len(made), 'invented unit cost')}; lgs costs import {path}")


@costs.command("import")
@_reporting_errors
def import_costs(
    file: Annotated[Path, typer.Argument(help="A CSV with the columns stock_code, valid_from and unit_cost.")],
) -> None:
    """Keep unit costs, in place of those of the same product and day, and compute margins with them.

    A cost holds until the next one of its product. Rejected lines are set aside with the reason (lgs costs rejects),
    and the exit code is 3. If their share exceeds LGS_REJECT_LIMIT, no cost is kept.
    """
    from lgs_assets.arrivals.costs import read_costs
    from lgs_assets.command.terminal import plain, say
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
    with dagster_instance(configuration) as instance, taking_turns(instance, waiting=_say_waiting):
        keep_costs(warehouse, read, rejected)
    products = counted(len({cost.code for cost in read}), "product")
    say(f"Kept {counted(len(read), 'unit cost')} of {products} from {plain(str(file))}.")
    if unknown := codes_without_lines(warehouse, read):
        shown = ", ".join(unknown[:_SHOWN_CODES]) + (", …" if len(unknown) > _SHOWN_CODES else "")
        say(f"No line is of {len(unknown):,} of these: {plain(shown)}. Check the stock codes.")
    if rejected:
        _show_rejects(rejected, of=str(file), command="costs rejects", as_csv=False)
    if read and loaded_dumps(warehouse):
        _bring_up_to_date(configuration)
    if rejected:
        raise typer.Exit(REJECTED)


@costs.command("rejects")
@_reporting_errors
def show_rejected_costs(
    as_csv: Annotated[bool, typer.Option("--csv", help="Write all as CSV, instead of the first as a table.")] = False,
) -> None:
    """Show the lines of the last file of unit costs that were rejected, and why."""
    from lgs_assets.warehouse.costs import rejected_costs

    _show_rejects(
        rejected_costs(_warehouse()), of="the last file of unit costs", command="costs rejects", as_csv=as_csv
    )


@app.command()
@_reporting_errors
def charts(
    folder: Annotated[Path, typer.Argument(help="Where to write them.")] = Path("charts"),
) -> None:
    """Export every chart of the report as PNG and SVG files."""
    from lgs_assets.warehouse.frames import read_frame

    frame = read_frame(_warehouse(), "charts").sort_values("position")
    folder.mkdir(parents=True, exist_ok=True)
    for chart in frame.to_dict("records"):
        stem = folder / f"{chart['position']:02}_{chart['name']}"
        stem.with_suffix(".png").write_bytes(chart["png"])
        stem.with_suffix(".svg").write_text(chart["svg"])
        typer.echo(f"{printable(str(stem))}.png  {printable(chart['title'])}")


@app.command()
@_reporting_errors
def cards(
    folder: Annotated[Path, typer.Argument(help="Where to write them.")] = Path("cards"),
) -> None:
    """Export the card of every model, with its measured errors, as pages of Markdown."""
    from lgs_assets.models.cards import page
    from lgs_assets.warehouse.frames import read_frame

    folder.mkdir(parents=True, exist_ok=True)
    for _, card in read_frame(_warehouse(), "model_cards").sort_values("position").iterrows():
        file = folder / f"{card['task']}.md"
        file.write_text(page(card))
        typer.echo(f"{printable(str(file))}  {printable(card['title'])}")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@_reporting_errors
def psql(context: typer.Context) -> None:
    """Open psql on the warehouse. Further arguments go to psql: lgs psql -c 'select * from segment_summary'."""
    from psycopg.conninfo import make_conninfo

    from lgs_assets.configuration import child_environment
    from lgs_assets.warehouse.schema import SCHEMA
    from lgs_assets.warehouse.server import program

    variables, others = _libpq_variables(_warehouse().engine.url)
    options = f"{variables.get('PGOPTIONS', '')} -c search_path={SCHEMA},public"
    database = ["--dbname", make_conninfo(**others)] if others else []
    environment = child_environment(variables | {"PGOPTIONS": options})
    done = subprocess.run([program("psql"), *database, *context.args], env=environment)
    raise typer.Exit(done.returncode)


def _libpq_variables(url: "URL") -> tuple[dict[str, str], dict[str, str]]:
    """The variables that say to PostgreSQL's programs what the URL does; and what none can say, but for secrets.

    Everybody may read the arguments of a process; its environment, only its own account.
    """
    from psycopg.pq import Conninfo

    given = {"host": url.host, "port": url.port, "user": url.username, "password": url.password, "dbname": url.database}
    words = {name: str(value) for name, value in given.items() if value is not None}
    words |= {name: ",".join(values) for name, values in url.normalized_query.items()}
    known = {option.keyword.decode(): option for option in Conninfo.get_defaults()}
    if unknown := words.keys() - known.keys():
        raise LgsError(f"LGS_DATABASE_URL: PostgreSQL has no parameter {', '.join(sorted(unknown))}.")
    variables = {envvar.decode(): word for name, word in words.items() if (envvar := known[name].envvar)}
    others = {name: word for name, word in words.items() if not (known[name].envvar or known[name].dispchar == b"*")}
    return variables, others


@app.command()
@_reporting_errors
def stop() -> None:
    """Stop the embedded PostgreSQL. It starts again by itself when it is needed."""
    from lgs_assets.configuration import Configuration
    from lgs_assets.warehouse.server import embedded_server

    stopped = embedded_server(Configuration.read()).stop()
    typer.echo("PostgreSQL stopped." if stopped else "PostgreSQL was not running.")


@app.command("config")
@_reporting_errors
def show_configuration() -> None:
    """Show everything that can be set: its value, and where that comes from. Secrets are not shown."""
    from lgs_assets.command.terminal import configuration_table, console
    from lgs_assets.configuration import Configuration

    console.print(configuration_table(Configuration.read()))
    _say_unknown()


# The groups come last, after the commands that everybody needs.
action.add_to(app)
app.add_typer(experiment.commands, name="experiment")
app.add_typer(costs, name="costs")
