"""The command `lgs`: what a person does with the platform from a terminal.

Exit codes: 0 done; 1 failed, with the reason on standard error; 2 wrong usage, such as an invalid rule; 3 a check
of what was built found an error, and what a blocking check guards was left as it was, or lines of an inspected dump
would be rejected, or a destination rejected rows; 4 a guard refused.
"""

import logging
import os
import subprocess
import sys
import webbrowser
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lgs_assets import places
from lgs_assets.command import activate, audience, contacts, costs, experiment
from lgs_assets.command.reporting import REJECTED, expect_new, fail, reporting_errors
from lgs_assets.command.updating import bring_up_to_date, end_with, say_waiting, show_outcome, show_risk
from lgs_assets.command.warehouses import configured_warehouse
from lgs_assets.dashboard import PORT
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.errors import LgsError
from lgs_assets.escaping import printable
from lgs_assets.wording import counted

if TYPE_CHECKING:  # what takes long to import waits until a command needs it
    from lgs_assets.warehouse.database import Warehouse

_EXPORTS = {"charts", "demo-costs", "demo-dump", "export", "psql", "report"}  # they write files for people to hand on

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a plain traceback is what a bug report needs
    help="Customer analytics for a retailer: from invoice dumps to RFM segments and charts.",
    rich_markup_mode="rich",
)


def _say_unknown() -> None:
    """Names each variable that a misspelling may have made: it would be ignored in silence."""
    from lgs_assets.configuration import unknown_variables

    for name, likely in unknown_variables().items():
        hint = f"Did you mean {likely}?" if likely else "All are listed by lgs config."
        typer.secho(f"{printable(name)} is not a setting, so it is ignored. {hint}", err=True)


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
@reporting_errors
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
    bring_up_to_date(Configuration.read(**given), dump, force=force)


@app.command()
@reporting_errors
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
        bring_up_to_date(configuration)


@app.command()
@reporting_errors
def ui(
    port: Annotated[int, typer.Option(help="The port of the web page.")] = 3000,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    is_opened: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Serve the Dagster UI, with the daemon that runs sensors and schedules, until Ctrl-C.

    The output of its processes goes to the file ui.log in the folder of the platform's state.
    """
    from lgs_assets.command.webserver import output_into, own_origins, run_beside, serve
    from lgs_assets.configuration import Configuration
    from lgs_assets.listening import listen
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

    with run_beside(daemon, log=log), output_into(log) as terminal:
        serve(listening, origins, [*options, "--dagster-log-level", "warning"], announce=announce)


@app.command()
@reporting_errors
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
@reporting_errors
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
@reporting_errors
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

        warehouse = configured_warehouse()
        typer.echo(printable(str(put(lambda: kept(warehouse, month.date()), output))))
        return
    typer.echo(printable(str(write(tables_of(Configuration.read()), segments or [], output))))


@app.command()
@reporting_errors
def risk(
    customers: Annotated[int, typer.Option("--top", min=1, help="How many customers to show.")] = 20,
) -> None:
    """Show the most valuable customers at risk of not buying, and how wrong that has been."""
    warehouse = configured_warehouse()
    _say_if_unavailable(warehouse)
    show_risk(warehouse, customers=customers)


@app.command()
@reporting_errors
def forecast() -> None:
    """Show the sales of the months and weeks to come, and how wrong such forecasts have been."""
    from lgs_assets.command.terminal import console, error_lines, forecast_table, say

    warehouse = configured_warehouse()
    _say_if_unavailable(warehouse)
    console.print(forecast_table(warehouse))
    say(*error_lines(warehouse, "forecasts, total"))


def _say_if_unavailable(warehouse: "Warehouse") -> None:
    """Ends the command with the reason where nothing is predicted."""
    from lgs_assets.command.terminal import unavailable
    from lgs_assets.warehouse.ledger import built_tables

    if "prediction_terms" not in built_tables(warehouse):
        fail("Nothing is predicted yet: lgs run builds the tables.")
    if reason := unavailable(warehouse):
        typer.echo(f"Nothing is predicted. {reason}")
        raise typer.Exit


@app.command()
@reporting_errors
def status(
    all_checks: Annotated[
        bool, typer.Option("--check", help="Run every check now, not only those that are due.")
    ] = False,
) -> None:
    """Show what is loaded and what was refused, how fresh the tables are, who moved and which checks fail."""
    from lgs_assets.command.status import show_status
    from lgs_assets.configuration import Configuration

    if show_status(Configuration.read(), all_checks=all_checks):
        raise typer.Exit(REJECTED)


@app.command()
@reporting_errors
def accept(
    check: Annotated[str, typer.Argument(help="A check that warns, by the name that lgs status shows.")],
    rows: Annotated[
        int | None, typer.Argument(min=0, help="Up to how many rows. Default: as many as it finds now. 0: none.")
    ] = None,
) -> None:
    """Accept what a check warns of, up to a number of rows. It holds from then on, and warns when it finds more."""
    from lgs_assets.checks.findings import accept_rows
    from lgs_assets.checks.sql_checks import evaluate, evaluation
    from lgs_assets.command.terminal import say
    from lgs_assets.configuration import Configuration
    from lgs_assets.contracts.check import check_named
    from lgs_assets.warehouse.ledger import built_tables
    from lgs_assets.wiring.instance import dagster_instance
    from lgs_assets.wiring.resources import Resources

    known = check_named(check)
    if not known.is_warning:
        raise LgsError(f"{check} reports an error in the figures, which cannot be accepted. Find its cause.")
    configuration = Configuration.read()
    resources = Resources.of(configuration)
    if known.table not in built_tables(resources.warehouse):
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
@reporting_errors
def inspect(dump: Annotated[Path, typer.Argument(help="Any file that may be a dump.")]) -> None:
    """Show what a dump is and what is wrong with it, without loading it.

    Ends with exit code 3 if lines would be rejected.
    """
    from lgs_assets.command.terminal import console, inspection_table, plain, reject_table
    from lgs_assets.configuration import Configuration
    from lgs_assets.sources.compression import real
    from lgs_assets.sources.inspection import inspect_dump

    with console.status(f"Reading {plain(str(dump))}"):
        inspection = inspect_dump(real(dump), dates=Configuration.read().dates)
    console.print(inspection_table(dump, inspection))
    if inspection.rejected:
        console.print(reject_table(inspection.first_rejects))
        raise typer.Exit(REJECTED)


@app.command()
@reporting_errors
def rejects(
    dump: Annotated[str, typer.Argument(help="The name of a dump, as lgs status shows it.")],
    as_csv: Annotated[bool, typer.Option("--csv", help="Write all as CSV, instead of the first as a table.")] = False,
) -> None:
    """Show the lines of a loaded dump that were rejected, and why. A corrected dump of the same name replaces them."""
    from lgs_assets.command.terminal import show_rejects
    from lgs_assets.warehouse.ledger import loaded_dumps, rejected_lines

    warehouse = configured_warehouse()
    known = [loaded.dump for loaded in loaded_dumps(warehouse)]
    if dump not in known:
        raise LgsError(f"There is no dump {dump}. Loaded: {', '.join(known) or 'none'}.")
    show_rejects(rejected_lines(warehouse, dump), of=dump, command="rejects", as_csv=as_csv)


@app.command()
@reporting_errors
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
        with taking_turns(instance, waiting=say_waiting), step_progress() as progress:
            runner = Runner(configuration, instance, progress)
            outcome = runner.forget(dump)
    done = f"took {counted(lines, 'line')} of {dump} out" if lines else f"forgot {dump}, of which nothing was loaded"
    done += f"; moved its file to {aside}" if has_file else ""
    show_outcome(outcome, runner.resources.warehouse, done=done)
    end_with(outcome)


@app.command("demo-dump")
@reporting_errors
def demo_dump(
    path: Annotated[Path, typer.Argument(help="Where to write it: .sql or .sql.gz.")] = Path(DEMO_DUMP),
    lines: Annotated[int, typer.Option(min=1000, help="About how many invoice lines.")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives other lines.")] = 2009,
    force: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
) -> None:
    """Write a synthetic dump that has the anatomy of a real one. The same seed gives the same bytes."""
    from lgs_assets.demo.dump import write_demo_dump

    expect_new(path, force=force)
    written = write_demo_dump(path, lines=lines, seed=seed)
    lines_of, customers = counted(written.lines, "synthetic line"), counted(written.customers, "customer")
    typer.echo(f"{path}: {lines_of} of {customers}")


@app.command("demo-costs")
@reporting_errors
def demo_costs(
    path: Annotated[Path, typer.Argument(help="Where to write them.")] = Path("demo_costs.csv"),
    seed: Annotated[int, typer.Option(min=0, help="That of the demo dump.")] = 2009,
    force: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
) -> None:
    """Write invented unit costs for the demo shop. The same seed gives the same bytes."""
    from lgs_assets.arrivals.costs import as_csv
    from lgs_assets.demo.costs import demo_costs

    expect_new(path, force=force)
    made = demo_costs(seed=seed)
    path.write_text("".join(as_csv(made)))
    typer.echo(f"{path}: {counted(len(made), 'invented unit cost')}; lgs costs import {path}")


@app.command()
@reporting_errors
def charts(
    folder: Annotated[Path, typer.Argument(help="Where to write them.")] = Path("charts"),
) -> None:
    """Export every chart of the report as PNG and SVG files."""
    from lgs_assets.warehouse.frames import read_frame

    frame = read_frame(configured_warehouse(), "charts").sort_values("position")
    folder.mkdir(parents=True, exist_ok=True)
    for chart in frame.to_dict("records"):
        stem = folder / f"{chart['position']:02}_{chart['name']}"
        stem.with_suffix(".png").write_bytes(chart["png"])
        stem.with_suffix(".svg").write_text(chart["svg"])
        typer.echo(f"{printable(str(stem))}.png  {printable(chart['title'])}")


@app.command()
@reporting_errors
def cards(
    folder: Annotated[Path, typer.Argument(help="Where to write them.")] = Path("cards"),
) -> None:
    """Export the card of every model, with its measured errors, as pages of Markdown."""
    from lgs_assets.models.cards import page
    from lgs_assets.warehouse.frames import read_frame

    folder.mkdir(parents=True, exist_ok=True)
    for _, card in read_frame(configured_warehouse(), "model_cards").sort_values("position").iterrows():
        file = folder / f"{card['task']}.md"
        file.write_text(page(card))
        typer.echo(f"{printable(str(file))}  {printable(card['title'])}")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@reporting_errors
def psql(context: typer.Context) -> None:
    """Open psql on the warehouse. Further arguments go to psql: lgs psql -c 'select * from segment_summary'."""
    from psycopg.conninfo import make_conninfo

    from lgs_assets.addresses import libpq_variables
    from lgs_assets.configuration import child_environment
    from lgs_assets.warehouse.schema import SCHEMA
    from lgs_assets.warehouse.server import program

    variables, others = libpq_variables(configured_warehouse().engine.url)
    options = f"{variables.get('PGOPTIONS', '')} -c search_path={SCHEMA},public"
    database = ["--dbname", make_conninfo(**others)] if others else []
    environment = child_environment(variables | {"PGOPTIONS": options})
    done = subprocess.run([program("psql"), *database, *context.args], env=environment)
    raise typer.Exit(done.returncode)


@app.command()
@reporting_errors
def stop() -> None:
    """Stop the embedded PostgreSQL. It starts again by itself when it is needed."""
    from lgs_assets.configuration import Configuration
    from lgs_assets.warehouse.server import embedded_server

    stopped = embedded_server(Configuration.read()).stop()
    typer.echo("PostgreSQL stopped." if stopped else "PostgreSQL was not running.")


@app.command("config")
@reporting_errors
def show_configuration() -> None:
    """Show everything that can be set: its value, and where that comes from. Secrets are not shown."""
    from lgs_assets.command.terminal import configuration_table, console
    from lgs_assets.configuration import Configuration

    console.print(configuration_table(Configuration.read()))
    _say_unknown()


# The groups come last, after the commands that everybody needs.
app.add_typer(audience.commands, name="audience")
app.add_typer(contacts.commands, name="contacts")
app.add_typer(activate.commands, name="activate")
app.command("forget-customer")(contacts.forget_customer)
app.command("demo-contacts")(contacts.write_demo_contacts)
app.add_typer(experiment.commands, name="experiment")
app.add_typer(costs.commands, name="costs")
