"""Who will buy again, what is a customer worth, what will sales be? Beside each prediction, its past error."""

from __future__ import annotations

from lgs_assets.dashboard.pages.page import Page, Shown, View

TABLES = ("customer_value", "churn_risk", "slipping", "forecasts", "model_evaluations", "model_cards")


def show(view: View) -> Shown:
    """What of the predictions is built."""
    missing = [table for table in TABLES if table not in view.reading.tables]
    return Shown("Who will buy again, and what will sales be?", {"missing": missing, "moment": view.moment()})


PAGE = Page(
    "/outlook",
    "outlook.html",
    (),
    show,
    label="Outlook",
    wished=TABLES,
    honours=frozenset({"country", "segment", "first_bought"}),
    refusal="Predictions are made from the end of the data.",
)
