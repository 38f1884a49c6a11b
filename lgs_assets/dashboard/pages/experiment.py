"""One experiment: before its end, whether all is well; after it, the result."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from lgs_assets import wording
from lgs_assets.action.experiments.conduct import UNREACHED
from lgs_assets.action.experiments.declaration import ALL, CONTROL
from lgs_assets.action.experiments.words import METRICS, amount, signed
from lgs_assets.dashboard.content import Bar, Column, Figure, Number, Table
from lgs_assets.dashboard.figures.whiskers import Whisker, whiskers
from lgs_assets.dashboard.pages.page import Files, NothingThereError, Page, Shown, View
from lgs_assets.dashboard.pages.standings import Standing, standings
from lgs_assets.dashboard.queries import Row


def show_one(view: View) -> Shown:
    """One experiment: its health before the end, its result after it."""
    found = standings(view, view.item)
    if not found:
        raise NothingThereError(f"There is no experiment {view.item} that was started.")
    standing = found[0]
    files: Files = {"arms": _arms(standing)}
    if standing.results:
        files |= {"result": _result(standing), "effect": _effect(standing)}
    return Shown(
        standing.declared.name.replace("_", " ").capitalize(),
        {
            "standing": standing,
            "metric": METRICS[standing.declared.primary.metric],
            "numbers": _numbers(standing),
            "claim": standing.claim,
            "result": None,
            "effect": None,
            **files,
        },
        files,
    )


def _numbers(standing: Standing) -> list[Number]:
    treatment = standing.declared.treatment
    treated, control = standing.conduct.arms[treatment], standing.conduct.arms[CONTROL]
    reached = standing.conduct.reached[treatment]
    held = standing.conduct.reached[CONTROL]
    return [
        Number(
            "Customers",
            wording.count(treated + control),
            [f"{wording.count(treated)} {treatment}, {wording.count(control)} control"],
        ),
        Number(
            "Treated and reached",
            wording.count(reached),
            [f"of {wording.count(treated)}, through a destination"],
        ),
        Number(
            "Control, reached all the same",
            wording.count(held),
            ["nobody, as it should be" if not held else "the comparison is weakened"],
        ),
        Number(
            "Sizes of the arms",
            "NOT as drawn" if standing.is_mismatched else "as drawn",
            [f"p {wording.p_value(standing.chance)}; below .001 there is no result"],
        ),
        Number(
            "Result due",
            wording.day(standing.due),
            [_before(standing)],
        ),
    ]


def _before(standing: Standing) -> str:
    if standing.conduct.is_due:
        return "the data covers it"
    looks = " or ".join(f"{days}" for days in standing.declared.looks)
    return f"before that, only an effect that shows after {looks} days" if looks else "no figure before that day"


def _arms(standing: Standing) -> Figure:
    conduct, shares = standing.conduct, standing.declared.shares
    total = sum(conduct.arms.values())
    table = Table(
        (
            Column("arm", "Arm"),
            Column("customers", "Customers", "count"),
            Column("share", "Share", "percent"),
            Column("declared", "Declared", "percent"),
            Column("known", "In the data", "count"),
            Column("reached", "Reached", "count"),
            Column("reached_pct", "Share reached", "percent"),
            Column("excluded", "Objected or forgotten", "count"),
        ),
        [
            (
                arm,
                conduct.arms[arm],
                conduct.arms[arm] / total * 100,
                shares[arm] * 100,
                standing.known[arm],
                conduct.reached[arm],
                Bar.of(conduct.reached[arm] / (conduct.arms[arm] or 1) * 100, 100),
                conduct.excluded[arm],
            )
            for arm in shares
        ],
    )
    note = (
        "In the data: customers whom it still knows; the sizes of the arms are judged by them. Reached: held by a "
        "destination, through any audience, from the draw to the end of the window, while the experiment ran. "
        "Objected or forgotten: may not be written to, as of when the tables were last built. "
        "Everybody counts in the arm that was drawn, reached or not."
        + (f" {UNREACHED}" if standing.conduct.is_without_lists else "")
    )
    return Figure("arms", "Who is compared, and who was reached?", table, note=note)


def _result(standing: Standing) -> Figure:
    rows = [row for row in standing.results if row["segment"] == ALL]
    table = Table(
        (
            Column("metric", "Metric"),
            Column("role", "Role"),
            Column("control", "Control"),
            Column("treated", "Treated"),
            Column("difference", "Difference"),
            Column("between", "Between"),
            Column("p_value", "Chance"),
            Column("corrected_p", "Chance, corrected"),
        ),
        [
            (f"{METRICS[row['metric']]}{of}", row["role"], *figures, p_value, corrected)
            for row in rows
            for of, *figures, p_value, corrected in _told(row)
        ],
    )
    note = (
        "Difference: adjusted for past spend. Between: every effect that the data does not contradict, "
        f"{standing.certainty}; those of the secondary metrics are wide enough for all of them to be right 95 times in "
        "100. Chance (p): how often the draw of the arms alone would differ as much. The first line has the verdict; a "
        "secondary metric shows a difference where its corrected chance is .05 or less, which is a little less strict "
        "than its interval. Whether net revenue changed is judged with no customer counted beyond the cap set at the "
        "start; what it came to is told of all that was paid."
    )
    if standing.waiting:
        note += f" Not due yet: {', '.join(f'{METRICS[each]} ({wording.day(day)})' for each, day in standing.waiting)}."
    return Figure("result", "What came of it?", table, note=note)


def _told(row: Row) -> Iterator[tuple[str, ...]]:
    """The figures of a result, with its chance; where it is judged capped, twice, and the chance beside the latter."""
    chances = (_chance(row["p_value"]), _chance(row["corrected_p"]))
    is_capped = row["capped_difference"] is not None
    for of in ("", "capped_") if is_capped else ("",):
        arms = (amount(row["metric"], row[f"{of}{arm}_mean"]) for arm in ("control", "treated"))
        found = (signed(row["metric"], row[f"{of}difference"]), _between(row, of=of))
        yield (", capped" if of else "", *arms, *found, *(("", "") if is_capped and not of else chances))


def _between(row: Row, *, of: str = "") -> str:
    lowest, highest = row[f"{of}low"], row[f"{of}high"]
    low, high = (
        signed(row["metric"], -inf if lowest is None else lowest),
        signed(row["metric"], inf if highest is None else highest),
    )
    return f"{low} to {high}"


def _chance(p_value: float | None) -> str:
    return "" if p_value is None else wording.p_value(p_value).removeprefix("= ")


def _effect(standing: Standing) -> Figure:
    metric = standing.declared.primary.metric
    times = 100 if metric == "bought_within" else 1
    rows = [row for row in standing.results if row["metric"] == metric]
    marks = [
        Whisker(
            f"{'All' if row['segment'] == ALL else row['segment']}: {signed(metric, row['difference'])}",
            times * row["difference"],
            None if row["low"] is None else times * row["low"],
            None if row["high"] is None else times * row["high"],
            f"{row['segment']}: {signed(metric, row['difference'])}, {_between(row)}",
            is_bold=row["segment"] == ALL,
        )
        for row in rows
        if row["country"] == ALL
    ]
    table = Table(
        (
            Column("segment", "Segment"),
            Column("country", "Country"),
            Column("customers", "Customers", "count"),
            Column("control", "Control"),
            Column("treated", "Treated"),
            Column("difference", "Difference"),
            Column("between", "Between"),
            Column("corrected_p", "Chance, corrected"),
        ),
        [
            (
                f"{row['segment']}{of}",
                row["country"],
                row["control_customers"] + row["treated_customers"],
                *figures,
                corrected,
            )
            for row in rows
            for of, *figures, _, corrected in _told(row)
        ],
    )
    unit = "points" if metric == "bought_within" else METRICS[metric]
    note = f"Dots: the best estimate, in {unit}; lines: what it may as well be, {standing.certainty}. "
    note += (
        "No verdict is given on a segment or country: the experiment was not made to tell them apart. Their intervals "
        "are wide enough for all of them to be right 95 times in 100."
    )
    label = f"The difference in {METRICS[metric]}, with its interval, for all and by segment. The table has the values."
    return Figure(
        "effect",
        f"What did it change of {METRICS[metric]}?",
        table,
        whiskers(label, marks, wording.signed_count),
        note,
    )


PAGE = Page(
    "/experiments/{item}",
    "experiment.html",
    ("experiment_results", "experiment_reports"),
    show_one,
    honours=frozenset(),
    refusal="The page is of one experiment, as it was drawn.",
    is_live=True,
)
