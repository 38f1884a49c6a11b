"""Pages where there are predictions: on the tables of the demo, each figure beside what the tables hold."""

import re
from collections.abc import Iterator
from decimal import Decimal
from html import unescape
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from selenium import webdriver
from selenium.webdriver.support.wait import WebDriverWait
from typer.testing import CliRunner

from lgs_assets import wording
from lgs_assets.charts.style import ORANGE
from lgs_assets.command.cli import app
from lgs_assets.dashboard.export import export
from lgs_assets.dashboard.queries import Tables
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wording import MISSING_YEAR_BEFORE, UNCALIBRATED
from lgs_assets_tests.builders import MakeDatabase
from lgs_assets_tests.dashboard.conftest import Site, check_budget, serve
from lgs_assets_tests.dashboard.past import try_a_letter
from lgs_assets_tests.dashboard.test_in_a_browser import PATIENCE_SECONDS, broken_rules
from lgs_assets_tests.dashboard.test_pages import check_each_filter, rows


@pytest.fixture(scope="module")
def predicted(demo: Warehouse, make_database: MakeDatabase) -> Iterator[Site]:
    """The pages of a copy of the demo."""
    demo.engine.dispose()
    tables = Tables(make_database(template=demo.url))
    yield from serve(tables)
    tables.engine.dispose()


@pytest.fixture(scope="module")
def held(predicted: Site) -> Iterator[Warehouse]:
    """The tables themselves, to compare the pages with."""
    warehouse = Warehouse(predicted.tables.engine.url.render_as_string(hide_password=False))
    yield warehouse
    warehouse.engine.dispose()


def of_list(held: Warehouse, of: str) -> str:
    """The page of the first customer for whom a condition holds."""
    (row,) = held.rows(
        "select customer_id from customer_value left join churn_risk as risk using (customer_id) left join slipping "
        f"using (customer_id) where horizon_days = 182 and {of} order by customer_id limit 1"
    )
    return f"/customers/{row['customer_id']}"


@pytest.mark.parametrize(
    "path",
    ["/outlook", "/outlook?country=Germany&segment=Champions", "/customers", "/customers/20001", "/segments/champions",
     "/report/champions"],
)  # fmt: skip
def test_a_page_with_predictions_keeps_its_budget(predicted: Site, path: str) -> None:
    check_budget(predicted, path)


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize(
    "path",
    ["/outlook?segment=Champions&country=Germany", "/customers?country=Germany&spent=100", "/customers/20001",
     "/segments/champions?country=Germany", "/customers?country=Germany&spent=999999"],
)  # fmt: skip
def test_what_is_predicted_filtered_and_unfolded_breaks_no_rule_of_axe(
    predicted: Site, browser: webdriver.Chrome, path: str, width: int
) -> None:
    """With every table, filter and card open; and nobody, where no customer matches."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width == 390},
    )
    browser.get(predicted.url + path)
    # One of a group closes the others, unless it is taken out of it.
    browser.execute_script(
        "for (const d of document.querySelectorAll('details')) { d.removeAttribute('name'); d.open = true; }"
    )
    WebDriverWait(browser, PATIENCE_SECONDS).until(
        lambda b: b.execute_script("return document.documentElement.scrollWidth") <= width
    )
    assert broken_rules(browser) == []


def test_each_filter_changes_the_outlook_or_is_said_to_do_nothing(predicted: Site) -> None:
    check_each_filter(predicted, "/outlook", spent="2000")


def test_the_size_of_a_segment_stands_beside_that_of_the_year_before(predicted: Site, held: Warehouse) -> None:
    """Unless that is what it is compared with: then it is told once."""
    ((year, month),) = re.findall(r'value="(\d{4})-(\d\d)" selected', predicted.get("/segments/champions").text)
    (known,) = held.rows(
        "select count(*) as n from rfm_history where segment = 'Champions' "
        f"and snapshot_date = date '{int(year) - 1}-{month}-01' + interval '1 month'"
    )
    for query, end in (("", "</span>"), ("?step=12", ", ")):
        html = predicted.get(f"/segments/champions{query}").text
        assert len(re.findall(rf"<span>{known['n']:,} in \w{{3}} {int(year) - 1}{end}", html)) == 1
        assert len(re.findall(rf" in \w{{3}} {int(year) - 1}\b", html.partition("<dt>Joined")[0])) == 1


def test_what_customers_are_worth_is_what_the_table_says(predicted: Site, held: Warehouse) -> None:
    shown = rows(predicted.get("/outlook/value.csv").text)
    (known,) = held.rows("select count(*) as n, sum(sales) as sales from customer_value where horizon_days = 182")
    assert sum(int(row["customers"]) for row in shown) == known["n"]
    assert sum(Decimal(row["expected_sales"]) for row in shown) == known["sales"]
    (total,) = held.rows(
        "select value from model_evaluations where metric = 'total_error_sales' and fold = 'pooled' and is_used "
        "and source = 'back-test' and task = 'customer_value, 182 days'"
    )
    assert (
        f"On past days the total was off by {total['value']:.0%}".replace("%", " %") in predicted.get("/outlook").text
    )


def test_live_figures_stand_beside_those_of_past_days(
    predicted: Site, demo: Warehouse, make_database: MakeDatabase
) -> None:
    """In the sentence below the figure, once there are any, with the interval and n."""
    assert "Live," not in predicted.get("/outlook").text
    demo.engine.dispose()
    tables = Tables(url := make_database(template=demo.url))
    warehouse = Warehouse(url)
    with warehouse.transaction() as connection:
        connection.exec_driver_sql(
            "insert into model_evaluations select task, model, fold, metric, 'live', 0.31, 0.27, 0.36, 21, 'b', 0.4, "
            "-0.09, -0.12, -0.03, true, true, null from model_evaluations where fold = 'pooled' and is_used and "
            "metric = 'wape' and task = 'forecasts, total by month, 3 ahead'"
        )
    warehouse.engine.dispose()
    for site in serve(tables):
        said = unescape(site.get("/outlook").text).replace("\N{NO-BREAK SPACE}", " ")
    tables.engine.dispose()
    assert "Live, as predicted before it came, the months were off by 31 % (27 % to 36 %, 95 % interval)" in said
    assert "; by the baseline, b, 40 % (n 21). More below." in said
    assert "On past days the months were off by" in said


def test_what_was_told_of_risk_stands_beside_what_came(predicted: Site, held: Warehouse) -> None:
    (known,) = held.rows(
        "select count(*) as n, count(case when happened then 1 end) as stayed_away from risk_backtests "
        "where task = 'churn_risk'"
    )
    shown = rows(predicted.get("/outlook/calibration.csv").text)
    assert [row["tenth"] for row in shown] == [str(number) for number in range(1, 11)]
    assert sum(int(row["predictions"]) for row in shown) == known["n"] > 0
    came = sum(int(row["predictions"]) * float(row["came_pct"]) / 100 for row in shown)
    assert came == pytest.approx(known["stayed_away"])


def test_what_was_expected_of_each_tenth_stands_beside_what_came(predicted: Site, held: Warehouse) -> None:
    shown = rows(predicted.get("/outlook/value_check.csv").text)
    (known,) = held.rows(
        "select count(*) as n, sum(actual_sales) as came from value_backtests where horizon_days = 182"
    )
    assert [row["tenth"] for row in shown] == [str(number) for number in range(1, 11)]
    assert sum(int(row["predictions"]) for row in shown) == known["n"]
    came = sum(int(row["predictions"]) * float(row["came"]) for row in shown)
    assert came == pytest.approx(float(known["came"]))
    days = held.rows(
        "select place, min(predictions) as fewest, min(error) as low, max(error) as high from (select *, "
        "predicted / nullif(came, 0) - 1 as error from prediction_calibration where kind = 'value') as days "
        "group by place order by place"
    )
    for row, day in zip(shown, days, strict=True):
        told = [row["error_low_pct"], row["error_high_pct"]]
        if day["fewest"] < 30:
            assert told == ["too few to say"] * 2
        else:
            assert [float(text) for text in told] == pytest.approx([100 * day["low"], 100 * day["high"]])


def test_gaps_of_the_risk_are_told_in_points(predicted: Site, held: Warehouse) -> None:
    """As differences of two percentages are; those of sales are relative."""
    shown = rows(predicted.get("/outlook/calibration.csv").text)
    days = held.rows(
        "select min(predictions) as fewest, min(predicted - came) as low, max(predicted - came) as high "
        "from prediction_calibration where kind = 'risk' group by place order by place"
    )
    for row, day in zip(shown, days, strict=True):
        told = [row["error_low_points"], row["error_high_points"]]
        if day["fewest"] < 30:
            assert told == ["too few to say"] * 2
        else:
            assert [float(text) for text in told] == pytest.approx([100 * day["low"], 100 * day["high"]])


def test_one_past_day_is_not_told_as_best_and_worst(
    predicted: Site, demo: Warehouse, make_database: MakeDatabase
) -> None:
    """Nor is anybody told not to budget with a total that was never far off."""
    demo.engine.dispose()
    tables = Tables(make_database(template=demo.url))
    warehouse = Warehouse(tables.engine.url.render_as_string(hide_password=False))
    with warehouse.transaction() as connection:
        connection.exec_driver_sql(
            "delete from prediction_calibration as days where as_of <> (select max(as_of) from prediction_calibration "
            "as others where others.kind = days.kind)"
        )
        connection.exec_driver_sql(
            "update model_evaluations set value = 0.02, ci_low = null, ci_high = null "
            "where metric = 'total_error_sales'"
        )
    warehouse.engine.dispose()
    for site in serve(tables):
        html = unescape(site.get("/outlook").text)
        assert "points apart on average." in html and "Averages hide this" not in html
        assert "the total was off by 2" in html and "Do not budget with it." not in html
    html = predicted.get("/outlook").text
    assert "averaged over the days, these partly cancel out." in html and "Averages hide this" in html
    assert "Do not budget with it." in html
    tables.engine.dispose()


def test_a_blank_year_before_is_explained_wherever_it_is_shown(
    predicted: Site, demo: Warehouse, make_database: MakeDatabase
) -> None:
    """With the months, the weeks and the products, whatever method forecasts."""
    demo.engine.dispose()
    tables = Tables(make_database(template=demo.url))
    warehouse = Warehouse(tables.engine.url.render_as_string(hide_password=False))
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("update forecasts set year_before = null where step = 1")
    warehouse.engine.dispose()
    for site in serve(tables):
        assert site.get("/outlook").text.count(MISSING_YEAR_BEFORE) == 3
    assert MISSING_YEAR_BEFORE not in predicted.get("/outlook").text
    tables.engine.dispose()


def test_a_forecast_says_what_it_knows(predicted: Site, held: Warehouse) -> None:
    """Months and weeks to the last whole one: the days since are no part of it, as they are of what customers do."""
    for name, grain in (("forecast", "month"), ("weeks", "week")):
        (known,) = held.rows(f"select min(period_start) - 1 as day from forecasts where grain = '{grain}'")
        figure = predicted.get("/outlook").text.partition(f'id="{name}"')[2].partition("</figure>")[0]
        assert f"rom sales to {wording.day(known['day'])}." in unescape(figure)


def test_what_to_have_in_stock_is_the_forecast_of_the_products(predicted: Site, held: Warehouse) -> None:
    shown = {row["code"]: row for row in rows(predicted.get("/outlook/stock.csv").text)}
    known = held.rows(
        "select series, horizon, sum(forecast) as units from forecasts where kind = 'product' group by series, horizon"
    )
    assert {(row["series"], row["horizon"]): row["units"] for row in known} == {
        (code, weeks): Decimal(row[f"units_{weeks}_weeks"]) for code, row in shown.items() for weeks in (4, 13)
    }


def test_who_buys_for_weeks_is_told_what_these_may_come_to(predicted: Site, held: Warehouse) -> None:
    """The interval is of the sum that is ordered, not of one of its weeks; and past forecasts leaned to one side."""
    shown = {row["code"]: row for row in rows(predicted.get("/outlook/stock.csv").text)}
    known = held.rows(
        "select distinct series, sum_low_80, sum_high_80 from forecasts where kind = 'product' and horizon = 4"
    )
    assert {row["series"]: (row["sum_low_80"], row["sum_high_80"]) for row in known} == {
        code: (Decimal(row["low_80_4_weeks"]), Decimal(row["high_80_4_weeks"])) for code, row in shown.items()
    }
    biases = held.rows(
        "select value, ci_low, ci_high from model_evaluations where metric = 'bias' and is_used and fold = 'pooled' "
        "and source = 'back-test' and task like 'forecasts, product%' order by length(task)"
    )
    first, second = (
        "{} over {} weeks (95 %: {} to {})".format(
            wording.change(100 * row["value"], 0),
            weeks,
            *(wording.change(100 * row[end], 0) for end in ("ci_low", "ci_high")),
        )
        for row, weeks in zip(biases, (4, 13), strict=True)
    )
    said = f"Past forecasts of all products together, against what was sold: {first}, {second}."
    assert said in unescape(predicted.get("/outlook").text)


def test_nobody_at_risk_is_a_negative_number_of_days_late(predicted: Site, held: Warehouse) -> None:
    """The list of the page and its files say in words when the next order is due."""
    known = held.rows("select customer_id, days_late, expected_next_day from churn_risk where band = 'high'")
    listed = rows(predicted.get("/outlook/churn.csv").text)
    assert {row["customer_id"]: (row["due"], row["next_order"]) for row in listed} == {
        str(row["customer_id"]): (str(row["expected_next_day"] or ""), wording.due(row["days_late"])) for row in known
    }
    assert any(row["days_late"] is not None and row["days_late"] < 0 for row in known)


@pytest.mark.parametrize(("query", "kind"), [("", "total"), ("?country=Germany", "country")])
def test_months_and_weeks_to_come_are_those_of_the_forecasts(
    predicted: Site, held: Warehouse, query: str, kind: str
) -> None:
    for name, grain in (("forecast", "month"), ("weeks", "week")):
        shown = [row for row in rows(predicted.get(f"/outlook/{name}.csv{query}").text) if row["forecast"]]
        known = held.rows(
            "select * from forecasts where kind = :kind and grain = :grain and (kind = 'total' or series = 'Germany') "
            "order by period_start",
            kind=kind,
            grain=grain,
        )
        for column in ("forecast", "low_80", "high_80", "low_95", "high_95", "year_before"):
            assert [Decimal(row[column]) for row in shown] == [row[column] for row in known]


def test_a_band_of_risk_leads_to_its_customers(predicted: Site, held: Warehouse) -> None:
    """As many as it says; by a filter that has a chip, and that every page of customers follows."""
    html = predicted.get("/outlook?country=Germany").text
    links = {
        unescape(link): int(told)
        for link, told in re.findall(r'<a href="(/customers\?[^"]*risk=\w+[^"]*)">(\d+)</a>', html)
    }
    assert {link.partition("risk=")[2] for link in links} <= {"high", "medium", "low"}
    assert links
    for link, told in links.items():
        listed = rows(predicted.get(link.replace("/customers", "/customers/customers.csv")).text)
        assert len(listed) == told > 0
        assert {row["risk_band"] for row in listed} == {link.partition("risk=")[2]}
    assert 'aria-label="Remove High risk"' in predicted.get("/segments?risk=high").text
    (known,) = held.rows(
        "select count(*) as n from churn_risk inner join rfm_history using (customer_id) where band = 'high' and "
        "snapshot_date = '2011-11-01'"
    )
    moved = predicted.get("/movements?risk=high&as_of=2011-10").text
    picked = re.findall(r'<p class="picked" role="status">([\d,]+)', moved)
    assert [int(number.replace(",", "")) for number in picked] == [known["n"]]


def test_the_lists_of_the_outlook_keep_the_filters_of_the_page(predicted: Site) -> None:
    """Where nobody can be on one, there is no way to it."""
    for query, ways in (
        ("?segment=Champions", ["segment=Champions&risk=high", "segment=Champions"]),
        ("?segment=Hibernating", ["segment=Hibernating&risk=high"]),
        ("?risk=low", ["segment=Champions&segment=Loyal+Customers&risk=low"]),
    ):
        html = unescape(predicted.get(f"/outlook{query}").text)
        links = re.findall(r'<a href="/customers\?(?:as_of=[\d-]+&)?([^"]*)">The list of all', html)
        assert links == ways, query


def test_a_tenth_by_expected_sales_leads_to_its_customers(predicted: Site, held: Warehouse) -> None:
    """All of them, in every tenth; by a filter that has a chip."""
    html = predicted.get("/outlook?country=Germany").text
    links = re.findall(r'<a href="(/customers\?[^"]*tenth=(\d+)[^"]*)">(\d+)</a>', html)
    known = held.rows(
        "select decile, count(*) as n from customer_value inner join customer_profile using (customer_id) "
        "where horizon_days = 182 and country = 'Germany' group by decile order by decile"
    )
    assert [(int(tenth), int(told)) for _, tenth, told in links] == [(row["decile"], row["n"]) for row in known] != []
    for link, _, told in links:
        assert len(rows(predicted.get(unescape(link).replace("/customers", "/customers/customers.csv")).text)) == int(
            told
        )
    assert 'aria-label="Remove Tenth 1 by expected sales"' in predicted.get("/segments?tenth=1").text


@pytest.mark.parametrize("name", ["churn", "slipping"])
def test_a_list_of_the_outlook_is_whole_in_its_files(predicted: Site, held: Warehouse, name: str) -> None:
    """And says how many it does not show."""
    query = {"churn": "churn_risk where band = 'high'", "slipping": "slipping"}[name]
    (known,) = held.rows(f"select count(*) as n from {query}")
    listed = [row["customer_id"] for row in rows(predicted.get(f"/outlook/{name}.csv").text)]
    assert len(listed) == len({*listed}) == known["n"] > 15
    html = predicted.get("/outlook").text
    figure = html.partition(f'id="{name}"')[2].partition("</figure>")[0]
    assert re.findall(r'<th scope="row"><a href="/customers/(\d+)', figure) == listed[:15]
    assert f"The first 15 of {known['n']:,} customers; the files have all." in figure


def test_last_year_is_drawn_beside_this_one(predicted: Site) -> None:
    shown = rows(predicted.get("/outlook/forecast.csv").text)
    observed = {row["month"]: row["observed"] for row in shown if row["observed"]}
    again = [row for row in shown if row["observed"] and f"{int(row['month'][:4]) - 1}{row['month'][4:]}" in observed]
    assert again
    for row in again:
        assert row["year_before"] == observed[f"{int(row['month'][:4]) - 1}{row['month'][4:]}"]


def test_bands_of_80_and_95_percent_can_be_told_apart(predicted: Site) -> None:
    """By their brightness, and the wide one from the page; the colours of the key are those that are seen."""
    svg = predicted.get("/outlook/forecast.svg").text
    wide, narrow = (float(found) for found in re.findall(r'fill-opacity="([\d.]+)"', svg))

    def over(paper: list[float], opacity: float) -> list[float]:
        ink = [int(ORANGE[place : place + 2], 16) for place in (1, 3, 5)]
        return [below * (1 - opacity) + above * opacity for below, above in zip(paper, ink, strict=True)]

    seen = over([255.0] * 3, wide), over(over([255.0] * 3, wide), narrow)
    bright = [
        1.05,
        *(sum(w * (c / 255) ** 2.2 for w, c in zip((0.2126, 0.7152, 0.0722), rgb, strict=True)) + 0.05 for rgb in seen),
    ]
    assert all(lighter / darker > 1.2 for lighter, darker in pairwise(bright))
    keyed = re.findall(r'fill="#(f\w{5})"', svg)
    assert {*keyed} == {"".join(f"{round(c):02x}" for c in rgb) for rgb in seen}


def test_a_country_without_a_forecast_is_told_why(predicted: Site, held: Warehouse) -> None:
    small = held.rows("select country from customer_profile except select series from forecasts order by 1 limit 1")
    country = small[0]["country"]
    html = predicted.get("/outlook?" + urlencode({"country": country})).text
    assert f"There is no forecast for {country} by itself" in html
    assert "There is no forecast for" not in predicted.get("/outlook?country=Germany").text


def test_a_customer_has_what_is_expected_of_them(predicted: Site, held: Warehouse) -> None:
    path = of_list(held, "days_late > 0 and days_to_edge is not null")
    (row,) = held.rows(
        "select * from churn_risk inner join slipping using (customer_id) where customer_id = :id", id=int(path[11:])
    )
    told = dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", unescape(predicted.get(path).text)))
    (worth,) = held.rows(
        "select * from customer_value where horizon_days = 182 and customer_id = :id", id=int(path[11:])
    )
    assert ("80 % interval" in told["Sales in 182 days"]) == (worth["sales_low"] is not None)
    (ranked,) = held.rows("select count(*) as n from churn_risk")
    (rank,) = held.rows("select rank from churn_risk where customer_id = :id", id=int(path[11:]))
    assert f"no. {rank['rank']:,} of {ranked['n']:,} by risk, {row['band']}" in told["Risk of no order in 90 days"]
    assert "%" not in told["Risk of no order in 90 days"], "the level is not to be trusted"
    (terms,) = held.rows("select as_of, observed_until from prediction_terms")
    day, ahead = (wording.day(terms[name]) for name in ("observed_until", "as_of"))
    reasons = "; ".join(row[name] for name in ("reason_1", "reason_2", "reason_3") if row[name])
    assert told[f"Why, on {day}"] == reasons
    late = (terms["observed_until"] - row["expected_next_day"]).days
    assert told["Next order due"].endswith(f": {wording.counted(late, 'day')} late on {day}")
    assert told["Days to the edge"].startswith(
        f"{wording.counted(row['days_to_edge'], 'day')} without an order, from {ahead} on,"
    )


def test_as_many_reasons_are_shown_as_there_are(demo: Warehouse, make_database: MakeDatabase) -> None:
    """All three in the list of Outlook and on the page of a customer; of none, nothing."""
    demo.engine.dispose()
    tables = Tables(make_database(template=demo.url))
    warehouse = Warehouse(tables.engine.url.render_as_string(hide_password=False))
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("update churn_risk set reason_1 = null, reason_2 = null, reason_3 = null")
        first = connection.exec_driver_sql(
            "update churn_risk set reason_1 = 'one', reason_2 = 'two', reason_3 = 'three' where customer_id = ("
            "select customer_id from churn_risk where band = 'high' order by sales_365 desc, customer_id limit 1"
            ") returning customer_id"
        ).scalar_one()
    warehouse.engine.dispose()
    for site in serve(tables):
        (told, *others) = rows(site.get("/outlook/churn.csv").text)
        assert (told["customer_id"], told["reasons"]) == (str(first), "one; two; three")
        assert others and not any(row["reasons"] for row in others)
        assert ">one; two; three<" in site.get("/outlook").text
        assert re.search("<dt>Why, on [^<]*</dt><dd>one; two; three</dd>", site.get(f"/customers/{first}").text)
        assert "<dt>Why" not in site.get(f"/customers/{others[0]['customer_id']}").text
    tables.engine.dispose()


def test_a_prediction_without_an_interval_says_why(demo: Warehouse, make_database: MakeDatabase) -> None:
    """Those of the baseline have none."""
    demo.engine.dispose()
    tables = Tables(make_database(template=demo.url))
    warehouse = Warehouse(tables.engine.url.render_as_string(hide_password=False))
    ends = ", ".join(f"{what}_{end} = null" for what in ("sales", "purchases") for end in ("low", "high"))
    with warehouse.transaction() as connection:
        connection.execute(sa.text(f"update customer_value set {ends}"))
    warehouse.engine.dispose()
    for site in serve(tables):
        assert "before returns (no interval: a plain rule predicts it" in site.get("/customers/20001").text
    tables.engine.dispose()


def test_nothing_is_told_that_is_not_known(predicted: Site, held: Warehouse) -> None:
    long_gone = predicted.get(of_list(held, "risk.customer_id is null")).text
    assert "not told: no order in the year before" in long_gone
    once = predicted.get(of_list(held, "risk.customer_id is not null and expected_next_day is null")).text
    assert "there is no usual gap" in once


def test_bands_that_are_no_chances_are_said_to_be_an_order_wherever_they_are_shown(
    predicted: Site, held: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert held.rows("select bool_or(is_calibrated) as any from churn_risk")[0]["any"] is False
    for path in ("/customers", "/segments/champions", "/customers/20001", "/outlook"):
        assert UNCALIBRATED in predicted.get(path).text, path
    export(predicted.tables, tmp_path, [])
    assert UNCALIBRATED in (tmp_path / "manifest.json").read_text()
    monkeypatch.setenv("LGS_DATABASE_URL", held.url)
    shown = CliRunner().invoke(app, ["risk"])
    assert shown.exit_code == 0, shown.output
    assert UNCALIBRATED in " ".join(shown.output.split())


def test_predictions_are_told_from_the_day_that_they_were_made(demo: Warehouse, make_database: MakeDatabase) -> None:
    """Which LGS_AS_OF may set: then customers are also those of that day."""
    demo.engine.dispose()
    tables = Tables(make_database(template=demo.url))
    warehouse = Warehouse(tables.engine.url.render_as_string(hide_password=False))
    with warehouse.transaction() as connection:
        connection.execute(sa.text("update prediction_terms set as_of = '2011-03-01', observed_until = '2011-02-21'"))
        connection.execute(
            sa.text(
                "update forecasts set as_of = '2011-03-01', period_start = period_start - interval '9 months' "
                "where grain = 'month'"
            )
        )
        connection.execute(sa.text("update forecasts set as_of = '2011-03-01'"))
    (known,) = warehouse.rows("select count(*) as n from rfm_history where snapshot_date = '2011-03-01'")
    warehouse.engine.dispose()
    for site in serve(tables):
        for path in ("/customers", "/outlook", "/customers/20001"):
            html = site.get(path).text
            assert "rom what was known on 20 Feb 2011, for the days from 1 Mar 2011 on" in html, path
            assert "end of the data" not in html.partition("<footer")[0] or path == "/customers/20001"
        assert sum(int(row["customers"]) for row in rows(site.get("/outlook/value.csv").text)) == known["n"]
        months = [row["month"] for row in rows(site.get("/outlook/forecast.csv").text)]
        assert months == sorted({*months})
        assert months[-3:] == ["2011-03-01", "2011-04-01", "2011-05-01"]
    tables.engine.dispose()


def test_where_nothing_was_known_the_pages_stay(demo: Warehouse, make_database: MakeDatabase) -> None:
    """As of a day before the first line: there are cards of the predictions, but neither terms nor predictions."""
    demo.engine.dispose()
    tables = Tables(make_database(template=demo.url))
    warehouse = Warehouse(tables.engine.url.render_as_string(hide_password=False))
    with warehouse.transaction() as connection:
        for table in ("prediction_terms", "customer_value", "churn_risk", "slipping", "forecasts"):
            connection.exec_driver_sql(f"delete from {table}")
    warehouse.engine.dispose()
    for site in serve(tables):
        for path in ("/outlook", "/customers", "/customers/20001", "/segments/champions"):
            assert site.get(path).status == 200, path
        assert "Predicted from" not in site.get("/outlook").text
    tables.engine.dispose()


def test_whom_an_experiment_leaves_alone_is_marked_where_somebody_may_call(
    demo: Warehouse, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Outlook, on the page of one customer, and in `lgs risk`; as soon as the experiment has begun."""
    demo.engine.dispose()
    tables = Tables(make_database(template=demo.url))
    warehouse = Warehouse(tables.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("LGS_DATABASE_URL", warehouse.url)
    for site in serve(tables):
        listed = [row["customer_id"] for row in rows(site.get("/outlook/churn.csv").text)][:15]
        assert not [customer for customer in listed if "Do not contact" in site.get(f"/customers/{customer}").text]
        assert " *" not in CliRunner().invoke(app, ["risk", "--top", "15"]).output
        try_a_letter(warehouse, "a_letter", days=30, back=1)
        control = {
            str(row["customer_id"])
            for row in warehouse.rows("select customer_id from assignments where arm = 'control'")
        }
        assert control & {*listed}
        for name in ("churn", "slipping"):
            for row in rows(site.get(f"/outlook/{name}.csv").text):
                assert row["do_not_contact"] == ("control group" if row["customer_id"] in control else "")
        told = CliRunner().invoke(app, ["risk", "--top", "15"]).output
        assert {customer for customer in listed if f" {customer} * " in told} == control & {*listed}
        for customer in listed:
            says_so = "Do not contact: control group." in site.get(f"/customers/{customer}").text
            assert says_so == (customer in control)
    warehouse.engine.dispose()
    tables.engine.dispose()
