"""`lgs risk`, `lgs forecast` and `lgs cards`: the short answer with its error, or why there is none."""

from pathlib import Path

import dagster as dg
import pytest

from lgs_assets.configuration import Configuration
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wiring.instance import dagster_instance
from lgs_assets_tests.command.test_cli import lgs

REASON = "Needs 500 customers with a sale; there are 20."
ACTIVE = "churn_risk, active in the last 365 days"


def judge(warehouse: Warehouse, *rows: str) -> None:
    """Leaves these pooled figures: task, model, metric, value, interval, n, baseline and difference."""
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("update prediction_terms set unavailable_because = null")
        connection.exec_driver_sql("delete from model_evaluations")
        for row in rows:
            connection.exec_driver_sql(
                "insert into model_evaluations (task, model, metric, value, ci_low, ci_high, n, baseline, "
                "baseline_value, difference, difference_low, difference_high, is_better, unavailable_because, "
                f"fold, source, is_used) values ({row}, 'pooled', 'back-test', true)"
            )


@pytest.fixture
def at_risk(built: Warehouse) -> Warehouse:
    """A warehouse with twelve customers at high risk, of whom the twelfth spent most, and one at low risk."""
    judge(
        built,
        f"'{ACTIVE}', 'a model', 'auc', 0.789, 0.78, 0.796, 17215, 'recency', 0.719, 0.07, 0.065, 0.075, true, null",
    )
    with built.transaction() as connection:
        connection.exec_driver_sql(
            "insert into churn_risk select customer, '2011-07-01', '2011-09-29', 'a model', 'At Risk', "
            "case when customer = 13 then 0.1 else 0.9 end, case when customer = 13 then 'low' else 'high' end, "
            "customer, false, 'a', 'b', 'c', '2011-03-01', null, null, customer * 100, null "
            "from generate_series(1, 13) as customers (customer)"
        )
    return built


@pytest.mark.parametrize("command", ["risk", "forecast"])
def test_too_little_history_is_said(built: Warehouse, command: str) -> None:
    """In place of an empty table; that is no failure."""
    result = lgs(command)
    assert result.exit_code == 0, result.output
    assert f"Nothing is predicted. {REASON}" in result.output


def test_the_reason_is_in_the_tables_the_ui_and_the_cards(built: Warehouse, tmp_path: Path) -> None:
    """Wherever somebody looks for a prediction."""
    assert {row.unavailable_because for row in built.rows("select unavailable_because from prediction_terms")} == {
        REASON
    }
    assert {row.unavailable_because for row in built.rows("select unavailable_because from model_evaluations")} == {
        REASON
    }
    with dagster_instance(Configuration.read()) as instance:
        for table in ("customer_value", "churn_risk", "slipping", "forecasts"):
            event = instance.get_latest_materialization_event(dg.AssetKey(table))
            assert event is not None and event.asset_materialization is not None
            assert event.asset_materialization.metadata["nothing is predicted"].value == REASON
    assert lgs("cards", str(tmp_path / "cards")).exit_code == 0
    pages = {file.stem: file.read_text() for file in (tmp_path / "cards").glob("*.md")}
    assert set(pages) == {"customer_value", "churn_risk", "slipping", "forecasts"}
    assert all(f"**Made by:** {REASON}" in page for page in pages.values())


def test_the_most_valuable_at_risk_come_first_with_the_error(at_risk: Warehouse) -> None:
    """As many as are asked for, of those at high risk; beside the interval, n and the baseline."""
    output = lgs("risk", "--top", "2").output
    shown = [line.split()[0] for line in output.splitlines() if "2011-03-01" in line]
    assert shown == ["12", "11"]
    assert "a model, auc 0.789 (0.780 to 0.796), recency 0.719, n 17,215" in " ".join(output.split())


def test_nobody_is_a_negative_number_of_days_late(at_risk: Warehouse) -> None:
    """Who is not late is due in so many days; who has bought once is not due at all."""
    with at_risk.transaction() as connection:
        connection.exec_driver_sql(
            "update churn_risk set expected_next_day = '2011-07-01', "
            "days_late = case customer_id when 12 then 44 when 11 then -303 else 0 end where customer_id > 9"
        )
    shown = {line.split()[0]: line for line in lgs("risk", "--top", "4").output.splitlines() if "2011-03-01" in line}
    said = {"12": "44 days late", "11": "due in 303 days", "10": "due now", "9": "–"}
    assert all(words in shown[customer] for customer, words in said.items())


def test_nobody_is_listed_while_who_is_held_out_is_unknown(at_risk: Warehouse) -> None:
    """A call to the control group would spoil an experiment: what is missing is said, and nobody is named."""
    with at_risk.transaction() as connection:
        connection.exec_driver_sql("delete from publications where table_name = 'audience_members'")
    result = lgs("risk")
    assert "Customers at risk are not listed" in result.output
    assert "2011-03-01" not in result.output


def test_a_mark_says_for_whom_it_stands(at_risk: Warehouse) -> None:
    """Who objected or asked to be forgotten, and whom an experiment leaves alone."""
    with at_risk.transaction() as connection:
        connection.exec_driver_sql("insert into marketing_exclusions values (12, 'forgotten', now())")
    output = " ".join(lgs("risk").output.split())
    assert "12 *" in output
    assert "they objected or asked to be forgotten, or a running experiment leaves them alone" in output


def test_a_run_ends_with_ten_at_risk(at_risk: Warehouse) -> None:
    """By their ids, the most valuable first."""
    output = lgs("run").output
    shown = [line.split()[0] for line in output.splitlines() if "At Risk" in line and "2011-03-01" in line]
    assert shown == [str(customer) for customer in range(12, 2, -1)]


def test_forecasts_without_an_interval_or_a_figure_are_shown(built: Warehouse) -> None:
    """Too few past errors are no error of the command; a difference that may be luck is called none."""
    week, month = "forecasts, total by week, 13 ahead", "forecasts, total by month, 3 ahead"
    judge(
        built,
        f"'{week}', 'best', 'wape', null, null, null, 3, 'b', null, null, null, null, null, 'Nothing came.'",
        f"'{month}', 'best', 'wape', 0.09, null, null, 30, 'b', 0.1, -0.01, -0.02, 0.01, true, null",
    )
    with built.transaction() as connection:
        connection.exec_driver_sql(
            "insert into forecasts (kind, series, grain, horizon, period_start, step, as_of, method, forecast) values "
            "('total', 'All sales', 'month', 3, '2011-07-01', 1, '2011-07-01', 'a method', 1234)"
        )
    result = lgs("forecast")
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert "month 1,234 – – –" in said and "past errors are too few to say" in said
    assert f"{week}: Nothing came." in said
    assert "wape 0.090, b 0.100, no difference shown, n 30" in said


def test_live_figures_follow_those_of_past_days(at_risk: Warehouse) -> None:
    """By a name of their own, with the interval, n and the baseline."""
    assert "live" not in lgs("risk").output
    with at_risk.transaction() as connection:
        connection.exec_driver_sql(
            "insert into model_evaluations select task, model, fold, metric, 'live', 0.7, 0.6, 0.75, 412, baseline, "
            "0.65, 0.05, 0.01, 0.09, true, is_used, null from model_evaluations"
        )
    said = " ".join(lgs("risk").output.split())
    past, _, live = said.partition(f"{ACTIVE}, live: ")
    assert f"{ACTIVE}: a model, auc 0.789" in past
    assert live.startswith("a model, auc 0.700 (0.600 to 0.750), recency 0.650, n 412")


def test_tables_of_an_earlier_version_are_said_to_be(at_risk: Warehouse) -> None:
    """After an upgrade and before the next run, a column may not be there yet: that is no traceback."""
    with at_risk.transaction() as connection:
        connection.exec_driver_sql("alter table model_evaluations drop column difference_low")
    result = lgs("risk")
    assert result.exit_code == 1
    assert "those of an earlier version of the platform. lgs run rebuilds them." in result.output
