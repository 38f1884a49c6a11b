"""Who will buy again, what is a customer worth, what will sales be? Beside each prediction, its past error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from lgs_assets.dashboard.filters import PICKING
from lgs_assets.dashboard.pages import customer_predictions, sales_forecasts
from lgs_assets.dashboard.pages.page import Files, Page, Shown, View
from lgs_assets.dashboard.pages.parts import BEST
from lgs_assets.dashboard.pages.predictions import CARDS, known_then
from lgs_assets.dashboard.queries import Row

TABLES: Final = (
    *("customer_value", "churn_risk", "slipping", "forecasts", "model_cards", "model_evaluations", "margins"),
    *("expected_margins", "prediction_terms", "prediction_calibration", "products"),
)
_FIRST: Final = 15
"""Customers of a list that are shown; its files have all of them."""


def show(view: View) -> Shown:
    """The forecast of sales, what customers are worth, who may stay away; with the error that each has shown."""
    title = "Who will buy again, and what will sales be?"
    if not view.reading.tables.issuperset(TABLES):
        return Shown(title, {"is_built": False})
    cards = {row["task"]: row for row in view.reading.once("model_cards", CARDS)}
    from_day = next((card["as_of"] for card in cards.values()), None)
    now = replace(view.filters, as_of=_month_of(view, from_day))
    listed = replace(view, filters=now)
    country = view.filters.countries[0] if len(view.filters.countries) == 1 else None
    # What came of the months that are forecast may be known already: LGS_AS_OF looks back.
    forecast = [row for row in view.rows("forecast", country=country) if _is_before_or_forecast(row)]
    weeks = view.rows("forecast_weeks", country=country)
    groups = view.matched("outlook_groups", filters=now)
    lists = view.matched("outlook_lists", filters=now, most=None if view.whole else _FIRST)
    judged = view.reading.once("calibration", ("prediction_calibration",))
    stock = view.reading.once("stock", ("forecasts", "products"))
    files: Files = {
        "forecast": sales_forecasts.forecast(view, forecast, country, cards.get("forecasts")),
        "weeks": sales_forecasts.weeks(view, weeks, country, cards.get("forecasts")),
        "stock": sales_forecasts.stock(view, stock, cards.get("forecasts")),
        "earnings": sales_forecasts.earnings(view, forecast, country),
        "value": customer_predictions.value(view, now.as_of, groups, cards.get("customer_value")),
        "value_check": customer_predictions.value_check(view, _of_kind(judged, "value")),
        "risk": customer_predictions.risk(view, now.as_of, groups, cards.get("churn_risk")),
        "calibration": customer_predictions.calibration(view, _of_kind(judged, "risk")),
        "churn": customer_predictions.churn(view, _of_kind(lists, "churn"), cards.get("churn_risk")),
        "slipping": customer_predictions.slipping(view, _of_kind(lists, "slipping"), cards.get("slipping")),
    }
    content = {
        "is_built": True,
        "cards": cards.values(),
        "known": known_then(next(iter(cards.values()), None)),
        "at_risk": listed.link_list(risks=("high",)),
        "good": listed.link_list(segments=BEST),
        **files,
    }
    return Shown(title, content, files, picked=sum(row["customers"] for row in _of_kind(groups, "decile")))


def _of_kind(rows: Sequence[Row], kind: str) -> list[Row]:
    return [row for row in rows if row["kind"] == kind]


def _is_before_or_forecast(row: Row) -> bool:
    return row["forecast"] is not None or row["first_month"] is None or bool(row["month"] < row["first_month"])


def _month_of(view: View, day: date | None) -> date:
    """The month at whose end customers are what they were when predictions were made; the last one without any."""
    snapshots = view.choices.snapshots
    return max(
        (month for month, moment in snapshots.items() if day and moment.date() <= day), default=view.choices.latest
    )


PAGE = Page(
    "/outlook",
    "outlook.html",
    ("rfm_history", "country_months", "audience_members"),
    show,
    label="Outlook",
    wished=TABLES,
    honours=PICKING - {"as_of", "step"},
    refusal="Predictions are made from one day, whatever month is looked at.",
)
