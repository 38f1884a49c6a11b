"""The report of an experiment, in Markdown: the answer in its first line, and all that a reader needs to doubt it."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from lgs_assets.action.experiments.comparison import Result
from lgs_assets.action.experiments.conduct import UNREACHED, local_day, remarks
from lgs_assets.action.experiments.declaration import ALL, CONTROL, Metric
from lgs_assets.action.experiments.detectable import LEAST_CUSTOMERS
from lgs_assets.action.experiments.results import Analysis, analyses
from lgs_assets.action.experiments.words import METRICS, amount, pounds, right, sentence, signed, too_small, verdict
from lgs_assets.escaping import markdown
from lgs_assets.models.judging import LEVEL
from lgs_assets.models.lift import Difference
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import frame_of_rows
from lgs_assets.wording import counted

LOW_POWER = 0.5
"""Below it, an effect that shows is likely to look larger than it is."""
_LARGE = "is likely to look larger than it is. Count on the end nearer to zero."
_MONTH_DAYS = 30.4
# Whoever tries again until something shows finds it by chance, whatever the new audience is called.
_EARLIER = """
select
    experiment, started_at, stopped_at, stopped_because, days,
    count(customer_id) filter (
        where customer_id in (select customer_id from assignments where experiment = :name)
    ) as shared
from experiments
left join assignments using (experiment)
where experiment <> :name and started_at < :started_at
group by experiment, started_at, stopped_at, stopped_because, days, audience
having audience = :audience or bool_or(
    customer_id in (select customer_id from assignments where experiment = :name)
)
order by started_at, experiment
"""


def report(warehouse: Warehouse, analysis: Analysis, *, picture: str | None = None) -> str:
    """The report of an analysis, as Markdown; `picture` is the file beside it that shows the result."""
    parts = [f"**{markdown(answer(analysis))}**", *_asked(warehouse, analysis), *_arms(analysis)]
    if picture:
        parts.append(f"![The difference in {METRICS[analysis.state.declaration.primary.metric]}](<{picture}>)")
    if analysis.results:
        parts += [*_result(analysis), *_segments(analysis)]
    if said := claim(analysis):
        parts += [
            "## What would have been claimed without a control group",
            f"{said} {analysis.state.of_control}",
            *_in_the_past(warehouse, analysis),
        ]
    found = remarks(analysis.state, known=analysis.analysable)
    not_as_planned = "\n".join(f"- {markdown(remark)}" for remark in found)
    parts += ["## What was not as planned", not_as_planned or "Nothing."]
    return "\n\n".join(parts) + "\n"


def reports(warehouse: Warehouse, *, cache: Path) -> pd.DataFrame:
    """The rows of the table `experiment_reports`: one an experiment that was started.

    Fonts for the pictures are listed in the folder `cache`.
    """
    from lgs_assets.action.experiments.picture import picture  # here: only this needs a library for pictures

    rows = [
        {
            "experiment": analysis.state.declaration.name,
            "answer": answer(analysis),
            "report": report(warehouse, analysis),
            "picture": picture(analysis, cache=cache),
            "due": analysis.due[analysis.state.declaration.primary.metric],
            "covered_until": analysis.covered_until,
            "control_excluded": analysis.state.excluded[CONTROL],
            "treated_excluded": analysis.state.excluded[analysis.state.declaration.treatment],
            "is_mismatched": analysis.is_mismatched,
            "missing_from": analysis.state.hole and analysis.state.hole.first,
            "missing_to": analysis.state.hole and analysis.state.hole.last,
            "claim": claim(analysis),
        }
        for analysis in analyses(warehouse)
    ]
    return frame_of_rows("experiment_reports", rows)


def answer(analysis: Analysis) -> str:
    """The answer, in one line of plain text. Where the start took a reason, with that."""
    state = analysis.state
    reason = (
        f"Started although it was unlikely to answer its question. Reason given: {sentence(state.underpowered)}. "
        if state.underpowered
        else ""
    )
    return f"{reason}{_answer(analysis)}"


def _answer(analysis: Analysis) -> str:
    state = analysis.state
    declared = state.declaration
    if analysis.is_mismatched:
        sizes = ", ".join(f"{arm} {known:,} of {state.arms[arm]:,}" for arm, known in analysis.analysable.items())
        return f"No result: the arms are not of the sizes that were drawn: {sizes}. Something took customers out."
    found = []
    if look := analysis.look:
        found.append(f"An effect shows at the declared look after {look.days} days.")
        found.append(_verdict(look.result, declared.treatment, look.days))
        found.append(f"An effect that shows before the end {_LARGE}")
    if primary := analysis.primary:
        found += ["At the end, by what the looks left of the 5 %:"] if look else []
        found.append(_verdict(primary, declared.treatment, declared.primary.days))
        if primary.shows and analysis.power is not None and analysis.power < LOW_POWER:
            found.append(
                f"A change of the declared size had a chance of {analysis.power:.0%} to show: an effect that shows "
                f"against such odds {_LARGE}"
            )
    last = analysis.primary or (analysis.look.result if analysis.look else None)
    if last and (arm := last.small_arm):
        found.append(too_small(arm, last.customers[arm]))
    hole = state.hole
    lacks = f"The data has no invoice from {hole.first} to {hole.last}: a dump may be missing. " if hole else ""
    if found:
        return f"{lacks}{' '.join(found)}"
    last_day = _day_before(analysis.due[declared.primary.metric])
    looked = f"The look after {analysis.looked} days, as declared, showed no effect. " if analysis.looked else ""
    return (
        f"Not due yet: it takes invoices up to the end of {last_day}, and the last whole day of the data is "
        f"{_day_before(analysis.covered_until)}. {lacks}{looked}Until then there is no figure to look at."
    )


def _verdict(result: Result, treatment: str, days: int) -> str:
    difference = result.difference
    return verdict(
        result.metric,
        days=days,
        treatment=treatment,
        estimate=difference.estimate,
        low=difference.low,
        high=difference.high,
        p_value=result.p_value,
        capped=result.capped.estimate if result.capped else None,
        level=result.level,
    )


def _asked(warehouse: Warehouse, analysis: Analysis) -> Iterator[str]:
    state = analysis.state
    declared = state.declaration
    metric = METRICS[declared.primary.metric]
    yield "## What was asked"
    known = "before any of the purchases" if state.started_on < state.begins else "before any of them was known"
    looks = f" Looks after {_listed(declared.looks)} days were declared." if declared.looks else ""
    foreseen = f", and was expected to show with a chance of {state.power:.0%}" if state.power is not None else ""
    yield (
        f"> {_line(declared.hypothesis)}\n\n"
        f"Declared by {_line(declared.owner)} and started on {state.started_on} by {_line(state.started_by)}; "
        f"purchases count from {state.begins}, and it was started {known}. It is judged by {metric} within "
        f"{declared.primary.days} days; a change of {declared.change} {declared.unit} was called worth "
        f"finding{foreseen}.{looks} File {declared.version[:16]}, audience "
        f"{declared.audience} {state.audience_version[:16]}."
    )
    earlier = warehouse.rows(_EARLIER, name=declared.name, audience=declared.audience, started_at=state.started_at)
    if earlier:
        tries = len(earlier) + 1
        yield (
            "Earlier experiments on this audience, or with some of its customers: "
            f"{'; '.join(_earlier(row) for row in earlier)}. What those did to these customers is in "
            f"both arms. Of {tries} experiments in which nothing changes, at least one shows an effect by chance "
            f"{1 - (1 - LEVEL) ** tries:.0%} of the time."
        )


def _earlier(row: sa.RowMapping) -> str:
    """An earlier experiment, and how it ended."""
    days = None if row.stopped_at is None else (row.stopped_at - row.started_at).days
    ended = "not stopped" if days is None else f"stopped after {counted(days, 'day')}: {_line(row.stopped_because)}"
    return (
        f"{markdown(row.experiment)} ({counted(row.shared, 'customer')} of these; started on "
        f"{local_day(row.started_at)} for {row.days} days; {ended})"
    )


def _arms(analysis: Analysis) -> Iterator[str]:
    state = analysis.state
    yield "## Who is compared"
    yield _table(
        ("arm", "assigned", "in the data", "reached through a destination", "objected or forgotten"),
        [
            (arm, f"{number:,}", *(f"{of[arm]:,}" for of in (analysis.analysable, state.reached, state.excluded)))
            for arm, number in state.arms.items()
        ],
    )
    alike = ", ".join(state.declaration.block_by)
    yield (
        f"Drawn within blocks of {state.declaration.block_size} by {alike}, in {counted(state.waves, 'wave')}. "
        "Everybody counts in the arm that was drawn, whether reached or not." + f" {UNREACHED}" * state.is_without_lists
    )


def _result(analysis: Analysis) -> Iterator[str]:
    rows = [result for result in analysis.results if result.segment == ALL]
    yield "## Result"
    yield _table(
        ("metric", "control", "treated", "difference", "between", "chance", "chance, corrected"),
        [row for result in rows for row in _rows(METRICS[result.metric], result)],
    )
    waiting = [
        f"{METRICS[metric]} (invoices up to the end of {_day_before(due)})"
        for metric, due in analysis.due.items()
        if due > analysis.covered_until
    ]
    if waiting:
        yield f"Not due yet: {', '.join(waiting)}."
    primary = analysis.primary
    shared = (
        f"; of the primary metric no more than {100 * primary.level:.3g}, as it shares its 5 with the declared looks"
        if primary and primary.level < LEVEL
        else ""
    )
    yield (
        "The difference is adjusted for past spend. *Between* holds every effect that the data does not contradict: "
        "the arms are drawn again as they were drawn, and an effect is contradicted if no more than 5 of 100 draws "
        f"differ as much{shared}. *Chance* is how many do if there is no effect (p). Secondary metrics answer for "
        "their number: their intervals are wide enough for all of them to be right 95 times in 100. Their chance "
        "is corrected (Holm), which is a little less strict: .05 or less may stand beside an interval that holds zero."
    )
    if primary and analysis.power is not None:
        did = amount(primary.metric, primary.difference.control)
        declared = analysis.state.declaration
        yield (
            f"Judged by what the control group did ({did}), a change of {declared.change} {declared.unit} had a chance "
            f"of {analysis.power:.0%} to show."
        )
    unsure = [METRICS[result.metric] for result in rows if result is not primary and result.small_arm]
    if unsure:
        of = ", ".join(unsure)
        yield f"Where an arm has few customers, a few decide: the interval of {of} may be less sure than that."
    if (cap := analysis.state.cap) is not None and any(result.capped for result in rows):
        yield (
            f"Whether there is an effect on net revenue is judged with no customer counted beyond {pounds(cap)}, the "
            "cap set at the start, so that a single large order does not decide. What it came to is told of all that "
            "was paid."
        )
    if any(result.metric in ("bought_within", "orders") for result in rows):
        yield "An order counts also if it was cancelled later; pounds are after returns."
    if any(result.metric == "revenue_per_order" for result in rows):
        yield (
            "The difference of net revenue per order is approximate: ratios are compared as if they were means, so it "
            "is not quite that of the two arms."
        )
    for money in (result for result in rows if result.metric == "net_revenue"):
        treated = money.customers[analysis.state.declaration.treatment]
        low, high = treated * money.difference.low, treated * money.difference.high
        either = "; no effect at all is also possible" if low <= 0 <= high else ""
        _, doubled = analysis.state.doubled_invoices
        counts = "twice, unless the setting doubled_invoices is once" if doubled is None else doubled
        yield (
            f"Change of the net revenue of the {treated:,} treated: probably between {pounds(low)} and {pounds(high)} "
            f"{right(money.level)}{either}. An invoice that the data holds twice counts {counts}."
        )


def _segments(analysis: Analysis) -> Iterator[str]:
    rows = [result for result in analysis.results if result.segment != ALL]
    if not rows:
        return
    yield "## By segment and country"
    yield _table(
        ("segment", "country", "customers", "control", "treated", "difference", "between", "chance, corrected"),
        [
            (
                f"{markdown(result.segment)}{of}",
                markdown(result.country),
                f"{sum(result.customers.values()):,}",
                *figures,
                corrected,
            )
            for result in rows
            for of, *figures, _, corrected in _rows("", result)
        ],
    )
    yield (
        "No verdict is given on a segment or country: the experiment was not made to tell them apart. Of many, one "
        "looks good by chance. So the intervals are wide enough for all of them to be right 95 times in 100, and the "
        "chance answers for their number (Holm)."
    )
    if any(result.small_arm for result in rows):
        yield "Where an arm has few customers, a few decide: those intervals may be less sure than that."


def claim(analysis: Analysis) -> str | None:
    """What a report without a control group would have claimed, as plain text; None until it can be told."""
    if not analysis.returned:
        return None
    state = analysis.state
    treated, control = analysis.returned[state.declaration.treatment], analysis.returned[CONTROL]
    bought = f"{treated.buyers:,} of the {counted(treated.customers, 'treated customer')} bought"
    themselves = f"Of the control group, {control.buyers / control.customers:.0%} bought, too"
    if treated.net_revenue is None or control.net_revenue is None:
        last_day = _day_before(analysis.pounds_due)
        return (
            f"{bought}. A report that counts what follows a campaign would claim all of them. {themselves}. What they "
            f"spent is told once the data covers {last_day}: what was bought may still be returned."
        )
    as_many = control.net_revenue / control.customers * treated.customers
    return (
        f"{bought}, for {pounds(treated.net_revenue)} after returns. A report that counts what follows a campaign "
        f"would claim all of it. {themselves}: as many customers would have brought about {pounds(as_many)} by "
        "themselves."
    )


def _in_the_past(warehouse: Warehouse, analysis: Analysis) -> Iterator[str]:
    """What the customers of its segments did in windows before it began."""
    state = analysis.state
    months = min((3, 6), key=lambda length: abs(length * _MONTH_DAYS - state.declaration.primary.days))
    past = warehouse.rows(
        """
        select
            min(came_back::numeric / customers) as lowest,
            max(came_back::numeric / customers) as highest,
            count(*) as starts
        from (
            select snapshot_date, sum(came_back) as came_back, sum(customers) as customers
            from natural_return
            where months = :months
                and snapshot_date + make_interval(months => :months) <= :begins
                and segment in (select segment from assignments where experiment = :name)
            group by snapshot_date
            having sum(customers) >= :least
        ) as by_start
        """,
        name=state.declaration.name,
        months=months,
        begins=state.begins,
        least=LEAST_CUSTOMERS,
    )[0]
    if past.starts:
        yield (
            f"Before it began, between {past.lowest:.0%} and {past.highest:.0%} of all customers of these segments "
            f"came back within {months} months, counted from {counted(past.starts, 'month end')}. The audience may be "
            "narrower than its segments."
        )


def _rows(name: str, result: Result) -> Iterator[tuple[str, ...]]:
    """The row of a result; where it is judged capped, two."""
    corrected = "" if result.corrected_p is None else _probability(result.corrected_p)
    judged = (_probability(result.p_value), corrected)
    yield (name, *_shown(result.metric, result.difference), *(("", "") if result.capped else judged))
    if result.capped:
        yield (f"{name}, capped", *_shown(result.metric, result.capped), *judged)


def _shown(metric: Metric, difference: Difference) -> tuple[str, ...]:
    """Both arms, the difference and its interval."""
    arms = (amount(metric, value) for value in (difference.control, difference.treated))
    span = f"{signed(metric, difference.low)} to {signed(metric, difference.high)}"
    return (*arms, signed(metric, difference.estimate), span)


def _probability(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"


def _day_before(day: date) -> date:
    return day - timedelta(days=1)


def _listed(numbers: tuple[int, ...]) -> str:
    return ", ".join(f"{number}" for number in numbers)


def _line(text: str) -> str:
    """A text that people wrote, as one line that cannot end a sentence of the report or begin another part of it."""
    return markdown(sentence(text))


def _table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [headings, ("---",) + ("---:",) * (len(headings) - 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
