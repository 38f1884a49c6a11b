"""Did the campaign work? Before the end, whether all is well; after it, the result; and what customers do anyway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import inf
from typing import Any, Final

from lgs_assets.action.experiment_words import METRICS, amount, pounds, signed
from lgs_assets.action.experiments import CONTROL, LATE_DAYS, MONEY, Declaration
from lgs_assets.charts import wording
from lgs_assets.dashboard.content import FEW, FEWEST, Bar, Column, Few, Figure, Link, Number, Table
from lgs_assets.dashboard.figures.whiskers import Whisker, whiskers
from lgs_assets.dashboard.pages.page import Files, NothingThereError, Page, Shown, View
from lgs_assets.dashboard.pages.parts import colour
from lgs_assets.dashboard.queries import Row
from lgs_assets.models.lift import LEVEL, MISMATCH, mismatch_p

TABLES: Final = ("experiment_results", "experiment_reports", "natural_return")
_ALL: Final = "all"
"""The segment of a result of all customers."""


@dataclass(frozen=True)
class Standing:
    """An experiment, and how it stands by the data that is loaded."""

    declared: Declaration
    row: Row
    """What all its arms have in common."""
    arms: dict[str, int]
    """Customers by arm, as they were drawn."""
    known: dict[str, int]
    """Those of them whom the data still knows."""
    reached: dict[str, int]
    due: date
    """The first day that the data need not cover."""
    covered_until: date
    """The first day that the data does not cover: that of the last invoice, which need not be over."""
    results: list[Row]

    @property
    def name(self) -> str:
        """Its name."""
        return self.declared.name

    @property
    def primary(self) -> Row | None:
        """The result that it is judged by, if it is due and computed."""
        return next((row for row in self.results if row["role"] == "primary"), None)

    @property
    def chance(self) -> float:
        """How often the draw makes arms of which the data knows so many, in 0..1."""
        share = float(self.row["share"])
        return mismatch_p(self.known, {CONTROL: 1 - share, self.declared.treatment: share})

    @property
    def is_mismatched(self) -> bool:
        """Whether they are not of the sizes that were drawn: then there is no result."""
        return not all(self.known.values()) or self.chance < MISMATCH

    @property
    def is_due(self) -> bool:
        """Whether the data covers the window of every customer."""
        return self.due <= self.covered_until

    @property
    def answer(self) -> str:
        """The first line of its report, unless customers were drawn since that was built."""
        if self.row["reported_due"] != self.due:
            return "No report yet: customers were drawn after the tables were last built. Run lgs run."
        return str(self.row["answer"])

    @property
    def certainty(self) -> str:
        """How certain the intervals of its results are."""
        if self.primary is None or self.primary["level"] == LEVEL:
            return "at 95 %"
        left = f"{100 - 100 * self.primary['level']:.4g} %"
        return f"at 95 % ({left} for all customers by the primary metric, which shares its 5 % with the declared looks)"

    @property
    def remarks(self) -> list[str]:
        """What is not as planned."""
        said = []
        if control := self.reached[CONTROL]:
            said.append(
                f"{wording.counted(control, 'customer')} of the control group reached a destination: the "
                "difference looks smaller than it is."
            )
        if not self.reached[self.declared.treatment]:
            said.append(
                "No treated customer is recorded as reached through a destination. If they are treated in another way, "
                "such as by telephone, this is as it should be."
            )
        stopped = self.row["stopped_at"]
        if stopped and stopped.date() < self.due:
            said.append(
                f"Stopped on {wording.day(stopped)}, before the last window was over: {self.row['stopped_because']}. "
                "From then on the control group may have been written to."
            )
        return said


def show_all(view: View) -> Shown:
    """Every experiment that was started, and what the customers of each segment do with no campaign."""
    found = _standings(
        view, view.rows("experiments", experiment=None), view.rows("experiment_results", experiment=None)
    )
    files: Files = {"experiments": _experiments(view, found), "anyway": _anyway(view)}
    return Shown("Did the campaign work?", {"count": len(found), **files}, files)


def show_one(view: View) -> Shown:
    """One experiment: its health before the end, its result after it."""
    rows = view.rows("experiments", experiment=view.item) if "\0" not in view.item else []
    found = _standings(view, rows, view.rows("experiment_results", experiment=view.item) if rows else [])
    if not found:
        raise NothingThereError(f"There is no experiment {view.item} that was started.")
    standing = found[0]
    files: Files = {"arms": _arms(standing)}
    if standing.results:
        files |= {"result": _result(standing), "effect": _effect(standing)}
    return Shown(
        standing.name.replace("_", " ").capitalize(),
        {
            "standing": standing,
            "metric": METRICS[standing.declared.primary.metric],
            "numbers": _numbers(standing),
            "claim": _claim(standing),
            "result": None,
            "effect": None,
            **files,
        },
        files,
    )


def _standings(view: View, rows: Sequence[Row], results: Sequence[Row]) -> list[Standing]:
    by_name: dict[str, list[Row]] = {}
    for row in rows:
        by_name.setdefault(row["experiment"], []).append(row)
    last = max(month.last_invoice_at for month in view.choices.months.values())
    return [
        _standing(name, arms, [row for row in results if row["experiment"] == name], last)
        for name, arms in by_name.items()
    ]


def _standing(name: str, arms: Sequence[Row], results: list[Row], last: datetime) -> Standing:
    declared = Declaration.frozen(name, arms[0]["declaration"])
    nobody = {CONTROL: 0, declared.treatment: 0}
    late = LATE_DAYS if declared.primary.metric in MONEY else 0
    begins = max(arm["last_from"] for arm in arms)
    return Standing(
        declared,
        arms[0],
        nobody | {arm["arm"]: arm["customers"] for arm in arms},
        nobody | {arm["arm"]: arm["known"] for arm in arms},
        nobody | {arm["arm"]: arm["reached"] for arm in arms},
        (begins + timedelta(days=declared.primary.days + late)).date(),
        last.date(),
        results,
    )


def _experiments(view: View, found: Sequence[Standing]) -> Figure:
    table = Table(
        (
            Column("experiment", "Experiment"),
            Column("hypothesis", "What is asked"),
            Column("standing", "How it stands"),
            Column("customers", "Customers", "count"),
            Column("reached", "Treated, reached", "count"),
            Column("control_reached", "Control, reached", "count"),
            Column("started", "Started", "day"),
            Column("due", "Due", "day"),
        ),
        [
            (
                Link(each.name, view.link(f"/experiments/{each.name}")),
                each.declared.hypothesis,
                each.answer,
                sum(each.arms.values()),
                each.reached[each.declared.treatment],
                each.reached[CONTROL],
                each.row["started_at"],
                each.due,
            )
            for each in found
        ],
    )
    note = (
        "Each was declared before it began, and is judged once, when the data covers the last customer's window, or at "
        "a look that it declared: anyone who looks whenever they like, and stops at a good figure, finds effects that "
        "are not there."
    )
    return Figure("experiments", "Which campaigns are tested?", table, note=note)


def _anyway(view: View) -> Figure:
    """What the customers of each segment did at the latest start that the data covers."""
    found = {(row["segment"], row["months"]): row for row in view.rows("natural_return", fewest=FEWEST)}
    rows = []
    for segment in view.choices.segments:
        half, quarter = found.get((segment, 6)), found.get((segment, 3))
        if not half or (view.filters.segments and segment not in view.filters.segments):
            continue
        share = half["came_back"] / half["customers"] * 100
        rows.append(
            (
                Link(segment, view.link_segment(segment)),
                half["snapshot_date"],
                half["customers"],
                Bar(share, share, colour(view, segment)) if half["customers"] >= FEWEST else Few(FEW),
                _spread(half),
                half["starts"],
                _share(quarter),
                half["net_after_once"],
            )
        )
    table = Table(
        (
            Column("segment", "Segment"),
            Column("start", "From", "day"),
            Column("customers", "Customers", "count"),
            Column("came_back_6", "Bought again within 6 months", "percent"),
            Column("range_6", "Lowest to highest"),
            Column("starts", "Month ends", "count"),
            Column("came_back_3", "Within 3 months", "percent"),
            Column("net_6", "Net sales within 6 months", "whole_pounds"),
        ),
        rows,
    )
    note = (
        "From history: no campaign is told apart here. A report without a control group would claim all of it for "
        "whatever was sent on that day. Net of returns, in whole months, with an invoice that the data holds twice "
        "counted once. Lowest to highest: the share within 6 months, "
        f"from every month end with {FEWEST} customers or more."
    )
    return Figure("anyway", "What would they have done anyway?", table, note=note)


def _share(row: Row | None) -> Any:
    if row is None:
        return None
    return row["came_back"] / row["customers"] * 100 if row["customers"] >= FEWEST else Few(FEW)


def _spread(row: Row) -> str:
    if not row["starts"]:
        return FEW
    low, high = (round(float(row[end]) * 100) for end in ("least", "most"))
    return f"{low}\N{EN DASH}{high} %"


def _numbers(standing: Standing) -> list[Number]:
    treatment = standing.declared.treatment
    treated, control = standing.arms[treatment], standing.arms[CONTROL]
    reached = standing.reached[treatment]
    held = standing.reached[CONTROL]
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
    if standing.is_due:
        return "the data covers it"
    looks = " or ".join(f"{days}" for days in standing.declared.looks)
    return f"before that, only an effect that shows after {looks} days" if looks else "no figure before that day"


def _arms(standing: Standing) -> Figure:
    share = float(standing.row["share"])
    declared = {standing.declared.treatment: share, CONTROL: 1 - share}
    total = sum(standing.arms.values())
    table = Table(
        (
            Column("arm", "Arm"),
            Column("customers", "Customers", "count"),
            Column("share", "Share", "percent"),
            Column("declared", "Declared", "percent"),
            Column("known", "In the data", "count"),
            Column("reached", "Reached", "count"),
            Column("reached_pct", "Share reached", "percent"),
        ),
        [
            (
                arm,
                standing.arms[arm],
                standing.arms[arm] / total * 100,
                declared[arm] * 100,
                standing.known[arm],
                standing.reached[arm],
                Bar(
                    standing.reached[arm] / (standing.arms[arm] or 1) * 100,
                    standing.reached[arm] / (standing.arms[arm] or 1) * 100,
                ),
            )
            for arm in declared
        ],
    )
    note = (
        "In the data: customers whom it still knows; the sizes of the arms are judged by them. Reached: held by a "
        "destination, through any audience, while purchases counted and the experiment ran. "
        "Everybody counts in the arm that was drawn, reached or not."
    )
    return Figure("arms", "Who is compared, and who was reached?", table, note=note)


def _result(standing: Standing) -> Figure:
    rows = [row for row in standing.results if row["role"] != "by segment"]
    table = Table(
        (
            Column("metric", "Metric"),
            Column("role", "Role"),
            Column("control", "Control"),
            Column("treated", "Treated"),
            Column("difference", "Difference"),
            Column("between", "Between"),
            Column("p_value", "p"),
            Column("corrected_p", "p, corrected"),
        ),
        [
            (
                METRICS[row["metric"]],
                row["role"],
                amount(row["metric"], row["control_mean"]),
                amount(row["metric"], row["treated_mean"]),
                signed(row["metric"], row["difference"]),
                _between(row),
                wording.p_value(row["p_value"]).removeprefix("= "),
                "" if row["corrected_p"] is None else wording.p_value(row["corrected_p"]).removeprefix("= "),
            )
            for row in rows
        ],
    )
    note = (
        "Difference: adjusted for past spend. Between: every effect that the data does not contradict, "
        f"{standing.certainty}; one that holds zero shows no difference. p: how often the draw of the arms alone would "
        "differ as much. Secondary metrics answer for their number."
    )
    return Figure("result", "What came of it?", table, note=note)


def _between(row: Row) -> str:
    low = signed(row["metric"], -inf if row["low"] is None else row["low"])
    high = signed(row["metric"], inf if row["high"] is None else row["high"])
    return f"{low} to {high}"


def _effect(standing: Standing) -> Figure:
    metric = standing.declared.primary.metric
    times = 100 if metric == "bought_within" else 1
    rows = [row for row in standing.results if row["metric"] == metric]
    marks = [
        Whisker(
            f"{'All' if row['segment'] == _ALL else row['segment']}: {signed(metric, row['difference'])}",
            times * row["difference"],
            None if row["low"] is None else times * row["low"],
            None if row["high"] is None else times * row["high"],
            f"{row['segment']}: {signed(metric, row['difference'])}, {_between(row)}",
            is_bold=row["segment"] == _ALL,
        )
        for row in rows
    ]
    table = Table(
        (
            Column("segment", "Segment"),
            Column("customers", "Customers", "count"),
            Column("control", "Control"),
            Column("treated", "Treated"),
            Column("difference", "Difference"),
            Column("between", "Between"),
        ),
        [
            (
                row["segment"],
                row["control_customers"] + row["treated_customers"],
                amount(metric, row["control_mean"]),
                amount(metric, row["treated_mean"]),
                signed(metric, row["difference"]),
                _between(row),
            )
            for row in rows
        ],
    )
    unit = "points" if metric == "bought_within" else METRICS[metric]
    note = f"Dots: the best estimate, in {unit}; lines: what it may as well be, {standing.certainty}. "
    note += "No verdict is given on a segment: the experiment was not made to tell them apart."
    label = f"The difference in {METRICS[metric]}, with its interval, for all and by segment. The table has the values."
    return Figure(
        "effect",
        f"What did it change of {METRICS[metric]}?",
        table,
        whiskers(label, marks, wording.signed_count),
        note,
    )


def _claim(standing: Standing) -> str:
    """What a report without a control group would have claimed."""
    bought = next((r for r in standing.results if r["metric"] == "bought_within" and r["segment"] == _ALL), None)
    money = next((r for r in standing.results if r["metric"] == "net_revenue" and r["segment"] == _ALL), None)
    if bought is None:
        return ""
    treated = bought["treated_customers"]
    left = "which was to be left alone" if standing.reached[CONTROL] else "which was left alone"
    said = (
        f"{wording.count(bought['treated_mean'] * treated)} of the {wording.counted(treated, 'treated customer')} "
        f"bought{', for ' + pounds(money['treated_mean'] * treated) + ' after returns' if money else ''}. A report "
        f"that counts what follows a campaign would claim all of it. Of the control group, {left}, "
        f"{wording.percent(bought['control_mean'] * 100, 0)} bought, too"
    )
    return (
        f"{said}: as many customers would have brought about {pounds(money['control_mean'] * treated)} by themselves."
        if money
        else f"{said}."
    )


_HONOURS: Final = frozenset({"segment"})
ALL = Page(
    "/experiments",
    "experiments.html",
    TABLES,
    show_all,
    label="Experiments",
    honours=_HONOURS,
    refusal="Experiments are judged as they were drawn, and what customers do anyway is known by segment.",
    is_live=True,
)
ONE = Page(
    "/experiments/{item}",
    "experiment.html",
    TABLES,
    show_one,
    honours=frozenset(),
    refusal="The page is of one experiment, as it was drawn.",
    is_live=True,
)
