"""How a command brings the tables up to date, and shows what they say then."""

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lgs_assets.command.reporting import REJECTED, fail
from lgs_assets.wording import counted

if TYPE_CHECKING:  # what takes long to import waits until a command needs it
    from lgs_assets.command.runner import Outcome, Step
    from lgs_assets.configuration import Configuration
    from lgs_assets.warehouse.database import Warehouse


def show_outcome(outcome: "Outcome", warehouse: "Warehouse", *, done: str = "") -> None:
    """What a command has done, the segments as they are now, and the checks that do not hold."""
    from lgs_assets.command.terminal import check_lines, console, movement_lines, plain, remark, say, segment_table
    from lgs_assets.warehouse.ledger import built_tables

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
    built = built_tables(warehouse)
    if "segment_summary" in built:
        console.print(segment_table(warehouse))
    if "segment_migrations" in built:
        say(*movement_lines(warehouse))
    show_risk(warehouse, customers=10)
    for check in outcome.failed_checks:
        rows, accepted = (int(str(check.metadata[name].value)) for name in ("violating_rows", "accepted_rows"))
        name = f"{check.asset_key.to_user_string()}.{check.check_name}"
        is_warning = check.severity.value == "WARN"
        lines = check_lines(name, check.description or "", rows=rows, accepted=accepted, is_warning=is_warning)
        console.print(*lines, sep="\n")


def show_risk(warehouse: "Warehouse", *, customers: int) -> None:
    """The most valuable customers at risk, if anybody is known to be."""
    from lgs_assets.command.terminal import calibration_lines, console, error_lines, risk_table, say
    from lgs_assets.warehouse.ledger import built_tables

    built = built_tables(warehouse)
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


def end_with(outcome: "Outcome") -> None:
    """Ends the command as its outcome asks: with an error for refused dumps, with REJECTED for errors of checks."""
    if outcome.refused:
        fail("\n".join(outcome.refused))
    if any(check.severity.value == "ERROR" for check in outcome.failed_checks):
        raise typer.Exit(REJECTED)


def say_waiting() -> None:
    """Tells why nothing happens yet."""
    typer.secho("Another command is at work. Waiting for it to finish.", err=True)


def bring_up_to_date(configuration: "Configuration", dump: Path | None = None, *, force: bool = False) -> None:
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
        taking_turns(instance, waiting=say_waiting),
        step_progress() as progress,
    ):
        runner = Runner(configuration, instance, report)
        outcome = runner.bring_up_to_date(dump, force=force)
    show_outcome(outcome, runner.resources.warehouse)
    if configuration.settings != configuration.read().settings:
        say("These settings hold until the next rebuild; the variables LGS_… keep them: docs/settings.md.")
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
    end_with(outcome)
