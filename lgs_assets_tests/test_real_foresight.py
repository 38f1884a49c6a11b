"""What will happen, on the real data: the errors that are promised, and the reference figures of the models.

Needs the UCI data and the reference figures beside it (see `real_data` in conftest.py); skips loudly without.
"""

import re
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from lgs_assets import places
from lgs_assets.checks.sql_checks import evaluate
from lgs_assets.configuration import Configuration
from lgs_assets.contracts.check import CHECKS
from lgs_assets.definitions import build_definitions
from lgs_assets.models import bgnbd, evaluation, gamma_gamma, slipping, value
from lgs_assets.models.cards import page
from lgs_assets.models.features import at, repeat_purchases
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import read_frame
from lgs_assets.warehouse.tables import PostgresTables
from lgs_assets_tests.builders import FITTED, MakeDatabase, build_tables


def figure(warehouse: Warehouse, task: str, metric: str, model: str | None = None) -> float:
    """The pooled one of past days. Of intervals it takes ten values to say how many hold."""
    rows = warehouse.rows(
        """
        select value, n from model_evaluations
        where task = :task and metric = :metric and fold = 'pooled' and source = 'back-test'
            and case when cast(:model as text) is null then is_used else model = :model end
        """,
        task=task,
        metric=metric,
        model=model,
    )
    (row,) = rows
    assert row.n >= 10 or not metric.startswith("coverage")
    return float(row.value)


def test_checks_find_what_is_known_of_the_models(real: Warehouse) -> None:
    """Of 365 days there is one past day, after a record year: two warnings, and nothing else."""
    checks = [check for check in CHECKS if check.table in FITTED]
    failed = {check.name for check in checks if not evaluate(check, PostgresTables(real)).passed}
    assert failed == {"probabilities_are_calibrated", "models_beat_their_baselines"}


PROMISED: list[tuple[str, str, float, float]] = [
    ("customer_value, 182 days", "mae_purchases", 0, 1.248),
    ("customer_value, 182 days", "top_decile_share", 0.60, 1),
    ("churn_risk, active in the last 365 days", "auc", 0.78, 1),
    ("churn_risk, active in the last 90 days", "auc", 0.77, 1),
    ("churn_risk, Loyal Customers", "auc", 0.69, 1),
    ("churn_risk, active in the last 365 days", "calibration_error", 0, 0.12),
    ("slipping, Loyal Customers and Champions", "auc", 0.92, 1),
    ("forecasts, total by month, 3 ahead", "wape", 0, 0.09),
    ("forecasts, total by month, 3 ahead", "coverage_80", 0.70, 0.90),
    ("forecasts, total by week, 13 ahead", "coverage_80", 0.70, 0.90),
    ("forecasts, country by month, 3 ahead", "coverage_80", 0.70, 0.90),
    ("forecasts, country by week, 13 ahead", "coverage_80", 0.70, 0.90),
    ("forecasts, product by week, 4 ahead", "coverage_80", 0.70, 0.90),
    ("forecasts, product by week, 13 ahead", "coverage_80", 0.70, 0.90),
    ("forecasts, product by week, 4 ahead", "coverage_80_sum", 0.70, 0.90),
    ("forecasts, product by week, 13 ahead", "coverage_80_sum", 0.70, 0.90),
    ("forecasts, total by week, 13 ahead", "coverage_95", 0.90, 1),
    ("forecasts, country by month, 3 ahead", "coverage_95", 0.90, 1),
    ("forecasts, country by week, 13 ahead", "coverage_95", 0.90, 1),
    ("forecasts, product by week, 13 ahead", "coverage_95", 0.90, 1),
    ("customer_value, 90 days", "coverage_80_sales", 0.80, 0.95),
    ("forecasts, total by week, 13 ahead", "wape", 0, 0.17),
    ("forecasts, country by week, 13 ahead", "wape", 0, 0.28),
    ("forecasts, product by week, 4 ahead", "wape", 0, 0.68),
    ("forecasts, product by week, 13 ahead", "wape", 0, 0.77),
]


@pytest.mark.parametrize(("task", "metric", "low", "high"), PROMISED)
def test_the_error_is_within_what_is_promised(real: Warehouse, task: str, metric: str, low: float, high: float) -> None:
    """Of the model that makes the table, pooled over past days."""
    assert low <= figure(real, task, metric) <= high


@pytest.mark.parametrize(
    ("task", "model", "metric", "reference"),
    [
        ("customer_value, 182 days", "status quo", "mae_purchases", 1.248),
        ("churn_risk, active in the last 365 days", "recency", "auc", 0.719),
        ("churn_risk, active in the last 365 days", "BG/NBD alone", "auc", 0.784),
        ("churn_risk, active in the last 90 days", "recency", "auc", 0.615),
        ("churn_risk, Loyal Customers", "BG/NBD alone", "auc", 0.687),
        ("forecasts, total by month, 3 ahead", "same month last year", "wape", 0.099),
        ("forecasts, total by week, 13 ahead", "same week last year", "wape", 0.182),
        ("forecasts, country by week, 13 ahead", "same week last year", "wape", 0.296),
    ],
)
def test_baselines_are_those_of_the_reference(
    real: Warehouse, task: str, model: str, metric: str, reference: float
) -> None:
    """A model is easily better than a baseline that was made worse: the folds are the reference's own."""
    assert figure(real, task, metric, model) == pytest.approx(reference, abs=0.0006)


@pytest.mark.parametrize(
    ("population", "as_of"),
    [("recency_days <= 365", "2011-03-01"), ("segment = 'Loyal Customers'", "2011-09-01")],
)
def test_calibration_is_measured_as_in_the_reference(
    real: Warehouse, real_data: Path, population: str, as_of: str
) -> None:
    """By tenth of customers: the same gaps of BG/NBD's probability."""
    tasks = {
        "recency_days <= 365": "active in the last 365 days",
        "segment = 'Loyal Customers'": "Loyal Customers at t",
    }
    folds = pd.read_csv(real_data / "reference" / "prediction" / "churn_folds.csv")
    is_asked = (folds["task"] == f"quiet90, {tasks[population]}") & (folds["as_of"] == as_of)
    (reference,) = folds.loc[is_asked & (folds["model"] == "BG/NBD P(no purchase in 90 days)"), "ece10"]
    rows = real.rows(
        f"select bgnbd_score, happened from risk_backtests where task = 'churn_risk' and as_of = :as_of "
        f"and {population} order by customer_id",
        as_of=as_of,
    )
    probability, happened = np.array([row.bgnbd_score for row in rows]), np.array([row.happened for row in rows])
    found = evaluation.calibration_error(probability, happened)(np.ones((1, len(rows))))[0]
    assert found == pytest.approx(reference, abs=5e-5)


def test_the_models_are_fitted_as_in_the_reference(real: Warehouse, real_data: Path) -> None:
    """BG/NBD and Gamma-Gamma, first day left out, on the purchase days until 2011-06-09."""
    reference = pd.read_csv(real_data / "reference" / "prediction" / "clv_parameters.csv").iloc[0]
    days: Any = read_frame(real, "customer_days", ["customer_id", "day", "sales"])
    days = days[(days["sales"] > 0) & (days["day"] < "2011-06-10")].sort_values(["customer_id", "day"])
    by_customer = days.groupby("customer_id")["day"]
    first, last, x = by_customer.min(), by_customer.max(), by_customer.size() - 1
    t_x, observed = (last - first).dt.days / 7, (pd.Timestamp("2011-06-09") - first).dt.days / 7
    found = bgnbd.fit(x.to_numpy(float), t_x.to_numpy(float), observed.to_numpy(float))
    for name in ("r", "alpha", "a", "b"):
        assert getattr(found, name) == pytest.approx(reference[name], rel=1e-4)
    assert found.log_likelihood == pytest.approx(reference["ll"], abs=0.001)
    repeated = days[days["day"] > days["customer_id"].map(first)].groupby("customer_id")["sales"]
    spending: Any = gamma_gamma.fit(repeated.size().to_numpy(float), repeated.mean().to_numpy(float))
    for name in ("p", "q", "gamma"):
        assert getattr(spending, name) == pytest.approx(reference[f"gg_{name}"], rel=1e-4)


SIMULATED = re.compile(r"customers within the 80 % interval|that the model itself expects there|within that of sales")
"""The lines of the cards whose last digit is the processor's: a fit that differs in its tenth draws other customers."""


def test_the_cards_in_the_docs_are_those_of_the_run(real: Warehouse) -> None:
    """`lgs cards docs/models` writes them; a model, its words or its error that has changed leaves them stale."""
    number = re.compile(r"\d[\d,]*(?:\.\d+)?")
    for _, card in read_frame(real, "model_cards").iterrows():
        written = (places.ROOT / "docs" / "models" / f"{card['task']}.md").read_text()
        for told, made in zip(written.splitlines(), page(card).splitlines(), strict=True):
            if not SIMULATED.search(told):
                assert told == made
                continue
            assert number.sub("#", told) == number.sub("#", made)
            figures = [[float(each.replace(",", "")) for each in number.findall(line)] for line in (told, made)]
            assert figures[0] == pytest.approx(figures[1], rel=0, abs=0.11)


def test_what_is_shown_of_the_year_is_what_was_better(real: Warehouse) -> None:
    """On the one past day whose year is over the model was further off than the year before again."""
    used = real.rows("select distinct horizon_days, model from customer_value order by horizon_days")
    assert [(row.horizon_days, row.model) for row in used] == [
        (90, value.MODEL), (182, value.MODEL), (365, value.BASELINE),
    ]  # fmt: skip


def test_the_value_of_who_is_at_risk_is_that_of_half_a_year(real: Warehouse) -> None:
    """The horizon that every list shows: the rank says the same order."""
    (row,) = real.rows(
        """
        select count(*) as customers, count(case when value_rank = customer_value.rank then 1 end) as same
        from churn_risk
        left join customer_value on customer_value.customer_id = churn_risk.customer_id and horizon_days = 182
        """
    )
    assert 0 < row.customers == row.same


def test_features_are_those_of_the_history(real: Warehouse) -> None:
    """The scores of customer_features are made by the rule of rfm_history: at each moment of both, the same."""
    (row,) = real.rows(
        """
        select count(*) as moments, count(case when segment = theirs and orders = frequency then 1 end) as same
        from customer_features
        inner join (select snapshot_date, customer_id, frequency, segment as theirs from rfm_history) as history
            on customer_features.as_of = snapshot_date and customer_features.customer_id = history.customer_id
        """
    )
    assert row.moments == row.same == 98_557


def test_who_slipped_is_told_by_the_scores_of_the_history(real: Warehouse, make_database: MakeDatabase) -> None:
    """Predictions are judged at the end of their window, which may be any day: at a month end, as in rfm_history."""
    real.engine.dispose()
    again = Warehouse(make_database(template=real.url))
    with again.transaction() as connection:
        connection.exec_driver_sql(
            """
            insert into prediction_log (
                task, model_version, subject, figure, window_from, window_until, as_of, model, point, made_at
            )
            select
                'slipping', repeat('a', 64), cast(customer_id as text), 'rank', '2011-09-01', '2011-12-01',
                '2011-09-01', 'a model', 1, now()
            from customer_features
            where as_of = '2011-09-01'
            """
        )
    build_tables(again, "judged_predictions")
    slipped = {int(row.subject) for row in again.rows("select subject from judged_predictions where actual = 1")}
    history = again.rows("select customer_id, segment from rfm_history where snapshot_date = '2011-12-01'")
    asked = {
        row.customer_id for row in again.rows("select customer_id from customer_features where as_of = '2011-09-01'")
    }
    assert slipped == {row.customer_id for row in history if row.segment in slipping.BAD} & asked
    assert len(slipped) > 1_000
    again.engine.dispose()


def test_time_that_was_not_observed_is_no_silence(real: Warehouse) -> None:
    """The data end on 9 December, the moment is 1 January: clocks stop in between."""
    known = at(read_frame(real, "customer_features"), pd.Timestamp("2012-01-01"))
    assert set(known["observed_until"]) == {pd.Timestamp("2011-12-10")}
    assert known["recency_days"].min() == 1
    assert repeat_purchases(known)[2].max() == pytest.approx(
        (pd.Timestamp("2011-12-09") - pd.Timestamp("2009-12-01")).days / 7
    )


def test_the_days_that_are_predicted_are_those_that_are_told(real: Warehouse) -> None:
    """From 1 January on, though lines end on 9 December: 22 more days of leaving make fewer purchases."""
    (row,) = real.rows("select sum(purchases) as purchases from customer_value where horizon_days = 90")
    assert row.purchases == pytest.approx(4652.03, abs=0.01)


def test_the_year_of_who_is_at_risk_is_that_of_their_sales(real: Warehouse) -> None:
    """Whoever bought in the last 365 days observed, and nobody else."""
    (row,) = real.rows(
        """
        select count(*) as customers, count(case when churn_risk.sales_365 = features.sales_365 then 1 end) as same
        from churn_risk
        full join (
            select customer_id, sales_365 from customer_features where as_of = '2012-01-01' and sales_365 > 0
        ) as features on churn_risk.customer_id = features.customer_id
        """
    )
    assert row.customers == row.same > 4_000


def test_a_country_is_not_measured_by_another(real: Warehouse) -> None:
    """Australia is hard to foresee, the United Kingdom is not: each interval is as wide as its own country."""
    (row,) = real.rows(
        """
        select forecast, low_80, high_80, low_95, high_95 from forecasts
        where series = 'United Kingdom' and grain = 'month' and step = 1
        """
    )
    ends = [float(end / row.forecast) for end in (row.low_95, row.low_80, row.high_80, row.high_95)]
    assert ends == pytest.approx([0.86, 0.92, 1.17, 1.30], abs=0.01)


def test_a_second_run_logs_nothing(
    real: Warehouse, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same predictions are kept once, as they were first made."""
    real.engine.dispose()
    again = Warehouse(make_database(template=real.url))
    monkeypatch.setenv("LGS_DATABASE_URL", again.url)
    kept = "select count(*) as predictions, max(made_at), min(made_at) from prediction_log"
    before = again.rows(kept)
    assert before[0].predictions > 0
    with dg.DagsterInstance.ephemeral() as instance:
        build_definitions(Configuration.read()).resolve_job_def("refresh").execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey("logged_predictions")]
        )
    assert again.rows(kept) == before
    again.engine.dispose()
