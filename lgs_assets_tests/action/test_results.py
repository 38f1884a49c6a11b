"""What an experiment found: not before it is due, of everybody who was assigned, and in words that say no more."""

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from math import inf
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from PIL import Image
from typer.testing import CliRunner

from lgs_assets.action.contacts import forget_contact
from lgs_assets.action.experiments.comparison import frame_of
from lgs_assets.action.experiments.declaration import Declaration
from lgs_assets.action.experiments.picture import picture
from lgs_assets.action.experiments.report import answer, report, reports
from lgs_assets.action.experiments.results import Analysis, analyse, results
from lgs_assets.action.experiments.starting import amend, start, stop
from lgs_assets.action.experiments.state import state
from lgs_assets.action.experiments.words import verdict
from lgs_assets.command.cli import app
from lgs_assets.contracts.contract import contract
from lgs_assets.errors import LgsError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import driver_cursor, execute_script
from lgs_assets_tests.action.test_experiments import DECLARED, FILE, SOME, arms, tell
from lgs_assets_tests.action.test_experiments import shop as shop  # a fixture, by its name

DRAWS = 999
NEAR = "Count on the end nearer to zero."
POUNDS = Declaration.parse(
    "calls",
    FILE.replace('["net_revenue"]', '["orders", "bought_within", "revenue_per_order"]')
    .replace('"bought_within"\n', '"net_revenue"\n')
    .replace("10 points", "10 %"),
)


@pytest.fixture
def experiment(shop: Warehouse) -> Warehouse:
    """Started; purchases count from 1 January 2012, for ninety days: to 31 March."""
    prepare(shop)
    start(shop, DECLARED, SOME, counts_from=date(2012, 1, 1))
    return shop


def prepare(warehouse: Warehouse) -> None:
    with warehouse.transaction() as connection:
        execute_script(driver_cursor(connection), contract("returns") + contract("natural_return"))


def buy(warehouse: Warehouse, customer: int | None, at: str, *, amount: str = "10", country: str = "EIRE") -> None:
    """An order, or a refund; without a customer, an order of a guest, which is no sale to anybody."""
    is_sale = customer is not None and Decimal(amount) > 0
    with warehouse.transaction() as connection:
        connection.execute(
            sa.text(
                """
                insert into invoice_totals
                select
                    count(*)::text || '-', 1, 'd', date_trunc('month', cast(:at as timestamp)),
                    cast(:at as timestamp), :customer, :country, false, 1, :amount, cast(:at as timestamp),
                    cast(:is_sale as integer), case when :is_sale then :amount else 0 end,
                    case when :is_sale then cast(:at as timestamp) end,
                    case when :is_sale then cast(:at as timestamp) end, cast(:is_sale as integer), 0, 0, 0
                from invoice_totals
                """
            ),
            {
                "customer": customer,
                "at": at,
                "amount": Decimal(amount),
                "is_sale": is_sale,
                "country": country,
            },
        )


def of_arm(warehouse: Warehouse, arm: str) -> list[int]:
    return [customer for customer, drawn in arms(warehouse).items() if drawn == arm]


def told(warehouse: Warehouse) -> Analysis:
    return analyse(warehouse, "calls", draws=DRAWS)


def lgs_status() -> str:
    return " ".join(CliRunner(env={"COLUMNS": "120"}).invoke(app, ["experiment", "status"]).output.split())


def call_works(warehouse: Warehouse) -> None:
    """Sixteen of the twenty who are called buy, and four of the control group; the data goes to the end of May."""
    for customer in of_arm(warehouse, "call")[:16] + of_arm(warehouse, "control")[:4]:
        buy(warehouse, customer, "2012-02-01 10:00", amount="20")
    buy(warehouse, None, "2012-05-31 10:00")


def test_before_the_end_there_is_no_figure(experiment: Warehouse) -> None:
    """Not on the last day of the last window, which may go on, however clear it is; on the day after there is."""
    for customer in of_arm(experiment, "call"):
        buy(experiment, customer, "2012-01-02 10:00")
    buy(experiment, None, "2012-03-30 23:59")
    early = told(experiment)
    assert (early.results, early.returned, early.due["bought_within"]) == ((), {}, date(2012, 3, 31))
    assert answer(early).startswith(
        "Not due yet: it takes invoices up to the end of 2012-03-30, and the last whole day of the data is 2012-03-29. "
    )
    assert "##" in report(experiment, early) and " p " not in report(experiment, early)
    assert results(experiment).empty
    buy(experiment, None, "2012-03-31 09:00")
    assert told(experiment).primary is not None


def test_a_hole_in_the_window_is_waited_for_and_told(experiment: Warehouse) -> None:
    """Where a dump is missing there are no figures; if it stays away, they are told, and the first line says so."""
    for day in ("2011-12-01", "2011-12-12"):  # a pause of ten days is this shop's rhythm
        buy(experiment, None, f"{day} 10:00")
    for week in range(4):
        buy(experiment, None, f"{date(2012, 1, 7) + timedelta(days=7 * week)} 10:00")
    buy(experiment, None, "2012-03-01 10:00")
    for week in range(5):
        buy(experiment, None, f"{date(2012, 3, 3) + timedelta(days=7 * week)} 10:00")
    covered = told(experiment)
    assert covered.covered_until == date(2012, 3, 31) < covered.due["bought_within"] == date(2012, 4, 30)
    assert covered.state.hole == (date(2012, 1, 29), date(2012, 2, 29))
    hole = "The data has no invoice from 2012-01-29 to 2012-02-29"
    assert answer(covered).startswith("Not due yet: it takes invoices up to the end of 2012-04-29, and the last whole")
    assert f"{hole}: a dump may be missing." in answer(covered)
    assert "2012-04-30" in lgs_status() and f"{hole}; the shop was never without one for so long" in lgs_status()
    (row,) = reports(experiment, cache=Path("unused")).to_dict("records")
    assert (row["missing_from"].date(), row["missing_to"].date()) == covered.state.hole
    for day in ("2012-04-09", "2012-04-18", "2012-04-27", "2012-05-01"):
        buy(experiment, None, f"{day} 10:00")
    late = told(experiment)
    assert late.primary and answer(late).startswith(f"{hole}: a dump may be missing. No effect is shown")
    assert "If a dump is missing, load it: the result changes with it." in lgs_status()
    for day in ("2012-02-04", "2012-02-14", "2012-02-24"):  # it is loaded
        buy(experiment, None, f"{day} 10:00")
    whole = told(experiment)
    assert whole.state.hole is None and whole.due["bought_within"] == date(2012, 3, 31)
    assert answer(whole).startswith("No effect is shown")


def test_a_hole_after_the_look_does_not_delay_it(shop: Warehouse) -> None:
    """It is waited for by what it may change: the end, and not what was over before."""
    prepare(shop)
    start(shop, Declaration.parse("calls", FILE.replace("block_size = 4", "block_size = 4\nlooks = [30]")), SOME,
          counts_from=date(2012, 1, 1))  # fmt: skip
    for day in ("2011-12-29", "2012-01-06", "2012-01-14", "2012-01-22", "2012-01-30", "2012-03-01"):
        buy(shop, None, f"{day} 10:00")
    found = state(shop, "calls")
    assert found.hole == (date(2012, 1, 31), date(2012, 2, 29))
    assert found.due_of("bought_within", after=30) == date(2012, 1, 31)
    assert found.due_of("bought_within") == date(2012, 4, 30)


@pytest.mark.parametrize(("declared", "is_waited_for"), [(DECLARED, False), (POUNDS, True)])
def test_a_hole_after_the_windows_is_one_of_pounds(shop: Warehouse, declared: Declaration, is_waited_for: bool) -> None:
    """What was sent back in it changes pounds, and not who bought: only of pounds it is told, and waited for."""
    prepare(shop)
    start(shop, declared, SOME, counts_from=date(2012, 1, 1))
    for week in range(18):
        buy(shop, None, f"{date(2011, 12, 6) + timedelta(days=7 * week)} 10:00")
    for day in ("2012-04-16", "2012-05-01"):
        buy(shop, None, f"{day} 10:00")
    found = told(shop)
    assert found.state.hole == ((date(2012, 4, 4), date(2012, 4, 15)) if is_waited_for else None)
    assert found.state.is_due is not is_waited_for
    assert answer(found).startswith("Not due yet" if is_waited_for else "No effect is shown")
    assert ("The data has no invoice from 2012-04-04 to 2012-04-15" in answer(found)) is is_waited_for
    assert ("no invoice from" in lgs_status()) is is_waited_for


@pytest.mark.parametrize(
    ("closed", "hole"),
    [
        (("2010-12-24", "2011-01-04", "2012-02-01", "2012-02-11"), (date(2012, 2, 2), date(2012, 2, 10))),
        (("2011-12-23", "2012-01-06"), None),
    ],
)
def test_christmas_is_no_hole_and_hides_none(
    shop: Warehouse, closed: tuple[str, ...], hole: tuple[date, date] | None
) -> None:
    """A shop may close from Christmas to New Year, the first time too; a missing dump of a week is still seen."""
    prepare(shop)
    start(shop, DECLARED, SOME, counts_from=date(2012, 1, 1))
    edges = [date.fromisoformat(day) for day in closed]
    days = {date(2010, 12, 1) + timedelta(days=day) for day in range(0, 500, 7)} | set(edges)
    pauses = list(pairwise(edges))[::2]
    with shop.transaction() as connection:
        connection.execute(sa.text("delete from invoice_totals"))
    for day in sorted(days):
        if not any(first < day < last for first, last in pauses):
            buy(shop, None, f"{day} 10:00")
    assert state(shop, "calls").hole == hole


def test_pounds_wait_for_late_returns(experiment: Warehouse) -> None:
    """They are due thirty days after the share who buy; what is sent back until then is taken off."""
    customer = of_arm(experiment, "call")[0]
    buy(experiment, customer, "2012-03-30 10:00", amount="50")
    buy(experiment, None, "2012-03-31 10:00")
    assert [result.metric for result in told(experiment).results if result.segment == "all"] == ["bought_within"]
    assert told(experiment).returned["call"].net_revenue is None
    assert "1 of the 20 treated customers bought. A report that counts" in report(experiment, told(experiment))
    assert "£" not in report(experiment, told(experiment))
    send_back(experiment, customer)
    buy(experiment, None, "2012-04-30 10:00")
    found = told(experiment)
    assert {result.metric for result in found.results} == {"bought_within", "net_revenue"}
    assert found.returned["call"].net_revenue == 20


def send_back(warehouse: Warehouse, customer: int) -> None:
    """Three units for £30 after the window, and with them two for £20 of which no sale is known."""
    with warehouse.transaction() as connection:
        connection.exec_driver_sql(
            "insert into returns values ('C1', 1, %s, 'A', true, '2012-04-20 10:00', 5, 50, 'only a part', 3, 30, "
            "'1', 1, '2012-03-30 10:00', 21, 'no such sale')",
            (customer,),
        )


def test_pounds_wait_also_where_none_are_asked_for(shop: Warehouse) -> None:
    """What a claim would have been is told once late returns are known, and to the penny."""
    prepare(shop)
    start(shop, replace(DECLARED, text=FILE.replace('["net_revenue"]', "[]")), SOME, counts_from=date(2012, 1, 1))
    for customer in of_arm(shop, "call")[:3]:
        buy(shop, customer, "2012-03-30 10:00", amount="50.10")
    send_back(shop, of_arm(shop, "call")[0])
    buy(shop, None, "2012-04-29 10:00")
    early = told(shop)
    assert early.primary and early.returned["call"].net_revenue is None
    assert "What they spent is told once the data covers 2012-04-29" in report(shop, early)
    buy(shop, None, "2012-04-30 10:00")
    assert told(shop).returned["call"].net_revenue == Decimal("120.30")


def test_nothing_is_told_before_the_primary_metric(shop: Warehouse) -> None:
    """Not of a metric that is due thirty days earlier, in the report or in the table, however clear it is."""
    prepare(shop)
    start(shop, POUNDS, SOME, counts_from=date(2012, 1, 1))
    for customer in of_arm(shop, "call"):
        buy(shop, customer, "2012-02-01 10:00")
    buy(shop, None, "2012-04-29 10:00")
    early = told(shop)
    assert early.due["bought_within"] < early.covered_until < early.due["net_revenue"]
    assert (early.results, early.returned, early.power) == ((), {}, None)
    assert results(shop).empty and "## Result" not in report(shop, early)
    buy(shop, None, "2012-04-30 10:00")
    assert {result.metric for result in told(shop).results} == {"net_revenue", *POUNDS.secondary}


def test_secondary_metrics_answer_for_those_that_are_not_due_yet(shop: Warehouse) -> None:
    """Orders are known thirty days before pounds: their p and interval are those of one of three declared."""
    prepare(shop)
    text = FILE.replace('["net_revenue"]', '["orders", "net_revenue", "revenue_per_order"]')
    start(shop, Declaration.parse("calls", text), SOME, counts_from=date(2012, 1, 1))
    for customer in of_arm(shop, "call")[:16] + of_arm(shop, "control")[:9]:
        buy(shop, customer, "2012-02-01 10:00")
    buy(shop, None, "2012-03-31 10:00")
    (orders,) = [result for result in told(shop).results if result.role == "secondary"]
    assert orders.metric == "orders" and orders.corrected_p == pytest.approx(3 * orders.p_value)
    assert orders.level == 0.05 / 3
    assert (orders.difference.low < 0) == (orders.p_value > orders.level) == (not orders.shows)
    assert "their intervals are wide enough for all of them to be right" in report(shop, told(shop))


def test_a_campaign_that_works(experiment: Warehouse) -> None:
    """The first line has the answer, its interval and chance; the report also has what a claim would have been."""
    call_works(experiment)
    found = told(experiment)
    assert found.primary and found.primary.shows
    assert (found.primary.difference.control, found.primary.difference.treated) == (0.2, 0.8)
    assert 0 < found.primary.difference.low < 0.6 < found.primary.difference.high + 0.1
    text = report(experiment, found)
    assert text.startswith("**The call worked: within 90 days it probably made between ")
    assert "more buyers in a hundred customers (such intervals are right 95 times in 100); the best" in answer(found)
    assert "16 of the 20 treated customers bought, for £320.00 after returns." in text
    assert "20% bought, too: as many customers would have brought about £80.00 by themselves." in text
    assert found.state.salt not in text
    assert "Change of the net revenue of the 20 treated: probably between £" in text
    assert "An order counts also if it was cancelled later; pounds are after returns." in text
    assert "still held out of every plan. To end that: lgs experiment stop calls" in text
    stop(experiment, "calls", because="the end")
    assert "still held out" not in report(experiment, told(experiment))
    assert "No verdict is given on a segment" in text and "| At Risk | all | 20 |" in text


def test_an_effect_that_showed_against_the_odds_is_called_too_large(experiment: Warehouse) -> None:
    """In the first line, which the page shows as well; not where the odds were good, or where no effect shows."""
    call_works(experiment)
    found = told(experiment)
    assert found.power and found.power < 0.5
    assert f"of the declared size had a chance of {found.power:.0%} to show: an effect that shows" in answer(found)
    assert answer(found).endswith(f"against such odds is likely to look larger than it is. {NEAR}")
    assert NEAR not in answer(replace(found, power=0.5))
    (primary, *others) = found.results
    hidden = replace(primary, difference=replace(primary.difference, p_value=0.2))
    assert NEAR not in answer(replace(found, results=(hidden, *others)))


def test_an_arm_that_is_too_small_is_told(experiment: Warehouse) -> None:
    """Behind the verdict: of buyers where hardly any bought, or hardly any did not, of means where it has few."""
    call_works(experiment)
    found = told(experiment)
    (primary, *others) = found.results
    few = "the interval may be less sure than it says."
    assert few not in answer(found)
    of_three = replace(primary, customers={"control": 3, "call": 68})
    assert f"With only 3 customers in the arm control, a few decide: {few}" in answer(
        replace(found, results=(of_three, *others))
    )
    assert "the interval of net revenue per customer may be less sure than that." in report(experiment, found)
    of_pounds = replace(primary, metric="net_revenue")
    assert f"With only 20 customers in the arm control, a few decide: {few}" in answer(
        replace(found, results=(of_pounds, *others))
    )
    of_many = replace(of_pounds, customers={"control": 30, "call": 30})
    assert few not in answer(replace(found, results=(of_many, *others)))


def test_a_campaign_that_does_nothing(experiment: Warehouse) -> None:
    """None is possible, too, and the report does not claim that the campaign had no effect."""
    for arm in ("call", "control"):
        for customer in of_arm(experiment, arm)[:10]:
            buy(experiment, customer, "2012-02-01 10:00")
    buy(experiment, None, "2012-05-31 10:00")
    line = answer(told(experiment))
    assert line.startswith("No effect is shown: within 90 days the difference was probably between ")
    assert " fewer and " in line and "no effect at all is also possible. That does not prove that the call" in line


def test_nobody_buys_at_the_looks_either(shop: Warehouse) -> None:
    """All draws are alike, and leave the end no level: nothing shows, and nothing could have."""
    prepare(shop)
    start(shop, LOOKS, SOME, counts_from=date(2012, 1, 1))
    buy(shop, None, "2012-05-31 10:00")
    found = told(shop)
    assert answer(found).startswith("No effect is shown") and found.power == 0


def test_nobody_buys(experiment: Warehouse) -> None:
    """Outcomes that do not vary show no effect, but do not prove that there is none, either."""
    buy(experiment, None, "2012-05-31 10:00")
    found = told(experiment)
    assert found.primary and found.primary.p_value == 1
    assert answer(found).startswith("No effect is shown: within 90 days the difference was probably between 16.8 fewer")
    assert "| net revenue per customer | £0.00 | £0.00 | +£0.00 | unlimited to unlimited |" in report(experiment, found)


def test_a_customer_without_a_sale_counts_as_not_buying(experiment: Warehouse) -> None:
    """Of whom the data has a refund alone, and no day of a sale: the refund counts, and no figure is missing."""
    call_works(experiment)
    customer = of_arm(experiment, "control")[-1]
    for at in ("2011-11-01 10:00", "2012-02-01 10:00"):
        buy(experiment, customer, at, amount="-7")
    found = told(experiment)
    assert found.primary and found.primary.difference.control == 0.2
    assert found.returned["control"].net_revenue == 73
    assert not results(experiment)[["low", "high", "difference", "p_value"]].isna().any(axis=None)


def test_everybody_counts_as_assigned(experiment: Warehouse) -> None:
    """Whoever leaves the audience, or is forgotten in mid-experiment, is compared all the same, and told."""
    call_works(experiment)
    before = told(experiment).results
    with experiment.transaction() as connection:
        connection.execute(sa.text("delete from audience_members where customer_id < 20"))
    forget_contact(experiment, of_arm(experiment, "call")[0])
    after = told(experiment)
    assert after.results == before
    assert "1 customer objected to marketing or asked to be forgotten" in report(experiment, after)


def test_a_second_run_says_the_same(experiment: Warehouse) -> None:
    """The table has what the report tells, and both are the same on each run."""
    call_works(experiment)
    first, second = results(experiment), results(experiment)
    assert first.equals(second)
    assert list(first["role"]) == ["primary", "secondary", "by segment", "by segment"]
    assert list(first["level"]) == [0.05, 0.05, 0.025, 0.025]
    primary = analyse(experiment, "calls").primary
    assert primary and first.loc[0, "difference"] == primary.difference.estimate


def test_segments_and_countries_are_told_with_no_verdict(
    experiment: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A country is the one of before the window, and all intervals together are as sure as the one of everybody."""
    monkeypatch.setattr("lgs_assets.action.experiments.comparison.LEAST_OF_PART", 8)
    for customer in range(1, 41):
        buy(experiment, customer, "2011-06-01 10:00", country="Norway" if customer <= 20 else "France")
    call_works(experiment)  # in EIRE
    found = told(experiment)
    parts = [result for result in found.results if result.segment != "all"]
    assert [(part.segment, part.country, sum(part.customers.values())) for part in parts] == [
        ("At Risk", "all", 20),
        ("Champions", "all", 20),
        ("At Risk", "France", 10),
        ("At Risk", "Norway", 10),
        ("Champions", "France", 10),
        ("Champions", "Norway", 10),
    ]
    assert {part.level for part in parts} == {0.05 / 6}
    assert all(part.corrected_p and part.corrected_p >= part.p_value for part in parts)
    assert min(part.corrected_p or 0 for part in parts) == pytest.approx(6 * min(part.p_value for part in parts))
    assert "| At Risk | Norway | 10 |" in report(experiment, found)
    kept = results(experiment)
    assert list(kept["role"].value_counts()[["by segment", "by segment and country"]]) == [2, 4]


def test_one_large_order_does_not_decide(shop: Warehouse) -> None:
    """Above the cap of the start it counts no more for the p-value; the pounds are those that were paid."""
    prepare(shop)
    start(shop, POUNDS, SOME, counts_from=date(2012, 1, 1), cap=Decimal(30))
    for customer in of_arm(shop, "call")[:15]:
        buy(shop, customer, "2012-02-01 10:00", amount="25")
    for customer in of_arm(shop, "control")[:3]:
        buy(shop, customer, "2012-02-01 10:00", amount="25")
    buy(shop, of_arm(shop, "control")[4], "2012-02-02 10:00", amount="9000")
    buy(shop, None, "2012-06-30 10:00")
    found = told(shop)
    assert found.primary and found.primary.difference.control == pytest.approx(9075 / 20)
    assert found.primary.p_value < 0.05 < found.primary.difference.p_value
    assert re.match(
        r"The call worked, judged with no customer counted beyond the cap: £1\d\.\d\d more\. In pounds as they "
        r"were paid, within 90 days the difference was probably between £.* less and £.* more per customer after "
        r"returns .*; no effect at all is also possible, and the best estimate is £.* less, which has the other sign",
        answer(found),
    )
    text = report(shop, found)
    assert "| net revenue per customer, capped | £5.25 | £18.75 | +£1" in text
    assert "judged with no customer counted beyond £30.00, the cap set at the start" in text
    row = results(shop).iloc[0]
    assert row["difference"] < 0 < row["capped_low"] < row["capped_difference"] < row["capped_high"]
    corrected = [result for result in found.results if result.role == "secondary"]
    assert len(corrected) == 3
    assert all(result.corrected_p and result.corrected_p >= result.p_value for result in corrected)
    assert "Change of the net revenue of the 20 treated: probably between " in report(shop, found)
    parts = [line for line in text.splitlines() if line.startswith("| At Risk")]
    assert [line.split(" | ")[0] for line in parts] == ["| At Risk", "| At Risk, capped"]
    assert parts[0].endswith("|  |") and not parts[1].endswith("|  |")  # the chance is of what is judged
    row = results(shop).query("segment == 'At Risk'").iloc[0]
    assert row["capped_treated_mean"] <= 30 and row["capped_treated_mean"] > row["capped_control_mean"]


def test_the_reason_for_an_underpowered_start_is_told_first(shop: Warehouse) -> None:
    """Whatever the answer is, and whatever the reason holds."""
    prepare(shop)
    start(shop, DECLARED, SOME, counts_from=date(2012, 1, 1), underpowered="the board\nwants | it.")
    line = report(shop, told(shop)).splitlines()[0]
    assert line.startswith(
        r"**Started although it was unlikely to answer its question. Reason given: the board wants \| it. Not due yet"
    )


def test_revenue_per_order_is_shown_as_it_is_in_each_arm(shop: Warehouse) -> None:
    """Pounds by orders, not a mean of what each customer contributes; an arm without orders has none."""
    prepare(shop)
    start(shop, POUNDS, SOME, counts_from=date(2012, 1, 1))
    for customer in of_arm(shop, "call")[:10]:
        buy(shop, customer, "2012-02-01 10:00", amount="40")
        buy(shop, customer, "2012-02-02 10:00", amount="20")
    for customer in of_arm(shop, "control")[:2]:
        buy(shop, customer, "2012-02-01 10:00", amount="90")
    buy(shop, None, "2012-06-30 10:00")
    found = {result.metric: result.difference for result in told(shop).results if result.segment == "all"}
    assert (found["revenue_per_order"].control, found["revenue_per_order"].treated) == (90, 30)
    assert "The difference of net revenue per order is approximate" in report(shop, told(shop))


def test_an_arm_without_orders_has_no_revenue_per_order(shop: Warehouse) -> None:
    """Which is not nil: in the report none, in the table NULL."""
    prepare(shop)
    start(shop, POUNDS, SOME, counts_from=date(2012, 1, 1))
    buy(shop, of_arm(shop, "call")[0], "2012-02-01 10:00", amount="40")
    buy(shop, None, "2012-06-30 10:00")
    assert "| net revenue per order | none | £40.00 |" in report(shop, told(shop))
    row = results(shop).set_index("metric").loc["revenue_per_order"]
    assert str(row["control_mean"]) == "nan" and row["treated_mean"] == 40


def test_earlier_experiments_on_the_audience_are_named(experiment: Warehouse) -> None:
    """Of many, one shows an effect by chance; the first one knows of no later one."""
    stop(experiment, "calls", because="the end")
    start(experiment, replace(DECLARED, name="letters"), SOME, counts_from=date(2012, 1, 1))
    later = analyse(experiment, "letters", draws=DRAWS)
    text = report(experiment, later)
    assert "calls (40 customers of these; started on " in text and "for 90 days; stopped after 0 days: the end)" in text
    assert "Of 2 experiments in which nothing changes, at least one shows an effect by chance 10% of the time." in text
    assert "Earlier experiments" not in report(experiment, told(experiment))


def test_a_new_name_does_not_hide_an_earlier_try(experiment: Warehouse) -> None:
    """The same customers, drawn again under another audience: it is named, with how many of them there are."""
    stop(experiment, "calls", because="a bad draw")
    with experiment.transaction() as connection:
        connection.exec_driver_sql("insert into audience_members select 'same_again', customer_id, version, '{}' "
                                   "from audience_members where customer_id <= 20")  # fmt: skip
    again = Declaration.parse("letters", FILE.replace('audience = "some"', 'audience = "same_again"'))
    start(experiment, again, replace(SOME, name="same_again"), counts_from=date(2012, 1, 1))
    text = report(experiment, analyse(experiment, "letters", draws=DRAWS))
    assert "calls (20 customers of these; started on " in text and "a bad draw)" in text


@pytest.mark.parametrize(("begins", "is_blind"), [("2012-01-01", True), ("2011-12-30", False)])
def test_what_is_adjusted_for_is_from_before_the_draw(shop: Warehouse, begins: str, is_blind: bool) -> None:
    """Not from before `--from`, by when the treated may have bought for two months: that is the effect itself."""
    prepare(shop)
    start(shop, DECLARED, SOME, counts_from=date(2012, 1, 1))
    with shop.transaction() as connection:
        connection.execute(sa.text("update assignments set assigned_at = :at"), {"at": begins})
    for customer in range(1, 41):
        buy(shop, customer, "2011-06-01 10:00", amount="365", country="Norway")
        buy(shop, customer, "2011-12-30 12:00", amount="5000", country="France")
    found = state(shop, "calls")
    with shop.transaction() as connection:
        frame = frame_of(driver_cursor(connection), found, 90, with_late_returns=False)
    assert set(frame["last_year"][1:]) == {5365 if is_blind else 365}
    assert set(frame["country"]) == {"France" if is_blind else "Norway"}


def test_nothing_is_likely_to_show_where_nothing_is_known(shop: Warehouse) -> None:
    """A tenth more of nothing, or of what one customer spent, is no change that a test was likely to find."""
    prepare(shop)
    start(shop, POUNDS, SOME, counts_from=date(2012, 1, 1))
    for customer in of_arm(shop, "call"):
        buy(shop, customer, "2012-02-01 10:00", amount="20")
    buy(shop, None, "2012-06-30 10:00")
    found = told(shop)
    assert found.primary and found.primary.shows and found.power == 0
    assert "had a chance of 0% to show" in answer(found) and NEAR in answer(found)
    for customer in of_arm(shop, "control"):
        buy(shop, customer, "2012-02-01 10:00", amount="-10")
    assert told(shop).power == 0


def test_what_was_foreseen_is_told_beside_what_came(shop: Warehouse) -> None:
    """How likely the declared change was to show, as the plan had it, and by what the control group did."""
    prepare(shop)
    start(shop, DECLARED, SOME, counts_from=date(2012, 1, 1), power=0.7349)
    call_works(shop)
    text = report(shop, told(shop))
    assert "was called worth finding, and was expected to show with a chance of 73%." in text
    assert "Judged by what the control group did (20.0 %), a change of 10 points had a chance of " in text


@pytest.mark.parametrize(("now", "is_told"), [("once", True), ("twice", False)])
def test_a_setting_that_was_changed_since_the_start_is_told(shop: Warehouse, now: str, is_told: bool) -> None:
    """Whether invoices that the data holds twice count twice changes pounds: nobody may try both in silence."""
    prepare(shop)
    with shop.transaction() as connection:
        connection.exec_driver_sql(
            "insert into publications values ('clean_invoices', repeat('a', 64), repeat('b', 64), null, "
            '\'{"doubled_invoices": "twice"}\', 1, now(), null)'
        )
    start(shop, DECLARED, SOME, counts_from=date(2012, 1, 1))
    with shop.transaction() as connection:
        connection.execute(
            sa.text("update publications set settings = jsonb_build_object('doubled_invoices', cast(:now as text))"),
            {"now": now},
        )
    call_works(shop)
    text = report(shop, told(shop))
    assert (
        "At the start an invoice that the data holds twice counted twice, and now it counts once" in text
    ) is is_told
    assert f"An invoice that the data holds twice counts {now}." in text


def test_what_a_result_was_likely_to_show_counts_as_the_test_does(shop: Warehouse) -> None:
    """Capped and adjusted for past spend, as the p-value is: one large order does not take its power away."""
    prepare(shop)
    start(shop, POUNDS, SOME, counts_from=date(2012, 1, 1), cap=Decimal(30))
    for number, customer in enumerate(range(1, 41)):
        buy(shop, customer, "2012-02-01 10:00", amount=str(20 + number % 2))
    buy(shop, None, "2012-06-30 10:00")
    plain = told(shop).power
    buy(shop, of_arm(shop, "control")[4], "2012-02-02 10:00", amount="9000")
    assert plain and told(shop).power == pytest.approx(plain, abs=0.3)


LOOKS = Declaration.parse("calls", FILE.replace("block_size = 4", "block_size = 4\nlooks = [30, 60]"))


def test_a_declared_look_shows_an_effect_that_is_clear(shop: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only one that its share of the 5 % allows; without one there is no figure; and the end keeps what is left."""
    salt = SimpleNamespace(token_hex=lambda size: size * "0a")  # with some, the looks leave all of the 5 %
    monkeypatch.setattr("lgs_assets.action.experiments.starting.secrets", salt)
    prepare(shop)
    start(shop, LOOKS, SOME, counts_from=date(2012, 1, 1))
    for customer in of_arm(shop, "call")[:6]:
        buy(shop, customer, "2012-01-02 10:00")
    buy(shop, None, "2012-01-30 10:00")
    assert (told(shop).looked, told(shop).look) == (None, None)
    buy(shop, None, "2012-01-31 10:00")
    first = told(shop)
    assert (first.looked, first.look, first.results) == (30, None, ())
    assert "The look after 30 days, as declared, showed no effect. Until then there is no figure" in answer(first)
    for customer in of_arm(shop, "call")[6:18]:
        buy(shop, customer, "2012-02-02 10:00")
    buy(shop, None, "2012-03-01 10:00")
    second = told(shop)
    assert second.look and second.look.days == 60 and second.results == ()
    assert answer(second).startswith("An effect shows at the declared look after 60 days. The call worked: within 60")
    assert answer(second).endswith("An effect that shows before the end is likely to look larger than it is. " + NEAR)
    assert results(shop).empty
    buy(shop, None, "2012-05-31 10:00")
    last = told(shop)
    assert last.primary and 0 < last.primary.level < 0.05
    text = report(shop, last)
    assert answer(last).startswith(answer(second))
    assert "look" not in text.partition("## What was not as planned")[2]
    assert " At the end, by what the looks left of the 5 %: The call worked: within 90 days" in answer(last)
    assert "Looks after 30, 60 days were declared." in text
    of_100 = f"{100 * last.primary.level:.3g}"
    assert f"of the primary metric no more than {of_100}, as it shares its 5 with the declared looks" in text


def test_an_amendment_is_told_and_changes_no_figure(experiment: Warehouse) -> None:
    """As it was written, and with who and when, among what was not as planned; what was asked stands as it was."""
    call_works(experiment)
    before = told(experiment)
    amend(experiment, "calls", "*All* are called\ntwice.", because="nobody answered at first")
    after = told(experiment)
    (amendment,) = after.state.amendments
    text = report(experiment, after)
    assert after.results == before.results
    assert text.partition("## Who is compared")[0] == report(experiment, before).partition("## Who is compared")[0]
    planned = text.partition("## What was not as planned")[2]
    assert (
        f"- Amended on {amendment.at:%Y-%m-%d} by {amendment.by}: "
        r"\*All\* are called twice, because: nobody answered at first."
    ) in planned


def test_contamination_is_told_wherever_the_control_group_is(experiment: Warehouse) -> None:
    """Nothing says that it was left alone where some of it was reached."""
    call_works(experiment)
    assert "No list reached the control group." in report(experiment, told(experiment))
    tell(experiment, of_arm(experiment, "control")[0], [("add", "2012-01-05")])
    text = report(experiment, told(experiment))
    assert "1 customer of the control group was reached all the same." in text and "No list reached" not in text
    assert "- 1 customer of the control group reached a destination" in text


def test_purchases_that_nobody_knew_are_not_called_those_of_later(experiment: Warehouse) -> None:
    """Counted from a day in the past, they may have been made before the arms were drawn, and that is told."""
    call_works(experiment)
    text = report(experiment, told(experiment))
    assert "purchases count from 2012-01-01, and it was started before any of them was known." in text
    assert "what was bought before that no treatment can have changed" in text
    with experiment.transaction() as connection:
        connection.exec_driver_sql("update experiments set started_at = '2011-12-20'")
    assert "it was started before any of the purchases." in report(experiment, told(experiment))


def test_the_past_is_that_of_before(experiment: Warehouse) -> None:
    """Windows of about the same length that end before the first purchase counts, of the segments as a whole."""
    call_works(experiment)
    with experiment.transaction() as connection:
        connection.exec_driver_sql(
            """
            insert into natural_return
                (segment, snapshot_date, months, customers, came_back, sales_after, net_after, sales_after_once,
                net_after_once)
            select segment, cast(start as date), months, 50, came_back, 1, 1, 1, 1
            from (
                values
                    ('Champions', '2011-09-01', 3, 10), ('At Risk', '2011-09-01', 3, 20),
                    ('Champions', '2011-06-01', 3, 20), ('Lost', '2011-06-01', 3, 50),
                    ('Champions', '2011-11-01', 3, 50), ('Champions', '2011-06-01', 6, 49)
            ) as windows (segment, start, months, came_back)
            """
        )
    text = report(experiment, told(experiment))
    assert "Before it began, between 30% and 40% of all customers of these segments came back within 3 months" in text


@pytest.mark.parametrize(
    ("p_value", "chance"),
    [
        (0.0002, "about 1 of 5,000 experiments, or fewer."),
        (0.0004, "4 of 10,000 experiments"),
        (0.0014, "1 of 1,000"),
        (0.2, "200 of 1,000"),
    ],
)
def test_a_chance_is_never_none_that_is_one(p_value: float, chance: str) -> None:
    """Of so many draws as show it."""
    said = verdict("orders", days=90, treatment="call", estimate=1.0, low=0.5, high=2.0, p_value=p_value)
    assert f"If the call did nothing, chance alone would show a gap this large in {chance}" in said


@pytest.mark.parametrize(
    ("low", "capped", "p_value", "said"),
    [
        (1.0, 2.0, 0.01, "The call worked: within 90 days it probably made between £1.00 and £9.00 more"),
        (1.0, -2.0, 0.01, "The call did harm, judged with no customer counted beyond the cap: £2.00 less. In pounds"),
        (-1.0, 2.0, 0.01, "no effect at all is also possible, and the best estimate is £5.00 more. If"),
        (1.0, 2.0, 0.2, "only a few customers beyond the cap keep it from zero. That does not prove"),
        (-1.0, 2.0, 0.2, "no effect at all is also possible. That does not prove"),
    ],
)
def test_the_verdict_is_on_what_is_judged(low: float, capped: float, p_value: float, said: str) -> None:
    """Its sign and chance are of the capped pounds, and of the interval only what it holds is said."""
    assert said in verdict(
        "net_revenue", days=90, treatment="call", estimate=5.0, low=low, high=9.0, p_value=p_value, capped=capped
    )


def test_customers_who_are_in_no_data_any_more(experiment: Warehouse, tmp_path: Path) -> None:
    """A few count as buying nothing, and are told; where an arm lost many more than the other, there is no result."""
    call_works(experiment)
    with experiment.transaction() as connection:
        connection.exec_driver_sql(
            "delete from customer_profile where customer_id = any (%s)", (of_arm(experiment, "call")[:2],)
        )
    found = told(experiment)
    assert found.primary and found.analysable == {"control": 20, "call": 18}
    assert r"- 2 customers are no longer in the data \(control 0, call 2\)" in report(experiment, found)
    with experiment.transaction() as connection:
        connection.exec_driver_sql(
            "delete from customer_profile where customer_id = any (%s)", (of_arm(experiment, "call")[:18],)
        )
    found = told(experiment)
    assert (found.is_mismatched, found.results) == (True, ())
    assert answer(found).startswith(
        "No result: the arms are not of the sizes that were drawn: control 20 of 20, call 2 of 20."
    )
    assert reports(experiment, cache=tmp_path)["is_mismatched"].tolist() == [True]


def test_what_people_wrote_is_no_markdown(shop: Warehouse) -> None:
    """Not of the hypothesis, the owner or a reason: it is shown as it was written."""
    prepare(shop)
    text = FILE.replace("A call helps.", "**A** [call](x) `helps`").replace('"me"', '"<b>me"')
    declared = Declaration.parse("calls", text)
    start(shop, declared, SOME, counts_from=date(2012, 1, 1), underpowered="x** y")
    shown = report(shop, told(shop))
    assert r"> \*\*A\*\* \[call\]\(x\) \`helps\`" in shown and r"by \<b\>me" in shown and r"x\*\* y" in shown


@pytest.mark.parametrize("kept", [0, 2])
def test_arms_that_lost_customers_give_no_result(experiment: Warehouse, kept: int) -> None:
    """Somebody deleted assignments of one arm, or all: the report stops there."""
    call_works(experiment)
    with experiment.transaction() as connection:
        connection.execute(
            sa.text("delete from assignments where arm = 'control' and customer_id <> all (:kept)"),
            {"kept": of_arm(experiment, "control")[:kept]},
        )
    found = told(experiment)
    assert (found.is_mismatched, found.results) == (True, ())
    assert f"the arms are not of the sizes that were drawn: control {kept} of {kept}, call 20 of 20." in answer(found)
    assert report(experiment, found)


def test_stopped_before_the_end(experiment: Warehouse) -> None:
    """The comparison stands, and that the control group was no longer held out is told."""
    call_works(experiment)
    with experiment.transaction() as connection:
        connection.execute(sa.text("update assignments set counts_from = now() - interval '80 days'"))
    stop(experiment, "calls", because="the agency left")
    for day in (state(experiment, "calls").begins, state(experiment, "calls").due):
        buy(experiment, None, f"{day} 00:00")
    text = report(experiment, told(experiment))
    assert "before the last window was over: the agency left." in text
    assert "0 customers of it reached a destination after the stop" in text
    assert "Until the stop, no list reached the control group." in text
    tell(experiment, of_arm(experiment, "control")[0], [("add", f"{date.today() + timedelta(days=1)}")])
    assert "1 customer of it reached a destination after the stop" in report(experiment, told(experiment))


def test_a_picture_is_of_a_figure_that_is_due(experiment: Warehouse, tmp_path: Path) -> None:
    """Before the end there is none; with so few customers that an interval has no end, there is one all the same."""
    assert picture(told(experiment), cache=tmp_path) is None
    call_works(experiment)
    found = told(experiment)
    drawn = picture(found, cache=tmp_path)
    assert drawn and drawn == picture(found, cache=tmp_path)
    (first, *others) = found.results
    endless = replace(first, difference=replace(first.difference, low=-inf, high=inf))
    assert picture(replace(found, results=(endless, *others)), cache=tmp_path) not in (None, drawn)


def test_the_table_of_reports_has_the_picture(experiment: Warehouse, tmp_path: Path) -> None:
    """Of a result that is due, and none before; with the text that the command shows, and its first line."""
    (early,) = reports(experiment, cache=tmp_path).to_dict("records")
    assert early["picture"] is None and early["answer"].startswith("Not due yet")
    call_works(experiment)
    (row,) = reports(experiment, cache=tmp_path).to_dict("records")
    found = analyse(experiment, "calls")
    assert (row["answer"], row["report"]) == (answer(found), report(experiment, found))
    assert row["picture"] == picture(found, cache=tmp_path)


def test_the_report_by_command(experiment: Warehouse, tmp_path: Path) -> None:
    """Shown, or written to a file with the answer on the terminal; an unknown name is told."""
    call_works(experiment)
    run = CliRunner(env={"COLUMNS": "120"}).invoke
    shown = run(app, ["experiment", "report", "calls"])
    assert shown.exit_code == 0 and shown.output.startswith("**The call worked")
    written = run(app, ["experiment", "report", "calls", "--to", str(tmp_path / "calls.md")])
    assert written.output.startswith("The call worked")
    text = (tmp_path / "calls.md").read_text()
    assert text.replace("![The difference in customers who buy](<calls.png>)\n\n", "") == shown.output
    with Image.open(tmp_path / "calls.png") as image:
        assert (image.format, image.width) == ("PNG", 1600)
    nowhere = run(app, ["experiment", "report", "calls", "--to", str(tmp_path / "no" / "such" / "x.md")])
    assert nowhere.exit_code == 2 and "cannot be written: No such file or directory." in nowhere.output
    (tmp_path / "folder").mkdir()
    assert run(app, ["experiment", "report", "calls", "--to", str(tmp_path / "folder")]).exit_code == 2
    assert not (tmp_path / "folder.png").exists()
    with pytest.raises(LgsError, match=r"No experiment 'letters' was started\. Started: calls\."):
        analyse(experiment, "letters")
