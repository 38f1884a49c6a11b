"""Did the campaign work? Every experiment, and what customers do anyway."""

from __future__ import annotations

from collections.abc import Sequence

from lgs_assets.action.experiments.declaration import CONTROL
from lgs_assets.dashboard.content import Column, Figure, Link, Table
from lgs_assets.dashboard.pages.natural_return import natural_return
from lgs_assets.dashboard.pages.page import Files, Page, Shown, View
from lgs_assets.dashboard.pages.standings import Standing, standings


def show_all(view: View) -> Shown:
    """Every experiment that was started, and what the customers of each segment do with no campaign."""
    found = standings(view)
    files: Files = {"experiments": _experiments(view, found), "anyway": natural_return(view)}
    return Shown("Did the campaign work?", {"count": len(found), **files}, files)


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
                Link(each.declared.name, view.link(f"/experiments/{each.declared.name}")),
                each.declared.hypothesis,
                each.answer,
                sum(each.conduct.arms.values()),
                each.conduct.reached[each.declared.treatment],
                each.conduct.reached[CONTROL],
                each.conduct.started_at,
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


PAGE = Page(
    "/experiments",
    "experiments.html",
    ("experiment_results", "experiment_reports", "natural_return"),
    show_all,
    label="Experiments",
    honours=frozenset({"segment"}),
    refusal="Experiments are judged as they were drawn, and what customers do anyway is known by segment.",
    is_live=True,
)
