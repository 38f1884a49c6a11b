"""The report of an experiment, in Markdown: the answer in its first line, and all that a reader needs to doubt it."""

from collections.abc import Iterator
from datetime import date, timedelta

import pandas as pd

from lgs_assets.action.detectable import LEAST_CUSTOMERS
from lgs_assets.action.experiment_words import METRICS, amount, pounds, signed, verdict
from lgs_assets.action.experiments import CONTROL
from lgs_assets.action.results import Analysis, Result, analyses
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wording import counted

LOW_POWER = 0.5
"""Below it, an effect that shows is likely to look larger than it is."""


def report(warehouse: Warehouse, analysis: Analysis) -> str:
    """The report of an analysis, as Markdown."""
    parts = [answer(analysis), *_asked(analysis), *_arms(analysis)]
    if analysis.results:
        parts += [*_result(analysis), *_segments(analysis)]
    if analysis.returned:
        parts += _without_a_control_group(warehouse, analysis)
    parts += ["## What was not as planned", "\n".join(f"- {remark}" for remark in remarks(analysis)) or "Nothing."]
    return "\n\n".join(parts) + "\n"


def reports(warehouse: Warehouse) -> pd.DataFrame:
    """The rows of the table `experiment_reports`: one an experiment that was started."""
    rows = [
        {
            "experiment": analysis.state.declaration.name,
            "answer": answer(analysis).strip("*"),
            "report": report(warehouse, analysis),
            "due": analysis.due[analysis.state.declaration.primary.metric],
            "covered_until": analysis.covered_until,
        }
        for analysis in analyses(warehouse)
    ]
    return pd.DataFrame(rows, columns=["experiment", "answer", "report", "due", "covered_until"])


def answer(analysis: Analysis) -> str:
    """The answer, in one line. Where the start took a reason, with that."""
    state = analysis.state
    reason = (
        f"Started though it could hardly answer its question, because: {_line(state.underpowered)}. "
        if state.underpowered
        else ""
    )
    return f"**{reason}{_answer(analysis)}**"


def remarks(analysis: Analysis) -> list[str]:
    """What was not as planned."""
    state = analysis.state
    found = []
    if control := state.reached[CONTROL]:
        found.append(
            f"{counted(control, 'customer')} of the control group reached a destination through the audience: the "
            "difference is smaller than if none had."
        )
    if not state.reached[state.declaration.treatment]:
        found.append(
            "No treated customer is recorded as reached through a destination. If they were treated in another way, "
            "such as by telephone, this is as it should be."
        )
    if state.excluded:
        found.append(
            f"{counted(state.excluded, 'customer')} objected to marketing or asked to be forgotten; they count as they "
            "were assigned."
        )
    if state.stopped_at and state.stopped_at.date() < state.due:
        found.append(
            f"Stopped on {state.stopped_at:%Y-%m-%d}, before the last window was over: "
            f"{_line(state.stopped_because or '')}. From then on the control group may have been written to."
        )
    return found


def _answer(analysis: Analysis) -> str:
    state, primary = analysis.state, analysis.primary
    declared = state.declaration
    days = declared.primary.days
    if analysis.is_mismatched:
        sizes = ", ".join(f"{arm} {number:,}" for arm, number in state.arms.items())
        return f"No result: the arms ({sizes}) are not of the sizes that were drawn. Something took customers out."
    if primary is None:
        last_day = _day_before(analysis.due[declared.primary.metric])
        return (
            f"Not due yet: it takes invoices up to the end of {last_day}, and the data ends on "
            f"{_day_before(analysis.covered_until)}. Until then there is no figure to look at."
        )
    difference = primary.difference
    return verdict(
        primary.metric,
        days=days,
        treatment=declared.treatment,
        estimate=difference.estimate,
        low=difference.low,
        high=difference.high,
        p_value=primary.p_value,
    )


def _asked(analysis: Analysis) -> Iterator[str]:
    state = analysis.state
    declared = state.declaration
    metric = METRICS[declared.primary.metric]
    yield "## What was asked"
    yield (
        f"> {_line(declared.hypothesis)}\n\n"
        f"Declared by {_line(declared.owner)} and started on {state.started_at:%Y-%m-%d} by {_line(state.started_by)}, "
        f"before any of the purchases. It is judged by {metric} within {declared.primary.days} days; a change of "
        f"{declared.change} {declared.unit} was called worth finding. File {declared.version[:16]}, audience "
        f"{declared.audience} {state.audience_version[:16]}, salt {state.salt}."
    )


def _arms(analysis: Analysis) -> Iterator[str]:
    state = analysis.state
    yield "## Who is compared"
    yield _table(
        ("arm", "assigned", "reached through a destination"),
        [(arm, f"{number:,}", f"{state.reached[arm]:,}") for arm, number in state.arms.items()],
    )
    alike = ", ".join((*state.declaration.strata, state.declaration.order))
    yield (
        f"Drawn within blocks of {state.declaration.block_size} by {alike}, in {counted(state.waves, 'wave')}. "
        "Everybody counts in the arm that was drawn, whether reached or not."
    )


def _result(analysis: Analysis) -> Iterator[str]:
    rows = [result for result in analysis.results if result.role != "by segment"]
    yield "## Result"
    yield _table(
        ("metric", "control", "treated", "difference", "between", "p", "p, corrected"),
        [_row(METRICS[result.metric], result) for result in rows],
    )
    waiting = [
        f"{METRICS[metric]} (invoices up to the end of {_day_before(due)})"
        for metric, due in analysis.due.items()
        if due > analysis.covered_until
    ]
    if waiting:
        yield f"Not due yet: {', '.join(waiting)}."
    yield (
        "The difference is adjusted for past spend. *Between* holds every effect that the data does not contradict: "
        "the arms are drawn again as they were drawn, and an effect is contradicted if fewer than 5 of 100 draws "
        "differ as much. *p* is how many do if there is no effect; that of net revenue counts no customer above the "
        "cap set at the start, so that a single large order does not decide. Secondary metrics answer for their number "
        "(Holm)."
    )
    primary = analysis.primary
    if primary and primary.metric == "net_revenue":
        treated = primary.customers[analysis.state.declaration.treatment]
        low, high = treated * primary.difference.low, treated * primary.difference.high
        inside = "is" if low <= 0 <= high else "is not"
        yield f"For the {treated:,} treated: between {pounds(low)} and {pounds(high)}; zero {inside} inside."
    if primary and primary.shows and analysis.power is not None and analysis.power < LOW_POWER:
        yield (
            f"A change of the declared size had a chance of {analysis.power:.0%} to show. An effect that shows against "
            "such odds is likely to look larger than it is: count on the low end."
        )


def _segments(analysis: Analysis) -> Iterator[str]:
    rows = [result for result in analysis.results if result.role == "by segment"]
    if not rows:
        return
    yield "## By segment"
    yield _table(
        ("segment", "customers", "control", "treated", "difference", "between"),
        [(result.segment, f"{sum(result.customers.values()):,}", *_row("", result)[1:5]) for result in rows],
    )
    yield "No verdict is given on a segment: the experiment was not made to tell them apart."


def _without_a_control_group(warehouse: Warehouse, analysis: Analysis) -> Iterator[str]:
    state = analysis.state
    treated, control = analysis.returned[state.declaration.treatment], analysis.returned[CONTROL]
    by_themselves = control.net_revenue / control.customers * treated.customers
    yield "## What would have been claimed without a control group"
    yield (
        f"{treated.buyers:,} of the {counted(treated.customers, 'treated customer')} bought, for "
        f"{pounds(treated.net_revenue)} after returns. A report that counts what follows a campaign would claim all "
        f"of it. Of the control group, which was left alone, {control.buyers / control.customers:.0%} bought, too: as "
        f"many customers would have brought about {pounds(by_themselves)} by themselves."
    )
    past = warehouse.rows(
        """
        select
            min(came_back::numeric / customers) as lowest,
            max(came_back::numeric / customers) as highest,
            count(*) as starts
        from (
            select snapshot_date, sum(came_back) as came_back, sum(customers) as customers
            from natural_return
            where months = 3 and segment in (select segment from assignments where experiment = :name)
            group by snapshot_date
            having sum(customers) >= :least
        ) as by_start
        """,
        name=state.declaration.name,
        least=LEAST_CUSTOMERS,
    )[0]
    if past.starts:
        yield (
            f"In the past, between {past.lowest:.0%} and {past.highest:.0%} of these segments came back within three "
            f"months, at {counted(past.starts, 'month end')}."
        )


def _row(name: str, result: Result) -> tuple[str, ...]:
    difference = result.difference
    shown = [amount(result.metric, value) for value in (difference.control, difference.treated)]
    span = f"{signed(result.metric, difference.low)} to {signed(result.metric, difference.high)}"
    corrected = "" if result.corrected_p is None else _probability(result.corrected_p)
    return (name, *shown, signed(result.metric, difference.estimate), span, _probability(result.p_value), corrected)


def _probability(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"


def _day_before(day: date) -> date:
    return day - timedelta(days=1)


def _line(text: str) -> str:
    """A text that people wrote, as one line that cannot end a sentence of the report or begin another part of it."""
    return " ".join(text.split()).rstrip(".").replace("|", "\\|").replace("<", "&lt;")


def _table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [headings, ("---",) + ("---:",) * (len(headings) - 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
