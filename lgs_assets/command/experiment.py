"""The commands of `lgs experiment`: what a campaign can show, who is in which arm, and what it changed."""

import csv
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lgs_assets.command.reporting import reporting_errors
from lgs_assets.command.warehouses import warehouse_with_facts
from lgs_assets.wording import counted

if TYPE_CHECKING:  # what takes long to import waits until a command needs it
    from lgs_assets.action.experiments.detectable import Prospect

commands = typer.Typer(no_args_is_help=True, help="Whether a campaign worked: a control group, declared in advance.")

_File = Annotated[Path, typer.Argument(help="The declaration, such as experiments/win_back_call.toml.")]
_Name = Annotated[str, typer.Argument(help="An experiment that was started, by the name of its file.")]


@commands.command("plan")
@reporting_errors
def plan_experiment(file: _File) -> None:
    """Show what an experiment could detect, from the shop's own past, and whether it can answer. Changes nothing."""
    from lgs_assets.action.audiences import audience_named
    from lgs_assets.action.experiments.declaration import Declaration
    from lgs_assets.action.experiments.detectable import prospect

    declaration = Declaration.read(file)
    _show_prospect(prospect(warehouse_with_facts(), declaration, audience_named(declaration.audience)))


@commands.command("start")
@reporting_errors
def start_experiment(
    file: _File,
    counts_from: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="The day from which purchases count. Unset: tomorrow."),
    ] = None,
    underpowered: Annotated[
        str | None,
        typer.Option(help="Why to start it though it can hardly answer its question; the report begins with it."),
    ] = None,
) -> None:
    """Freeze a declaration and draw the arms. Repeating it draws nobody twice; a changed file is refused."""
    from lgs_assets.action.audiences import audience_named
    from lgs_assets.action.experiments.declaration import CONTROL, Declaration
    from lgs_assets.action.experiments.detectable import foreseen
    from lgs_assets.action.experiments.holdout import EVERYTHING
    from lgs_assets.action.experiments.starting import is_started, start
    from lgs_assets.action.experiments.state import state
    from lgs_assets.command.terminal import say

    declaration = Declaration.read(file)
    audience = audience_named(declaration.audience)
    warehouse = warehouse_with_facts()
    cap = power = doubt = None
    if not is_started(warehouse, declaration.name):
        expected, doubt = foreseen(warehouse, declaration, audience)
        if expected:
            _show_prospect(expected)
            cap, power = expected.cap, expected.power
            doubt = "This test cannot answer the question." if expected.is_underpowered else None
    first_day = counts_from.date() if counts_from else None
    done = start(
        warehouse, declaration, audience, counts_from=first_day, cap=cap, power=power, doubt=doubt,
        underpowered=underpowered if doubt else None,
    )  # fmt: skip
    sizes, early = (
        f"{arms[declaration.treatment]:,} {declaration.treatment}, {arms[CONTROL]:,} {CONTROL}"
        for arms in (done.arms, state(warehouse, declaration.name).reached_undrawn)
    )
    what = f"Wave {done.wave} is drawn" if done.wave else "Already started, so nobody is drawn again"
    say(f"{what}. {declaration.name}: {sizes}.")
    say(f"Reached through a list of {audience.name} before they were drawn: {early}.")
    if declaration.treatment == EVERYTHING:
        say(
            f"As its arm is called {EVERYTHING}, it is a global holdout: whoever is not held out may be in other "
            "experiments."
        )
    if done.busy:
        say(f"Not enrolled: {counted(done.busy, 'member')}, in another running experiment.")
    say(f"The control group is left out of every plan, of any audience, until lgs experiment stop {declaration.name}")


@commands.command("status")
@reporting_errors
def show_experiments() -> None:
    """Show every experiment that was started: its arms, who was reached, and when its result is due. No result."""
    from lgs_assets.action.experiments.conduct import remarks
    from lgs_assets.action.experiments.state import states
    from lgs_assets.command.terminal import console, experiment_table, remark, say

    found = states(warehouse_with_facts())
    if not found:
        say("No experiment was started yet: lgs experiment start FILE")
        return
    console.print(experiment_table(found))
    for state in found:
        for text in remarks(state):
            remark(f"{state.declaration.name}: {text}")


@commands.command("list")
@reporting_errors
def list_treated(name: _Name) -> None:
    """Write as CSV whom to call or write to: the treated, without those who declined. Nobody of the control group."""
    from lgs_assets.action.experiments.treated import Treated, treated
    from lgs_assets.escaping import csv_cell

    listed, left_out = treated(warehouse_with_facts(), name)
    rows = [[each.customer_id, csv_cell(each.segment), each.wave, each.arm] for each in listed]
    csv.writer(sys.stdout).writerows([Treated._fields, *rows])
    if left_out:
        reasons = ", ".join(f"{customers:,} {reason}" for reason, customers in sorted(left_out.items()))
        typer.echo(f"Left out: {reasons}. They are compared as assigned.", err=True)


@commands.command("amend")
@reporting_errors
def amend_experiment(
    name: _Name,
    what: Annotated[str, typer.Argument(help="What differed from the declaration, such as: another agency calls.")],
    because: Annotated[str, typer.Option(help="Why.")],
) -> None:
    """Record what differed from the declaration. The report says so; the declaration itself stays as it was."""
    from lgs_assets.action.experiments.starting import amend

    amend(warehouse_with_facts(), name, what, because=because)
    typer.echo(f"Recorded. The report of {name} tells it; the declaration stays as it was.")


@commands.command("stop")
@reporting_errors
def stop_experiment(name: _Name, because: Annotated[str, typer.Option(help="Why. The report tells it.")]) -> None:
    """End an experiment: its control group is held out no longer. Assignments stay, for the report."""
    from lgs_assets.action.experiments.starting import stop

    stop(warehouse_with_facts(), name, because=because)
    typer.echo(f"{name} is stopped. Its control group is in the next plans again.")


@commands.command("report")
@reporting_errors
def report_experiment(
    name: _Name,
    to: Annotated[
        Path | None, typer.Option(help="Write it to this file, and its picture beside it. Unset: show it.")
    ] = None,
) -> None:
    """Tell what an experiment found, in Markdown, the answer first; before the end, only that it is not due yet."""
    from lgs_assets.action.experiments.picture import picture
    from lgs_assets.action.experiments.report import answer, report
    from lgs_assets.action.experiments.results import analyse
    from lgs_assets.configuration import Configuration
    from lgs_assets.errors import UsageError
    from lgs_assets.escaping import printable

    warehouse = warehouse_with_facts()
    analysis = analyse(warehouse, name)
    if to is None:
        typer.echo("\n".join(printable(line) for line in report(warehouse, analysis).splitlines()))
        return
    drawn, beside = picture(analysis, cache=Configuration.read().state / "matplotlib"), to.with_suffix(".png")
    try:
        to.write_text(report(warehouse, analysis, picture=beside.name if drawn else None))
        if drawn:
            beside.write_bytes(drawn)
    except OSError as error:
        if error.filename == str(beside):
            to.unlink()  # a report without its picture
        raise UsageError(f"{error.filename}: cannot be written: {error.strerror}.") from None
    typer.echo(f"{printable(answer(analysis))}\nWritten to {to}.")


def _show_prospect(prospect: "Prospect") -> None:
    from lgs_assets.command.terminal import console, detectable_table, plain, say

    console.print(detectable_table(prospect))
    starts = ", ".join(f"{start:%Y-%m-%d}" for start in prospect.windows[0].starts)
    say(
        "Shows at: the smallest change that 80 of 100 such experiments find. Adjusted: for past spend, and capped at "
        f"the 99th percentile. Medians of the audience as it was on {starts}.\n"
    )
    say(plain(prospect.verdict))
    for way in prospect.ways_out:
        say(f"  - {plain(way)}")
    if prospect.caution:
        say(plain(prospect.caution))
