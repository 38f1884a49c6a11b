"""The charts of predictions: what they say of how sure they are."""

import pandas as pd
import pytest

from lgs_assets_tests.charts.conftest import Draw, MakeFrames, Texts


@pytest.mark.parametrize(("is_used", "off"), [(True, "20.0 %"), (False, "30.0 %")])
def test_a_forecast_names_its_methods_and_their_error(
    is_used: bool, off: str, frames: MakeFrames, draw: Draw, texts: Texts
) -> None:
    """It is last year's month, if it is, and that has been off by so much: nothing is said where that is not known."""
    given = frames()
    given["model_evaluations"]["is_used"] &= is_used
    said = " ".join(texts(draw("sales_to_come", given)))
    assert f"Months: same month last year, off by {off} on past days. Weeks: same month last year" in said
    assert said.count("off by") == 1


def test_the_error_of_past_forecasts_is_written(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """In a number, not in a picture alone."""
    given = frames()
    past = given["forecast_backtests"]
    given["forecast_backtests"] = past.assign(actual=past["forecast"] / 2)
    assert any(
        "Absolute errors are 100.0 % of actual sales" in text for text in texts(draw("forecasts_against_actual", given))
    )


def test_where_no_past_weeks_are_over_no_record_is_claimed(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """A shop of 15 months has no past day with a year before it and 13 weeks after it: that is no error of 0 %."""
    given = frames()
    given["forecast_backtests"] = given["forecast_backtests"].assign(grain="month")
    said = texts(draw("forecasts_against_actual", given))
    assert "No 13 weeks after a past day are over." in said and not any("Absolute errors" in text for text in said)


@pytest.mark.parametrize(("gap", "said"), [(0.03, "near enough to be shown"), (0.11, "too far off to be shown")])
def test_the_level_of_the_risk_is_judged_by_its_own_past(
    frames: MakeFrames, draw: Draw, texts: Texts, gap: float, said: str
) -> None:
    """Whether it holds on this shop's days, not on those of another."""
    given = frames()
    rows = given["model_evaluations"]
    asked = rows[(rows["task"] == "churn_risk, active in the last 365 days") & rows["is_used"]]
    given["model_evaluations"] = pd.concat([rows, asked.head(1).assign(metric="calibration_error", value=gap)])
    assert f"On average {100 * gap:.0f} points off: {said}" in " ".join(texts(draw("risk_calibration", given)))


def test_the_first_tenth_is_told_with_its_share(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """Of customers of whom only the first in each day's order bought, it holds everything."""
    given = frames()
    values = given["value_backtests"].assign(sales=lambda rows: -rows["customer_id"].astype(float))
    given["value_backtests"] = values.assign(actual_sales=(values["customer_id"] == 0) * 10.0)
    assert any(
        "The first tenth holds 100.0 % of actual sales" in text for text in texts(draw("value_by_decile", given))
    )


@pytest.mark.parametrize("band", ["low", "medium", "high"])
def test_customers_of_one_purchase_are_counted_apart(frames: MakeFrames, draw: Draw, texts: Texts, band: str) -> None:
    """Nobody knows when they are due."""
    given = frames()
    given["churn_risk"] = given["churn_risk"].assign(band=band)
    assert any("1 customer with one purchase day left out" in text for text in texts(draw("due_and_overdue", given)))


def test_who_is_due_now_is_not_late(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """Neither in the title nor by the side of the line that the bar is on."""
    given = frames()
    risks = given["churn_risk"].head(3).assign(band="low", days_late=[0, 0, 1])
    given["churn_risk"] = risks.astype({"days_late": "Int64"})
    figure = draw("due_and_overdue", given)
    assert any("1 customer overdue, 2 due now or later" in text for text in texts(figure))
    (axes,) = figure.axes
    (line,) = (line.get_xdata()[0] for line in axes.lines)
    bars = {bar.get_x() < line: bar.get_height() for bar in axes.patches if bar.get_height()}
    assert bars == {True: 2, False: 1}


@pytest.mark.parametrize("chart", ["sales_to_come", "models_against_baselines", "due_and_overdue"])
def test_a_chart_says_why_nothing_is_predicted(frames: MakeFrames, draw: Draw, texts: Texts, chart: str) -> None:
    """Instead of an empty sheet, or of the names of tables."""
    given = frames()
    given["prediction_terms"] = given["prediction_terms"].assign(unavailable_because="Needs 500 customers.")
    assert "Nothing is predicted. Needs 500 customers." in texts(draw(chart, given))


def test_a_forecast_without_an_interval_is_drawn(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """Past errors were too few: the chart says so."""
    given = frames()
    ends = ["low_80", "high_80", "low_95", "high_95"]
    given["forecasts"] = given["forecasts"].assign(**dict.fromkeys(ends, float("nan")))
    assert "these are too few to say" in " ".join(texts(draw("sales_to_come", given)))


@pytest.mark.parametrize("chart", ["value_by_decile", "risk_calibration"])
@pytest.mark.parametrize("is_model_used", [True, False])
def test_past_days_are_shown_of_what_predicts_now(
    frames: MakeFrames, draw: Draw, texts: Texts, chart: str, is_model_used: bool
) -> None:
    """Where that is the baseline, the errors of the model are nobody's."""
    given = frames()
    rows = given["model_evaluations"]
    given["model_evaluations"] = rows.assign(is_used=(rows["model"] == rows["baseline"]) != is_model_used)
    figure = draw(chart, given)
    used = {"value_by_decile": ("BG/NBD and", "status quo"), "risk_calibration": ("logistic", "recency")}[chart]
    assert f"by {used[not is_model_used]}" in " ".join(texts(figure)).replace("By", "by")
    if chart == "value_by_decile":
        shown = sum(bar.get_height() for bar in figure.axes[0].containers[0])
        told = given["value_backtests"]["sales" if is_model_used else "baseline_sales"]
        assert shown == pytest.approx(told.sum() / given["value_backtests"]["as_of"].nunique())
    else:
        # The baseline of these frames says the opposite, so its line falls.
        (probability, happened) = figure.axes[0].lines[1].get_data()
        assert (happened[-1] > happened[0]) == is_model_used and probability[-1] > probability[0]


def test_no_half_year_that_is_over_is_said(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """A shop of eight months has past days of 90 days only."""
    given = frames()
    given["value_backtests"] = given["value_backtests"].assign(horizon_days=90)
    assert "No 182 days after a past day are over." in texts(draw("value_by_decile", given))


def test_live_figures_are_below_those_of_past_days(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """Hollow, once there are any, and said to be."""
    given = frames()
    rows = given["model_evaluations"]
    assert "live" not in " ".join(texts(draw("models_against_baselines", given)))
    live = rows[rows["metric"] == "wape"].assign(source="live", value=0.55)
    figure = draw("models_against_baselines", given | {"model_evaluations": pd.concat([rows, live])})
    assert "live" in " ".join(texts(figure))
    hollow = [
        line for axes in figure.axes for line in axes.lines if line.get_fillstyle() == "none" and len(line.get_xdata())
    ]
    assert len(hollow) == 2
    assert {line.get_xdata()[0] for line in hollow} == {0.55} and all(-1 < line.get_ydata()[0] < 0 for line in hollow)


def test_each_deciding_figure_has_its_axis(frames: MakeFrames, draw: Draw) -> None:
    """Purchase days beside shares would leave these no room; when purchases are due is among them."""
    figure = draw("models_against_baselines", frames())
    shown = [[label.get_text() for label in axes.get_yticklabels()] for axes in figure.axes]
    assert [len(tasks) for tasks in shown] == [3, 1, 1]
    assert any("expected next" in task for task in shown[0])
