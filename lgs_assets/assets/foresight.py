"""What will happen: the value, the risk and the sales to come, each with how wrong it has been."""

import dagster as dg
import pandas as pd

from lgs_assets import places
from lgs_assets.contracts.model import Model, Relation
from lgs_assets.models import cards, churn, evaluation, forecast, log, value
from lgs_assets.models import slipping as slips
from lgs_assets.models.calibration import calibration
from lgs_assets.models.features import learnable
from lgs_assets.warehouse import prediction_log
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wiring.computation import Computation
from lgs_assets.wiring.derived_asset import IN_WAREHOUSE, columns, derived_asset

IN_PYTHON = {"postgres", "python"}
KEPT = places.ROOT / "lgs_assets" / "warehouse" / "prediction_log.py"
MONTHS = columns("invoice_month", "is_partial")
_TOLD = ("as_of", "customer_id", "observed_until", "purchase_days", "recency_days", "tenure_days", "sales")
_AGAIN = tuple(f"{what}_{days}" for what in ("purchase_days", "sales") for days in value.HORIZONS)
VALUED = columns(*_TOLD, "last_day", *_AGAIN, "net_revenue")
BASELINES = columns("as_of", "customer_id", *_AGAIN, "orders", "recency_days")
RANKED = columns("as_of", "customer_id", "segment", "orders", "snapshot_recency_days", "r_score", "sales_365")
_HABITS = (
    *(*_TOLD, "last_day", "typical_gap_days", "squared_gaps", "purchase_days_90", "purchase_days_365"),
    *("cancelled_orders", "segment", "sales_365"),
)
AT_RISK = columns(*_HABITS)
AT_RISK_OR_RANKED = columns(*_HABITS, "orders", "snapshot_recency_days")
_CAME = ("as_of", "customer_id", "bought_90", "next_day")
LEARNT = columns(*_CAME)
LEARNT_OR_SLIPPED = columns(*_CAME, "segment_3_months")
BOUGHT_LATER = columns("as_of", "customer_id", *_AGAIN)
RATED = columns("horizon_days", "as_of", "customer_id", "sales", "baseline_sales", "actual_sales")
TOLD_RISKS = columns("task", "as_of", "customer_id", "probability", "baseline_probability", "happened")


@derived_asset(group="foresight", kinds=IN_WAREHOUSE)
def prediction_terms(clean_invoices: Relation, customer_days: Relation) -> Model:
    """The moment that everything is predicted from, and whether enough was observed before it. One row."""
    return Model("prediction_terms.sql", clean_invoices, customer_days)


@derived_asset(group="foresight", kinds=IN_WAREHOUSE)
def customer_days(invoice_totals: Relation) -> Model:
    """What each customer bought and cancelled, day by day. One row a customer and day."""
    return Model("customer_days.sql", invoice_totals)


@derived_asset(group="foresight", kinds=IN_WAREHOUSE)
def customer_features(customer_days: Relation, prediction_terms: Relation, segment_playbook: Relation) -> Model:
    """What was known of each customer at each moment, from strictly before it. One row a moment and customer."""
    return Model("customer_features.sql", customer_days, prediction_terms, segment_playbook)


@derived_asset(group="foresight", kinds=IN_WAREHOUSE)
def customer_outcomes(customer_features: Relation, customer_days: Relation, prediction_terms: Relation) -> Model:
    """What came of each customer after each moment, as far as observed. One row a moment and customer."""
    return Model("customer_outcomes.sql", customer_features, customer_days, prediction_terms)


@derived_asset(group="foresight", kinds=IN_WAREHOUSE)
def daily_series(clean_invoices: Relation, stock_codes: Relation, prediction_terms: Relation) -> Model:
    """Sales in total and by country, and units of the best-selling products. One row a series and day."""
    return Model("daily_series.sql", clean_invoices, stock_codes, prediction_terms)


@derived_asset(group="foresight", kinds=IN_PYTHON, ins={"customer_features": VALUED, "customer_outcomes": BOUGHT_LATER})
def value_backtests(
    customer_features: pd.DataFrame, customer_outcomes: pd.DataFrame, prediction_terms: pd.DataFrame
) -> Computation:
    """What the value model would have said on past days, and what came. One row a horizon, day and customer."""
    over = outcomes_of_past(customer_outcomes, f"purchase_days_{min(value.HORIZONS)}")
    return Computation(value.backtests, (features_of(customer_features, over), over, since(prediction_terms)))


@derived_asset(
    group="foresight",
    kinds=IN_PYTHON,
    ins={"customer_features": AT_RISK_OR_RANKED, "customer_outcomes": LEARNT_OR_SLIPPED},
)
def risk_backtests(
    customer_features: pd.DataFrame, customer_outcomes: pd.DataFrame, prediction_terms: pd.DataFrame
) -> Computation:
    """How customers at risk would have been ranked on past days, and who left. One row a task, day, customer."""
    over = outcomes_of_past(customer_outcomes, "bought_90")
    return Computation(ranked, (features_of(customer_features, over), over, since(prediction_terms)))


@derived_asset(group="foresight", kinds=IN_PYTHON, ins={"monthly_metrics": MONTHS})
def forecast_backtests(
    daily_series: pd.DataFrame, prediction_terms: pd.DataFrame, monthly_metrics: pd.DataFrame
) -> Computation:
    """What each method would have forecast on past days, and what came. One row a series, origin, period, method."""
    whole = {} if daily_series.empty else forecast.whole_periods(prediction_terms, monthly_metrics)
    ends = [end for _, end in whole.values()]
    return Computation(forecast.backtests, (daily_series[daily_series["day"] < max(ends, default=pd.NaT)], whole))


@derived_asset(group="foresight", kinds=IN_WAREHOUSE)
def judged_predictions(
    prediction_terms: Relation,
    customer_days: Relation,
    clean_invoices: Relation,
    stock_codes: Relation,
    segment_playbook: Relation,
) -> Model:
    """Predictions as they were made, whose window is over, and what came. One row a prediction."""
    return Model(
        "judged_predictions.sql", prediction_terms, customer_days, clean_invoices, stock_codes, segment_playbook
    )


@derived_asset(group="foresight", kinds=IN_PYTHON)
def model_evaluations(
    value_backtests: pd.DataFrame,
    risk_backtests: pd.DataFrame,
    forecast_backtests: pd.DataFrame,
    judged_predictions: pd.DataFrame,
    prediction_terms: pd.DataFrame,
) -> Computation:
    """How wrong each model has been, beside its baseline. One row a task, model, fold, metric and source."""
    judged = (value_backtests, risk_backtests, forecast_backtests, judged_predictions)
    return Computation(evaluation.evaluated, (*judged, reason(prediction_terms)), described=plotted)


@derived_asset(
    group="foresight",
    kinds=IN_PYTHON,
    ins={"customer_features": VALUED},
)
def customer_value(
    context: dg.AssetExecutionContext,
    customer_features: pd.DataFrame,
    prediction_terms: pd.DataFrame,
    model_evaluations: pd.DataFrame,
) -> pd.DataFrame:
    """What each customer is expected to buy in the days to come. One row a customer and horizon."""
    context.add_output_metadata(why_nothing(prediction_terms))
    discount = 0.0 if prediction_terms.empty else float(prediction_terms["discount_pct"].iloc[0])
    won = [days for days in value.HORIZONS if evaluation.is_used(model_evaluations, evaluation.value_task(days))]
    return value.predicted(customer_features, discount_pct=discount, model_horizons=won)


@derived_asset(
    group="foresight",
    kinds=IN_PYTHON,
    ins={
        "customer_features": AT_RISK,
        "customer_outcomes": LEARNT,
        "customer_value": columns("customer_id", "horizon_days", "rank"),
    },
)
def churn_risk(
    context: dg.AssetExecutionContext,
    customer_features: pd.DataFrame,
    customer_outcomes: pd.DataFrame,
    prediction_terms: pd.DataFrame,
    customer_value: pd.DataFrame,
    model_evaluations: pd.DataFrame,
) -> pd.DataFrame:
    """How likely each active customer is not to buy in the next 90 days, and why. One row a customer."""
    context.add_output_metadata(why_nothing(prediction_terms))
    if customer_features.empty:
        return pd.DataFrame(columns=churn.RISKS)
    known = learnable(customer_features, customer_outcomes, prediction_terms["observed_from"].iloc[0])
    (active, *_) = evaluation.CHURN_POPULATIONS
    return churn.predicted(
        churn.active(known),
        customer_value[customer_value["horizon_days"] == value.JUDGED],
        is_model_used=evaluation.is_used(model_evaluations, active),
        is_calibrated=evaluation.calibration(model_evaluations) <= evaluation.CALIBRATED_WITHIN,
        is_gap_used=evaluation.is_used(model_evaluations, evaluation.DUE_TASK),
    )


@derived_asset(
    group="foresight",
    kinds=IN_PYTHON,
    ins={"customer_features": RANKED},
)
def slipping(
    context: dg.AssetExecutionContext,
    customer_features: pd.DataFrame,
    prediction_terms: pd.DataFrame,
    model_evaluations: pd.DataFrame,
) -> pd.DataFrame:
    """Loyal Customers and Champions in the order of their risk of falling out of the good segments. One row each."""
    context.add_output_metadata(why_nothing(prediction_terms))
    return slips.predicted(
        customer_features, is_model_used=evaluation.is_used(model_evaluations, evaluation.SLIPPING_TASK)
    )


@derived_asset(group="foresight", kinds=IN_PYTHON, ins={"monthly_metrics": MONTHS})
def forecasts(
    context: dg.AssetExecutionContext,
    daily_series: pd.DataFrame,
    forecast_backtests: pd.DataFrame,
    prediction_terms: pd.DataFrame,
    monthly_metrics: pd.DataFrame,
    model_evaluations: pd.DataFrame,
) -> pd.DataFrame:
    """Sales and best-selling products in the months and weeks to come. One row a series, horizon and period."""
    context.add_output_metadata(why_nothing(prediction_terms))
    if daily_series.empty:
        return pd.DataFrame(columns=forecast.FORECASTS)
    return forecast.predicted(
        daily_series,
        forecast_backtests,
        forecast.whole_periods(prediction_terms, monthly_metrics),
        as_of=prediction_terms["as_of"].iloc[0],
        are_choices_used={task.name: evaluation.is_used(model_evaluations, task.name) for task in forecast.TASKS},
    )


@derived_asset(group="foresight", kinds=IN_PYTHON, sources=(KEPT,), ins={"customer_features": BASELINES})
def logged_predictions(
    warehouse: dg.ResourceParam[Warehouse],
    customer_value: pd.DataFrame,
    churn_risk: pd.DataFrame,
    slipping: pd.DataFrame,
    forecasts: pd.DataFrame,
    customer_features: pd.DataFrame,
    prediction_terms: pd.DataFrame,
) -> pd.DataFrame:
    """Keeps every prediction as it was made, and tells what is kept. One row a task, moment, model and version.

    What is computed as of a moment whose future is known already is hindsight, and is not kept.
    """
    if not prediction_terms["is_ahead"].all():
        return prediction_log.held(warehouse)
    made = [
        log.of_values(customer_value, customer_features, customer_value.attrs["version"]),
        log.of_risks(churn_risk, customer_features, churn_risk.attrs["version"]),
        log.of_slipping(slipping, customer_features, slipping.attrs["version"]),
        log.of_forecasts(forecasts, forecasts.attrs["version"]),
    ]
    for predictions in made:
        if not predictions.empty:
            prediction_log.keep(warehouse, predictions)
    return prediction_log.held(warehouse)


@derived_asset(group="foresight", kinds=IN_PYTHON, ins={"value_backtests": RATED, "risk_backtests": TOLD_RISKS})
def prediction_calibration(
    value_backtests: pd.DataFrame, risk_backtests: pd.DataFrame, model_evaluations: pd.DataFrame
) -> pd.DataFrame:
    """What was predicted on past days beside what came. One row a kind, day and tenth."""
    return calibration(value_backtests, risk_backtests, model_evaluations)


@derived_asset(group="foresight", kinds=IN_PYTHON)
def model_cards(model_evaluations: pd.DataFrame, prediction_terms: pd.DataFrame) -> pd.DataFrame:
    """What each model is for, how wrong it has been, and where it must not be used. One row a model."""
    return cards.cards(model_evaluations, unavailable_because=reason(prediction_terms))


def outcomes_of_past(outcomes: pd.DataFrame, known: str) -> pd.DataFrame:
    """The outcomes of moments of which this one is known: no later line changes it."""
    over = outcomes.loc[outcomes[known].notna(), "as_of"]
    return outcomes[outcomes["as_of"].isin(over)]


def features_of(features: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """The features at the moments whose outcomes these are."""
    return features[features["as_of"].isin(outcomes["as_of"])]


def since(terms: pd.DataFrame) -> pd.Timestamp | None:
    """The day of the first line; None if there are no lines before the moment."""
    return None if terms.empty else terms["observed_from"].iloc[0]


def ranked(features: pd.DataFrame, outcomes: pd.DataFrame, observed_from: pd.Timestamp) -> pd.DataFrame:
    """What risk_backtests holds: its two tasks, each with a row a past day and customer."""
    if features.empty:
        return pd.DataFrame(columns=["task", *churn.BACKTESTS])
    known = learnable(features, outcomes, observed_from)
    return pd.concat(
        [
            churn.backtests(churn.active(known)).assign(task="churn_risk"),
            slips.backtests(known, outcomes).assign(task="slipping"),
        ],
        ignore_index=True,
    )


def reason(terms: pd.DataFrame) -> str | None:
    """Why nothing is predicted, if so."""
    if terms.empty:
        return "There are no lines before the moment."
    found = terms["unavailable_because"].iloc[0]
    return None if pd.isna(found) else str(found)


def why_nothing(terms: pd.DataFrame) -> dict[str, str]:
    """The reason as metadata, so that an empty table explains itself in the UI."""
    said = reason(terms)
    return {} if said is None else {"nothing is predicted": said}


def plotted(evaluations: pd.DataFrame) -> dict[str, float]:
    """The pooled figures that decide, of past days and live: Dagster plots them over builds, so that drift is seen."""
    rows = evaluations[(evaluations["fold"] == evaluation.POOLED) & evaluations["is_used"]]
    deciding = rows[rows["metric"] == rows["task"].map(evaluation.deciding)]
    names = deciding["source"].map({"back-test": "", "live": "live "}) + deciding["metric"] + " of " + deciding["task"]
    figures = zip(names, deciding["value"].astype(float), strict=True)
    return {name: figure for name, figure in figures if pd.notna(figure)}
