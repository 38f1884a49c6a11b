"""What an experiment found: not before it is due, of everybody who was assigned, and in words that say no more."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from lgs_assets.action.contacts import forget_contact
from lgs_assets.action.experiment_report import answer, report
from lgs_assets.action.experiments import Declaration, start, state, stop
from lgs_assets.action.results import Analysis, analyse, results
from lgs_assets.command.cli import app
from lgs_assets.contracts.contract import contract
from lgs_assets.errors import LgsError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import driver_cursor, execute_script
from lgs_assets_tests.action.test_experiments import DECLARED, FILE, SOME, arms
from lgs_assets_tests.action.test_experiments import shop as shop  # a fixture, by its name

DRAWS = 999
POUNDS = Declaration.parse(
    "calls",
    FILE.replace('["net_revenue"]', '["orders", "bought_within", "revenue_per_order"]')
    .replace('"bought_within"\n', '"net_revenue"\n')
    .replace("10 points", "10 %"),
)


@pytest.fixture
def experiment(shop: Warehouse) -> Warehouse:
    """Started; purchases count from 1 January 2012, for ninety days: to 31 March."""
    with shop.transaction() as connection:
        for table in ("returns", "natural_return"):
            execute_script(driver_cursor(connection), contract(table))
    start(shop, DECLARED, SOME, counts_from=date(2012, 1, 1))
    return shop


def buy(warehouse: Warehouse, customer: int | None, at: str, *, amount: str = "10") -> None:
    """An order; without a customer, one of a guest, which is no sale to anybody."""
    is_sale = customer is not None
    with warehouse.transaction() as connection:
        connection.execute(
            sa.text(
                """
                insert into invoice_totals
                select
                    count(*)::text || '-', 1, 'd', date_trunc('month', cast(:at as timestamp)), :customer, 'EIRE',
                    false, 1, :amount, cast(:at as timestamp), cast(:is_sale as integer),
                    case when :is_sale then :amount else 0 end,
                    case when :is_sale then cast(:at as timestamp) end, 0, 0, 0
                from invoice_totals
                """
            ),
            {"customer": customer, "at": at, "amount": Decimal(amount), "is_sale": is_sale},
        )


def of_arm(warehouse: Warehouse, arm: str) -> list[int]:
    return [customer for customer, drawn in arms(warehouse).items() if drawn == arm]


def told(warehouse: Warehouse) -> Analysis:
    return analyse(warehouse, "calls", draws=DRAWS)


def call_works(warehouse: Warehouse) -> None:
    """Sixteen of the twenty who are called buy, and four of the control group; the data goes to the end of May."""
    for customer in of_arm(warehouse, "call")[:16] + of_arm(warehouse, "control")[:4]:
        buy(warehouse, customer, "2012-02-01 10:00", amount="20")
    buy(warehouse, None, "2012-05-31 10:00")


def test_before_the_end_there_is_no_figure(experiment: Warehouse) -> None:
    """Not of the day before the last window is over, however clear it is; on the day after there is."""
    for customer in of_arm(experiment, "call"):
        buy(experiment, customer, "2012-01-02 10:00")
    buy(experiment, None, "2012-03-29 23:59")
    early = told(experiment)
    assert (early.results, early.returned, early.due["bought_within"]) == ((), {}, date(2012, 3, 31))
    assert answer(early).startswith(
        "**Not due yet: it takes invoices up to the end of 2012-03-30, and the data ends on 2012-03-29. Until"
    )
    assert "##" in report(experiment, early) and " p " not in report(experiment, early)
    assert results(experiment).empty
    buy(experiment, None, "2012-03-30 09:00")
    assert told(experiment).primary is not None


def test_pounds_wait_for_late_returns(experiment: Warehouse) -> None:
    """They are due thirty days after the share who buy; what is sent back until then is taken off."""
    customer = of_arm(experiment, "call")[0]
    buy(experiment, customer, "2012-03-30 10:00", amount="50")
    buy(experiment, None, "2012-03-31 10:00")
    assert [result.metric for result in told(experiment).results if result.segment == "all"] == ["bought_within"]
    with experiment.transaction() as connection:
        connection.exec_driver_sql(
            "insert into returns values ('C1', 1, %s, 'A', true, '2012-04-20 10:00', 1, 30, 'whole line', 1, 30, "
            "'1', 1, '2012-03-30 10:00', 21, null)",
            (customer,),
        )
    buy(experiment, None, "2012-04-29 10:00")
    found = told(experiment)
    assert {result.metric for result in found.results} == {"bought_within", "net_revenue"}
    assert found.returned["call"].net_revenue == 20


def test_a_campaign_that_works(experiment: Warehouse) -> None:
    """The first line has the answer, its interval and chance; the report also has what a claim would have been."""
    call_works(experiment)
    found = told(experiment)
    assert found.primary and found.primary.shows
    assert (found.primary.difference.control, found.primary.difference.treated) == (0.2, 0.8)
    assert 0 < found.primary.difference.low < 0.6 < found.primary.difference.high + 0.1
    text = report(experiment, found)
    assert text.startswith("**The call worked: within 90 days it made between ")
    assert "more buyers in a hundred customers" in text.splitlines()[0]
    assert "16 of the 20 treated customers bought, for £320.00 after returns." in text
    assert "20% bought, too: as many customers would have brought about £80.00 by themselves." in text
    assert "No verdict is given on a segment" in text and "| At Risk | 20 |" in text


def test_a_campaign_that_does_nothing(experiment: Warehouse) -> None:
    """Zero is inside, and the report does not say that there is no effect."""
    for arm in ("call", "control"):
        for customer in of_arm(experiment, arm)[:10]:
            buy(experiment, customer, "2012-02-01 10:00")
    buy(experiment, None, "2012-05-31 10:00")
    line = answer(told(experiment))
    assert line.startswith("**No effect is shown: within 90 days the call may have made between ")
    assert " fewer and " in line and "zero is inside. That does not prove that it does nothing." in line


def test_nobody_buys(experiment: Warehouse) -> None:
    """No spread, no division by it: no effect is shown."""
    buy(experiment, None, "2012-05-31 10:00")
    found = told(experiment)
    assert found.primary and found.primary.p_value == 1
    assert answer(found).startswith("**No effect is shown")
    assert report(experiment, found)


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
    primary = analyse(experiment, "calls").primary
    assert primary and first.loc[0, "difference"] == primary.difference.estimate


def test_one_large_order_does_not_decide(shop: Warehouse) -> None:
    """Above the cap of the start it counts no more for the p-value; the pounds are those that were paid."""
    with shop.transaction() as connection:
        execute_script(driver_cursor(connection), contract("returns") + contract("natural_return"))
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
    corrected = [result for result in found.results if result.role == "secondary"]
    assert len(corrected) == 3
    assert all(result.corrected_p and result.corrected_p >= result.p_value for result in corrected)
    assert "For the 20 treated: between " in report(shop, found)


def test_the_reason_for_an_underpowered_start_is_told_first(shop: Warehouse) -> None:
    """Whatever the answer is, and whatever the reason holds."""
    with shop.transaction() as connection:
        execute_script(driver_cursor(connection), contract("returns") + contract("natural_return"))
    start(shop, DECLARED, SOME, counts_from=date(2012, 1, 1), underpowered="the board\nwants | it.")
    line = report(shop, told(shop)).splitlines()[0]
    assert line.startswith(
        r"**Started though it could hardly answer its question, because: the board wants \| it. Not due yet"
    )


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
    assert answer(found).startswith(f"**No result: the arms (control {kept}, call 20) are not of the sizes")
    assert report(experiment, found)


def test_stopped_before_the_end(experiment: Warehouse) -> None:
    """The comparison stands, and that the control group was no longer held out is told."""
    call_works(experiment)
    with experiment.transaction() as connection:
        connection.execute(sa.text("update assignments set counts_from = now() - interval '80 days'"))
    stop(experiment, "calls", because="the agency left")
    buy(experiment, None, f"{state(experiment, 'calls').due:%Y-%m-%d} 10:00")
    assert "before the last window was over: the agency left." in report(experiment, told(experiment))


def test_the_report_by_command(experiment: Warehouse, tmp_path: Path) -> None:
    """Shown, or written to a file with the answer on the terminal; an unknown name is told."""
    call_works(experiment)
    run = CliRunner(env={"COLUMNS": "120"}).invoke
    shown = run(app, ["experiment", "report", "calls"])
    assert shown.exit_code == 0 and shown.output.startswith("**The call worked")
    written = run(app, ["experiment", "report", "calls", "--to", str(tmp_path / "calls.md")])
    assert written.output.startswith("The call worked") and (tmp_path / "calls.md").read_text() == shown.output
    with pytest.raises(LgsError, match="no experiment 'letters' that was started"):
        analyse(experiment, "letters")
