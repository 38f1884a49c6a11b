"""What the command line shows: progress, tables and numbers."""

import csv
import shlex
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich import box
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from lgs_assets import places
from lgs_assets.configuration import Configuration, as_written, origin, variable
from lgs_assets.escaping import csv_cell, printable
from lgs_assets.wording import HOW_TO_GIVE_COSTS, MISSING_YEAR_BEFORE, UNCALIBRATED, counted, due

if TYPE_CHECKING:  # what is shown is made elsewhere, by what takes long to import
    from lgs_assets.action.audiences import Audience, Size
    from lgs_assets.action.experiments.detectable import Prospect
    from lgs_assets.action.experiments.state import State
    from lgs_assets.action.lists.plans import Plan
    from lgs_assets.command.runner import Step
    from lgs_assets.sources import Reject
    from lgs_assets.sources.inspection import Inspection
    from lgs_assets.warehouse.database import Warehouse
    from lgs_assets.warehouse.ledger import LoadedDump
    from lgs_assets.wiring.refusals import Refusal

SHOWN_CHARACTERS = 200
SHOWN_REJECTS = 50
SHOWN_FALLS, SHOWN_MOVES = 5, 3
"""Of those who slipped; of those who rose, and of those who did neither."""

console = Console()


def plain(text: str) -> str:
    """Text of others, for rich: neither markup nor what commands a terminal."""
    return escape(printable(text))


def say(*lines: str) -> None:
    """Shows lines of prose, with no number coloured. The terminal wraps them, so a file takes each whole."""
    console.print(*lines, sep="\n", highlight=False, soft_wrap=True)


def remark(text: str) -> None:
    """Shows a line that somebody should look at."""
    say(f"[yellow]![/] {plain(text)}")


class StepProgress:
    """Shows each step of a run: a spinner while it works, then its name and how long it took."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._running: dict[str, object] = {}

    def __call__(self, step: "Step") -> None:
        """Takes notice of a step that begins or ends."""
        label = step.name.replace("check_", "checks of ") if step.name.startswith("check_") else step.name
        if step.seconds is None:
            self._running[step.name] = self._progress.add_task(label, total=None)
        else:
            if (task := self._running.pop(step.name, None)) is not None:
                self._progress.remove_task(task)  # type: ignore[arg-type]
            self._progress.console.print(f"  [green]✓[/] {label:<36} [dim]{step.seconds:6.1f} s[/]")


@contextmanager
def step_progress() -> Iterator[StepProgress]:
    """Progress of a run, for the length of a `with` block."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield StepProgress(progress)


def configuration_table(configuration: Configuration) -> Table:
    """Everything that can be set: the variable, its value and where that comes from."""
    table = _table("Configuration", ("variable", "value", "from"), numbers=())
    for name, value in configuration:
        table.add_row(variable(name), plain(as_written(value)), origin(name))  # a secret prints as asterisks
    return table


def segment_table(warehouse: "Warehouse") -> Table:
    """The segments with their size and value, best customers first."""
    headings = ("segment", "customers", "%", "days", "orders", "£ each", "sales £", "%", "kept %")
    table = _table(
        "Segments: size, mean R, F and M, sales before returns, and how much was kept",
        headings,
        numbers=headings[1:],
    )
    table.padding = 0  # so that it fits into 80 columns
    for row in warehouse.rows("select * from segment_summary order by position"):
        means, kept = ("–", "–", "–"), "–"
        if row.customers:
            kept = f"{row.kept_pct:.1f}"
            means = (f"{row.recency_mean:,.0f}", f"{row.frequency_mean:,.1f}", f"{row.monetary_mean:,.0f}")
        table.add_row(
            row.segment,
            f"{row.customers:,}",
            f"{row.customers_pct:.1f}",
            *means,
            f"{row.revenue:,.2f}",
            f"{row.revenue_pct:.1f}",
            kept,
        )
    return table


def profit_line(warehouse: "Warehouse") -> str:
    """What products bring in, and of which share of sales that is known; or what to give so that it is."""
    from lgs_assets.warehouse.costs import are_known, profit

    known = profit(warehouse)
    if known is None and are_known(warehouse):
        return "[bold]Profit[/]: unit costs are known, but no product has been sold yet."
    if known is None:
        return f"[bold]Profit[/]: no unit costs are known. {HOW_TO_GIVE_COSTS}."
    share = 100 * known.known_sales / known.sales
    return (
        f"[bold]Profit[/]: £{known.margin:,.2f} over the unit costs of £{known.known_sales:,.2f} of sales, "
        f"{share:.1f} % of all: before returns, each doubled invoice once"
    )


def movement_lines(warehouse: "Warehouse") -> Iterator[str]:
    """Who moved between segments in the last whole month: those who had spent most first, and what moved them."""
    moves = warehouse.rows(_MOVES)
    if not moves:
        return
    total = sum(move.customers for move in moves)
    first = sum(move.customers for move in moves if move.is_new)
    moved = sum(move.customers for move in moves if move.direction)
    month = moves[0].snapshot_to - timedelta(days=1)
    yield (
        f"[bold]In {month:%Y-%m}[/], {moved:,} of {counted(total - first, 'customer')} moved to another segment, "
        f"{first:,} bought for the first time:"
    )
    for direction, mark, verb, most in (
        ("down", "[yellow]↓[/]", "slipped to", SHOWN_FALLS), ("up", "[green]↑[/]", "rose to", SHOWN_MOVES),
        ("neither", "[dim]→[/]", "moved to", SHOWN_MOVES),
    ):  # fmt: skip
        for move in [move for move in moves if move.direction == direction][:most]:
            alone = f"; {move.by_boundary:,} by the boundary alone" if move.by_boundary else ""
            yield f"  {mark} {move.customers:,} {plain(move.segment_from)} {verb} {plain(move.segment_to)}{alone}"
    yield "  [dim]Moves with most past sales come first. Segments are relative to the other customers of that month.[/]"


_MOVES = """
    select
        snapshot_to, segment_from, segment_to, direction, cause = 'first purchase' as is_new,
        sum(customers) as customers, coalesce(sum(customers) filter (where cause = 'boundary'), 0) as by_boundary
    from segment_migrations
    where step = 1 and snapshot_to = (
        select max(snapshot_to) from segment_migrations where step = 1 and not is_partial
    )
    group by snapshot_to, segment_from, segment_to, direction, is_new
    order by sum(monetary_before) desc, segment_from, segment_to
"""


def risk_table(warehouse: "Warehouse", customers: int) -> Table:
    """Customers at high risk who spent most in the last year, best first; marked if nobody may contact them."""
    headings = ("customer", "segment", "rank", "last bought", "next purchase", "£ in a year")
    table = _table(
        "Most valuable customers at high risk of not buying in the next 90 days",
        headings,
        numbers=headings[2:],
    )
    rows = warehouse.rows(
        f"""
        select churn_risk.*, do_not_contact.reason as do_not_contact
        from churn_risk
        left join ({(places.SQL / "do_not_contact.sql").read_text()}) as do_not_contact
            on do_not_contact.customer_id = churn_risk.customer_id
        where band = 'high'
        order by sales_365 desc, churn_risk.customer_id
        limit :customers
        """,
        customers=customers,
    )
    if any(row.do_not_contact for row in rows):
        table.caption = (
            "* Do not contact: they objected or asked to be forgotten, or a running experiment leaves them alone."
        )
    for row in rows:
        table.add_row(
            f"{row.customer_id}{' *' if row.do_not_contact else ''}",
            row.segment,
            f"{row.rank:,}",
            f"{row.last_day}",
            due(row.days_late) or "–",
            f"{row.sales_365:,.0f}",
        )
    return table


def calibration_lines(warehouse: "Warehouse") -> Iterator[str]:
    """That the bands of risk are an order only, where that is so."""
    if not warehouse.rows("select bool_and(is_calibrated) as are_chances from churn_risk")[0].are_chances:
        yield f"  [dim]{plain(UNCALIBRATED)}[/]"


def forecast_table(warehouse: "Warehouse") -> Table:
    """Net sales of the months and weeks after the last whole ones, with 80 % intervals if enough is known."""
    headings = ("from", "period", "£ expected", "£ low", "£ high", "£ a year before")
    title = "Net sales of the months and weeks after the last whole ones, with the interval of 80 %"
    table = _table(title, headings, numbers=headings[2:])
    rows = warehouse.rows("select * from forecasts where kind = 'total' order by grain, period_start")
    for row in rows:
        amounts = (row.forecast, row.low_80, row.high_80, row.year_before)
        shown = ("–" if amount is None else f"{amount:,.0f}" for amount in amounts)
        table.add_row(f"{row.period_start}", row.grain, *shown)
    reasons = {
        "low_80": "Where there is no interval, past errors are too few to say.",
        "year_before": MISSING_YEAR_BEFORE,
    }
    missing = [reason for column, reason in reasons.items() if any(row[column] is None for row in rows)]
    table.caption = " ".join(missing) or None
    return table


def error_lines(warehouse: "Warehouse", tasks: str) -> Iterator[str]:
    """How wrong what is shown has been, as a figure beside its baseline's; `tasks` begins the names of the tasks."""
    rows = warehouse.rows(
        """
        select *, coalesce(difference_low > 0 or difference_high < 0, false) as is_difference_shown
        from model_evaluations
        where fold = 'pooled' and is_used and metric in ('auc', 'wape') and task like :tasks || '%'
        order by task, source
        """,
        tasks=tasks,
    )
    for row in rows:
        task = f"{row.task}, live" if row.source == "live" else row.task
        if row.value is None:
            yield f"  [dim]{plain(f'{task}: {row.unavailable_because}')}[/]"
            continue
        said = f"{row.metric} {row.value:.3f}"
        if row.ci_low is not None:
            said += f" ({row.ci_low:.3f} to {row.ci_high:.3f})"
        if row.baseline_value is not None:
            said += f", {row.baseline} {row.baseline_value:.3f}"
            said += "" if row.is_difference_shown else ", no difference shown"
        yield f"  [dim]{plain(f'{task}: {row.model}, {said}, n {row.n:,}')}[/]"


def unavailable(warehouse: "Warehouse") -> str | None:
    """Why nothing is predicted, if so."""
    rows = warehouse.rows("select unavailable_because from prediction_terms")
    found = rows[0].unavailable_because if rows else "There are no lines before the moment."
    return None if found is None else str(found)


def inspection_table(path: Path, inspection: "Inspection") -> Table:
    """What a dump holds, a fact a row."""
    table = Table(
        title=plain(str(path)), title_justify="left", title_style="bold", box=None, show_header=False, pad_edge=False
    )
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for fact, value in inspection.facts.items():
        table.add_row(fact, plain(value))
    table.add_row("content", f"sha256 {inspection.sha256}")
    table.add_row("good lines", f"{inspection.lines:,}")
    table.add_row("rejected lines", f"{inspection.rejected:,}")
    if inspection.lines:
        table.add_row("invoice dates", f"{inspection.first_invoice_at} to {inspection.last_invoice_at}")
    return table


def reject_table(rejects: Sequence["Reject"]) -> Table:
    """Lines that were rejected, each with the reason."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("line", justify="right", no_wrap=True)
    table.add_column("column", no_wrap=True)
    table.add_column("reason", overflow="fold")
    table.add_column("the line in the dump", overflow="fold", style="dim")
    for reject in rejects:
        text = reject.text if len(reject.text) <= SHOWN_CHARACTERS else reject.text[:SHOWN_CHARACTERS] + "…"
        table.add_row(f"{reject.line:,}", plain(reject.column or ""), plain(reject.reason), plain(text))
    return table


def show_rejects(rejected: Sequence["Reject"], *, of: str, command: str, as_csv: bool) -> None:
    """The first rejected lines as a table, or all as CSV."""
    from lgs_assets.sources import Reject

    if as_csv:
        # Cells in quotes, for a spreadsheet may take another character than the comma for their border.
        rows = [[reject.line, *(csv_cell(text or "") for text in reject[1:])] for reject in rejected]
        csv.writer(sys.stdout, quoting=csv.QUOTE_NONNUMERIC).writerows([Reject._fields, *rows])
    elif rejected:
        console.print(reject_table(rejected[:SHOWN_REJECTS]))
        are = "is" if len(rejected) == 1 else "are"
        say(f"{counted(len(rejected), 'line')} of {plain(of)} {are} rejected; lgs {command} --csv writes all.")
    else:
        say(f"No line of {plain(of)} is rejected.")


def dump_table(dumps: Sequence["LoadedDump"]) -> Table:
    """The dumps whose lines are in the warehouse."""
    headings = ("dump", "lines", "rejected", "first line", "last line", "loaded")
    table = _table("Dumps", headings, numbers=("lines", "rejected"))
    for dump in dumps:
        table.add_row(
            plain(dump.dump),
            f"{dump.lines:,}",
            f"{dump.rejected:,}",
            f"{dump.first_invoice_at:%Y-%m-%d}",
            f"{dump.last_invoice_at:%Y-%m-%d}",
            ago(dump.loaded_at),
        )
    return table


def refusal_lines(refusal: "Refusal", *, has_file: bool, has_lines: bool) -> Iterator[RenderableType]:
    """A dump that could not be loaded: since when, why, and what to do about it."""
    since = f", {ago(refusal.since)}" if refusal.since else ""
    forget = f"lgs forget {plain(shlex.quote(refusal.dump))}"
    yield f"  [red]✗[/] {plain(refusal.dump)}: refused{since}"
    yield Padding(escape(printable(refusal.reason, keep="\n")), (0, 0, 0, 4))
    if has_file:
        todo = f"Correct the file in the inbox, or give it up: {forget}"
    elif has_lines:
        todo = f"Its file is gone. What it held before stays; this takes that out: {forget}"
    else:
        todo = f"Its file is gone; this clears it: {forget}"
    yield Padding(f"[dim]{todo}[/]", (0, 0, 0, 4))


def publication_table(warehouse: "Warehouse", tables: Sequence[str], outdated: Collection[str]) -> Table:
    """The tables of the warehouse, and whether they are what the dumps, the code and the settings now give."""
    table = _table("Tables", ("table", "rows", "built", "state"), numbers=("rows",))
    published = {row.table_name: row for row in warehouse.rows("select * from publications")}
    for name in tables:
        state = "[yellow]outdated[/]" if name in outdated else "[green]current[/]"
        row = published.get(name)
        table.add_row(name, *((f"{row.row_count:,}", ago(row.published_at)) if row else ("–", "never")), state)
    return table


def audience_table(audiences: Sequence[tuple["Audience", "Size", int]]) -> Table:
    """The audiences with their size, how many may be sent to, and their worth."""
    headings = ("audience", "customers", "reachable", "sales £", "net £")
    table = _table("Audiences", headings, numbers=headings[1:])
    for audience, size, reachable in audiences:
        money = (f"{size.monetary:,.2f}", f"{size.net_revenue:,.2f}")
        table.add_row(audience.name, f"{size.customers:,}", f"{reachable:,}", *money)
    return table


def plan_table(plans: Sequence["Plan"]) -> Table:
    """Plans, and what became of each."""
    headings = ("plan", "audience", "destination", "+", "~", "-", "state", "made")
    table = _table("Plans", headings, numbers=("plan", "+", "~", "-"))
    for plan in plans:
        changes = (f"{plan.adds:,}", f"{plan.updates:,}", f"{plan.removes:,}")
        table.add_row(
            str(plan.plan), plan.audience or "every list", plan.destination, *changes, plan.state, ago(plan.made_at)
        )
    return table


def change_table(changes: Sequence[Mapping[str, Any]]) -> Table:
    """Changes of a plan, a customer a row; their addresses are nobody's business here."""
    headings = ("customer", "change", "why", "fields", "state")
    table = _table("Changes", headings, numbers=("customer",))
    for column in table.columns:
        column.no_wrap = column.header in ("customer", "change")
    for change in changes:
        fields = ", ".join(f"{name} {value}" for name, value in sorted(change["fields"].items()))
        state = f"{change['state']}: {change['answer']}" if change["answer"] else change["state"]
        said = (change["cause"], fields, state)
        table.add_row(str(change["customer_id"]), change["operation"], *map(plain, said))
    return table


def show_left_behind(
    warehouse: "Warehouse",
    *,
    destination: str | None = None,
    audience: str | None = None,
    customer_id: int | None = None,
) -> bool:
    """Tells what no plan reaches: former places of destinations, and former addresses. Returns whether there is any."""
    from lgs_assets.action.lists.drift import strays
    from lgs_assets.action.lists.moving import left_behind

    told = left_behind(warehouse, destination=destination, audience=audience, customer_id=customer_id)
    told += strays(warehouse, destination=destination, audience=audience, customer_id=customer_id)
    for sentence in told:
        remark(f"{sentence}.")
    return bool(told)


def show_removals(plans: Sequence[int]) -> None:
    """Tells how to apply the plans by which customers leave lists."""
    for number in plans:
        typer.echo(f"Removal planned from a list that may not hold them any more: lgs activate apply {number}")


def detectable_table(prospect: "Prospect") -> Table:
    """What an experiment can detect in each window, by outcome."""
    headings = ("within", "buy anyway", "shows at", "net £ each", "shows at ±", "adjusted ±")
    table = _table("What can be detected", headings, numbers=headings[1:])
    for window in prospect.windows:
        share = f"{window.share_detectable:.0%}" if window.share_detectable else "nothing"
        changes = (window.net_change, window.net_change_adjusted)
        shown = ("nothing" if change is None else f"{change:,.0f}%" for change in changes)
        table.add_row(window.window, f"{window.share:.0%}", share, f"{window.net_revenue:,.2f}", *shown)
    return table


def experiment_table(states: Sequence["State"]) -> Table:
    """Experiments: the sizes of their arms, and how many of each were reached."""
    table = _table(
        "Experiments",
        ("experiment", "control", "reached", "treated", "reached", "due", "state"),
        numbers=("control", "reached", "treated"),
    )
    for state in states:
        arms = ("control", state.declaration.treatment)
        figures = (f"{counts[arm]:,}" for arm in arms for counts in (state.arms, state.reached))
        is_running = "running" if state.stopped_at is None else "stopped"
        due = state.due_of(state.declaration.primary.metric)
        table.add_row(state.declaration.name, *figures, f"{due}", is_running)
    return table


def check_lines(name: str, description: str, *, rows: int, accepted: int, is_warning: bool) -> Iterator[RenderableType]:
    """One check that found rows, for a reader who decides whether to act."""
    if rows <= accepted:
        yield f"  [green]✓[/] {name}: {counted(rows, 'row')}, accepted up to {accepted:,}"
        return
    mark = "[yellow]![/]" if is_warning else "[red]✗[/]"
    more = f", {rows - accepted:,} more than accepted" if accepted else ""
    yield f"  {mark} {name}: {counted(rows, 'row')}{more}"
    yield Padding(f"[dim]{description}[/]", (0, 0, 0, 4))


def _table(title: str, headings: Sequence[str], *, numbers: Sequence[str]) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False
    )
    for heading in headings:
        # On a narrow terminal the first column, which holds names, goes on in further lines; the others are not cut.
        is_name = heading == headings[0]
        table.add_column(
            heading, justify="right" if heading in numbers else "left", no_wrap=not is_name, overflow="fold"
        )
    return table


def ago(moment: datetime) -> str:
    """How long ago a moment was, in its largest unit."""
    seconds = (datetime.now(UTC) - moment).total_seconds()
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            return f"{counted(int(seconds // length), unit)} ago"
    return "moments ago"
