"""What an experiment could detect, told from the shop's own past."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from psycopg import sql
from typer.testing import CliRunner

from lgs_assets import places
from lgs_assets.action.audiences import Audience, Limits
from lgs_assets.action.experiments.declaration import Declaration
from lgs_assets.action.experiments.detectable import Detectable, Prospect, foreseen, outcomes_at, prospect
from lgs_assets.action.experiments.outcomes import adjusted
from lgs_assets.action.experiments.starting import start
from lgs_assets.command.cli import app
from lgs_assets.errors import LgsError, ServerError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import driver_cursor
from lgs_assets_tests.action.test_experiments import FILE
from lgs_assets_tests.builders import Line, build_tables, load_lines, make_empty

TABLES = (
    "clean_invoices", "invoice_totals", "monthly_metrics", "rfm_history", "rfm_scores", "segments", "customer_profile",
    "customer_days", "audience_facts",
)  # fmt: skip
FORESIGHT = ("customer_value", "churn_risk")
ALL = Audience("some", "All.", "true", {}, Limits())
PAST = FILE.replace("segment", "country")  # so small a shop has few customers in each segment


def lines() -> Iterator[Line]:
    """Forty customers over twenty months: all buy in the first; then each third one in each month, for 10 or 30."""
    for month in range(20):
        day = f"{2010 + month // 12}-{1 + month % 12:02}"
        yield Line(f"g{month}", customer_id=None, invoice_date=f"{day}-28 10:00")
        for customer in range(1, 41):
            if month == 0 or (customer + month) % 3 == 0:
                price = "30" if customer % 2 else "10"
                date = f"{day}-{1 + customer % 20:02} 10:00"
                yield Line(f"{customer}-{month}", customer_id=customer, invoice_date=date, unit_price=price)
    yield Line("end", customer_id=None, invoice_date="2011-08-31 10:00")


@pytest.fixture
def shop(warehouse: Warehouse, tmp_path: Path) -> Warehouse:
    load_lines(warehouse, tmp_path, lines())
    make_empty(warehouse, *FORESIGHT)
    build_tables(warehouse, *TABLES)
    return warehouse


def test_a_small_control_group_is_told_to_measure_little(shop: Warehouse) -> None:
    """Four of forty held out tell as much as fourteen in two halves; of halves nothing is said."""
    text = PAST.replace("control = 0.5", "control = 0.1").replace("call = 0.5", "everything = 0.9")
    text = text.replace('"bought_within"', '"orders"').replace("10 points", "10 %")
    holdout = Declaration.parse("holdout", text.replace("block_size = 4", "block_size = 10"))
    said = "with 40 customers (4 are held out: as sharp as 14 in two halves) it shows"
    assert said in prospect(shop, holdout, ALL).verdict
    halves = text.replace("control = 0.1", "control = 0.5").replace("everything = 0.9", "call = 0.5")
    assert "held out" not in prospect(shop, Declaration.parse("calls", halves), ALL).verdict


def test_a_control_group_that_is_too_small_is_told(
    shop: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five of a hundred of 71 customers may be three: the plan says that the result may be less sure than it says."""
    text = PAST.replace("control = 0.5", "control = 0.05").replace("call = 0.5", "call = 0.95")
    window = Detectable("90 days", 90, (), 0.4, None, 20.0, 40.0, 30.0, 20.0)
    few = Declaration.parse("few", text.replace("block_size = 4", "block_size = 20"))
    caution = "With only 3 customers in the arm control, a few decide: the interval may be less sure than it says."
    assert Prospect(few, 71, 71, (window,), 0.1, 200, None).caution == caution
    assert Prospect(few, 750, 750, (window,), 0.1, 200, None).caution is None
    assert Prospect(Declaration.parse("halves", PAST), 71, 71, (window,), 0.1, 200, None).caution is None
    pounds = PAST.replace('"bought_within"', '"net_revenue"').replace('["net_revenue"]', "[]").replace("points", "%")
    in_pounds = Declaration.parse("pounds", pounds)
    assert Prospect(in_pounds, 60, 60, (window,), 0.1, 200, None).caution is None
    told = Prospect(in_pounds, 58, 58, (window,), 0.1, 200, None).caution
    assert told and told.startswith("With only 29 customers in the arm control")
    monkeypatch.setattr("lgs_assets.action.audiences.audience_named", lambda name: ALL)
    file = tmp_path / "few.toml"
    file.write_text(few.text)
    shown = CliRunner(env={"COLUMNS": "120"}).invoke(app, ["experiment", "plan", str(file)])
    assert "With only 2 customers in the arm control, a few decide" in shown.output


def test_the_facts_of_earlier_are_those_of_then(shop: Warehouse, tmp_path: Path) -> None:
    """As of the end of the data they are those of now; as of an earlier date, what the lines before it alone give."""
    query = (places.SQL / "facts_as_of.sql").read_text()

    def as_of(start: datetime) -> list[tuple[object, ...]]:
        with shop.transaction() as connection:
            cursor = driver_cursor(connection)
            cursor.execute(
                sql.SQL("select * from ({}) as facts order by 1").format(
                    sql.SQL(query).format(start=sql.Literal(start))
                )
            )
            return cursor.fetchall()

    def now() -> list[tuple[object, ...]]:
        with shop.transaction() as connection:
            cursor = driver_cursor(connection)
            cursor.execute("select * from audience_facts order by 1")
            return cursor.fetchall()

    assert as_of(datetime(2011, 9, 1)) == now()
    earlier = as_of(datetime(2011, 3, 1))
    load_lines(shop, tmp_path, [line for line in lines() if line.invoice_date < "2011-03-01"])
    build_tables(shop, *TABLES)
    assert earlier == now()


def test_what_can_be_detected(shop: Warehouse) -> None:
    """Everybody buys in each quarter here: no share can rise; a pound more is told by how much the customers differ."""
    found = prospect(shop, Declaration.parse("calls", PAST), ALL)
    windows = {window.window: window for window in found.windows}
    assert windows["3 months"].starts == tuple(datetime(2011, month, 1) for month in (6, 3))
    assert (windows["3 months"].share, windows["3 months"].share_detectable) == (1.0, None)
    assert windows["3 months"].net_revenue == pytest.approx(20)
    assert windows["3 months"].net_change == pytest.approx(100 * 2.8016 * 10.127 * 2 / 40**0.5 / 20, rel=1e-3)
    raw, adjusted = windows["3 months"].net_change, windows["3 months"].net_change_adjusted
    assert raw and adjusted and adjusted < raw
    assert found.is_underpowered and found.power < 0.1
    assert found.ways_out[0] == "A wider audience does not help: no number of customers shows this change."


def test_a_change_beyond_all_customers_is_no_question(shop: Warehouse) -> None:
    """Of 100 who buy anyway no fifty more can: the plan says so, and the start takes a reason."""
    found = prospect(shop, Declaration.parse("calls", PAST.replace("10 points", "50 points")), ALL)
    assert (found.power, found.is_underpowered) == (0, True)
    assert found.verdict == (
        "This test cannot answer the question: 100% buy anyway, so a change of 50 points is more than the 0 that are "
        "left to win."
    )


def test_declared_looks_cost_power_in_the_plan_too(shop: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they spend is not left for the end, and the plan promises no more than that."""
    monkeypatch.setattr("lgs_assets.action.experiments.detectable.adjusted", lambda *_, **__: (20.0, 10.0))
    text = PAST.replace('"bought_within"', '"orders"').replace("10 points", "40 %")
    plans = [
        prospect(shop, Declaration.parse("calls", text.replace("= 4", f"= 4\nlooks = {looks}")), ALL)
        for looks in ([], [30], [30, 85])
    ]
    assert 0.8 > plans[0].power > plans[1].power > plans[2].power > 0.2
    assert plans[0].needed <= plans[1].needed < plans[2].needed
    first, second, third = (each.windows[0].primary_change or 0 for each in plans)
    assert 0 < first < second < third, "the smallest change that shows is told of the same level"


def test_pounds_can_be_asked_for(shop: Warehouse) -> None:
    """Half as much again, where past spend explains almost all: the test can answer."""
    text = (
        PAST.replace('"bought_within"', '"net_revenue"').replace('["net_revenue"]', "[]").replace("10 points", "50 %")
    )
    found = prospect(shop, Declaration.parse("calls", text), ALL)
    assert not found.is_underpowered and found.ways_out == []
    assert found.verdict.startswith("This test can answer the question: with 40 customers it shows a change of 50 % in")


@pytest.mark.parametrize(
    ("days", "change", "way"),
    [
        (90, 12.0, "A longer window: within 6 months, the smallest change in orders that shows is 12 %."),
        (90, None, "A longer window does not help: within 6 months, no smaller change in orders would show."),
        (90, 25.0, "A longer window does not help: within 6 months, no smaller change in orders would show."),
        (180, 12.0, None),
        (365, 12.0, None),
    ],
)
def test_a_longer_window_is_longer_and_says_what_it_shows(days: int, change: float | None, way: str | None) -> None:
    """In the unit of the declared metric. Where no window is longer than the declared one, none is offered."""
    text = (
        PAST.replace('"bought_within"', '"orders"').replace("10 points", "10 %").replace("days = 90", f"days = {days}")
    )
    declared = Detectable(f"{days} days", days, (), 1.0, None, 20.0, 40.0, 30.0, 20.0)
    longer = Detectable("6 months", 182, (), 1.0, None, 20.0, 40.0, 30.0, change)
    found = Prospect(Declaration.parse("calls", text), 40, 40, (declared, longer), 0.1, 200, None)
    assert [said for said in found.ways_out if "longer" in said] == ([way] if way else [])
    assert (
        found.ways_out[-1] == f"The share who buy does not help instead of orders: within {days} days no change shows."
    )


def test_orders_are_not_capped(shop: Warehouse) -> None:
    """Only net revenue is judged capped, so only of that is the spread told so."""
    with shop.transaction() as connection:
        cursor = driver_cursor(connection)
        frame = outcomes_at(cursor, ALL, datetime(2011, 3, 1), "90 days")
    frame.loc[0, "orders"] = 100
    assert adjusted("orders", frame)[1] > 10 > adjusted("orders", frame, cap=2.0)[1]


def test_whoever_is_in_another_experiment_is_not_counted(shop: Warehouse) -> None:
    """What is planned is what start would enrol; one whose members are all taken cannot be planned."""
    build_tables(shop, "audiences", "audience_members", "audience_history")
    with shop.transaction() as connection:
        connection.execute(
            sa.text(
                "insert into audience_members select 'some', customer_id, :version, '{}' from audience_facts "
                "where customer_id <= 30"
            ),
            {"version": ALL.version},
        )
    first = Declaration.parse("calls", PAST)
    start(shop, first, ALL)
    assert prospect(shop, Declaration.parse("letters", PAST), ALL).customers == 10
    assert prospect(shop, first, ALL).customers == 40
    with shop.transaction() as connection:
        connection.exec_driver_sql("delete from audience_facts where customer_id > 30")
    with pytest.raises(LgsError, match="no members who are in no other running experiment"):
        foreseen(shop, Declaration.parse("letters", PAST), ALL)


def test_an_outage_is_no_lack_of_data(shop: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends the command, rather than start an experiment without a cap."""
    assert foreseen(shop, Declaration.parse("calls", PAST.replace("days = 90", "days = 700")), ALL)[0] is None

    def outage(*_: object, **__: object) -> None:
        raise ServerError("PostgreSQL is gone.")

    monkeypatch.setattr("lgs_assets.action.experiments.detectable.outcomes", outage)
    with pytest.raises(ServerError):
        foreseen(shop, Declaration.parse("calls", PAST), ALL)


def test_too_short_a_past(shop: Warehouse) -> None:
    """A window that no earlier date has room for is told, with what it takes."""
    with pytest.raises(LgsError, match="12 months of invoices before it, 700 days after it and 20 members of some"):
        prospect(shop, Declaration.parse("calls", PAST.replace("days = 90", "days = 700")), ALL)


def test_a_rule_on_predictions_has_no_past(shop: Warehouse) -> None:
    """Whom it would have found then cannot be told, so it is said instead of that it would have found nobody."""
    promising = Audience("promising", "All.", "value > 100 or monetary > 0", {}, Limits())
    with pytest.raises(LgsError, match="value was not predicted of everybody at earlier dates"):
        prospect(shop, Declaration.parse("calls", PAST), promising)


def test_an_underpowered_start_needs_its_reason(
    shop: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan is shown and the start refused, exit code 4; with a reason, which is kept, it starts."""
    monkeypatch.setattr("lgs_assets.action.audiences.audience_named", lambda name: ALL)
    build_tables(shop, "audiences", "audience_members", "audience_history")
    with shop.transaction() as connection:
        connection.execute(
            sa.text("insert into audience_members select 'some', customer_id, :version, '{}' from audience_facts"),
            {"version": ALL.version},
        )
    file = tmp_path / "calls.toml"
    file.write_text(PAST)
    run = CliRunner(env={"COLUMNS": "120"}).invoke
    shown = run(app, ["experiment", "plan", str(file)])
    assert shown.exit_code == 0 and "This test cannot answer the question" in shown.output
    refused = run(app, ["experiment", "start", str(file), "--underpowered", ""])
    assert refused.exit_code == 4
    refused = run(app, ["experiment", "start", str(file)])
    assert (refused.exit_code, "To start it all the same: --underpowered" in refused.output) == (4, True)
    started = run(app, ["experiment", "start", str(file), "--underpowered", "to practise"])
    assert started.exit_code == 0 and "Wave 1 is drawn. calls: 20 call, 20 control." in started.output
    (row,) = shop.rows("select * from experiments")
    assert row.underpowered == "to practise" and row.power == pytest.approx(
        prospect(shop, Declaration.read(file), ALL).power
    )
    again = run(app, ["experiment", "start", str(file)])
    assert again.exit_code == 0 and "nobody is drawn again" in again.output
