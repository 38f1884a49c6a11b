"""Margins: units at the cost valid on the day, with the share of sales whose cost is known."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from lgs_assets import places
from lgs_assets.checks.sql_checks import evaluate
from lgs_assets.command.cli import app
from lgs_assets.command.reporting import REJECTED
from lgs_assets.command.terminal import profit_line
from lgs_assets.contracts.check import CHECKS
from lgs_assets.contracts.contract import contract
from lgs_assets.warehouse.costs import Cost, keep_costs, profit
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import driver_cursor, execute_script
from lgs_assets.warehouse.tables import PostgresTables
from lgs_assets_tests.builders import Line, build_tables, built_for, load_lines

TABLES = built_for("margins", "monthly_metrics", "country_months")
LINES = [
    Line("1", "22041a ", "ROBIN", 10, "2011-03-04", "2.00", 101),
    Line("2", "22041A", "ROBIN", 5, "2011-04-01", "2.00", 101),
    Line("3", "22042", "WREN", 4, "2011-04-02", "5.00", 102, "EIRE"),
    Line("4", "22042", "WREN", 1, "2011-04-02", "5.00", None),
    Line("5", "POST", "POSTAGE", 1, "2011-04-02", "9.00", 102),
    Line("C6", "22041A", "ROBIN", -2, "2011-04-03", "2.00", 101),
    *[Line("7", "22041A", "ROBIN", 3, "2011-04-05", "1.00", 101)] * 2,
]
COSTS = [
    Cost("22041A", date(2011, 3, 1), Decimal("0.50")),
    Cost("22041A", date(2011, 4, 1), Decimal("0.75")),
    Cost("22042", date(2011, 4, 3), Decimal("1.00")),  # too late for its sales
]


@pytest.fixture
def shop(warehouse: Warehouse, tmp_path: Path) -> Iterator[Warehouse]:
    """A shop whose lines are loaded; invoice 7 is held twice in full. Whatever margins come of it, checks hold."""
    load_lines(warehouse, tmp_path, LINES)
    yield warehouse
    checks = [check for check in CHECKS if check.table == "margins"]
    assert checks and all(evaluate(check, PostgresTables(warehouse)).passed for check in checks)


def months(warehouse: Warehouse, dimension: str) -> dict[tuple[str, str], tuple[Any, ...]]:
    query = "select * from margins where dimension = :dimension order by member, invoice_month"
    return {
        (row.member, f"{row.invoice_month:%m}"): (row.units, row.sales, row.known_sales, row.margin)
        for row in warehouse.rows(query, dimension=dimension)
    }


def test_a_unit_costs_what_was_valid_on_its_day(shop: Warehouse) -> None:
    """Before a first cost none is known; from the day of a second one on, that holds. Doubled invoices count once."""
    keep_costs(shop, COSTS)
    build_tables(shop, *TABLES)
    assert months(shop, "product") == {
        ("22041A", "03"): (10, 20, 20, 15),
        ("22041A", "04"): (8, 13, 13, 7),
        ("22042", "04"): (5, 25, 0, 0),
    }
    assert months(shop, "country") == {
        ("EIRE", "04"): (4, 20, 0, 0),
        ("United Kingdom", "03"): (10, 20, 20, 15),
        ("United Kingdom", "04"): (9, 18, 13, 7),
    }
    assert months(shop, "customer") == {
        ("(guests)", "04"): (1, 5, 0, 0),
        ("101", "03"): (10, 20, 20, 15),
        ("101", "04"): (8, 13, 13, 7),
        ("102", "04"): (4, 20, 0, 0),
    }
    shares = shop.rows(
        "select known_share, margin_pct from margins where member = 'United Kingdom' order by invoice_month"
    )
    assert [(row.known_share, row.margin_pct) for row in shares] == [
        (1, 75), (Decimal("0.722222"), Decimal("53.846154"))
    ]  # fmt: skip
    known = profit(shop)
    assert known and (known.sales, known.known_sales, known.margin) == (Decimal(58), Decimal(33), Decimal(22))


def test_a_wrong_cost_is_found(warehouse: Warehouse, tmp_path: Path) -> None:
    """Though all dimensions have it alike: the lines and the costs themselves say otherwise."""
    load_lines(warehouse, tmp_path, LINES)
    keep_costs(warehouse, COSTS)
    build_tables(warehouse, *TABLES)
    with warehouse.transaction() as connection:
        connection.exec_driver_sql(
            "update margins set cost = cost + 0.01, margin = margin - 0.01 where invoice_month = '2011-03-01'"
        )
    checks = [check for check in CHECKS if check.table == "margins"]
    failed = [check.name for check in checks if not evaluate(check, PostgresTables(warehouse)).passed]
    assert failed == ["reconcile_with_lines"]


def test_without_costs_there_is_no_profit(shop: Warehouse) -> None:
    """An empty table, and nothing to show: unknown is not nothing."""
    build_tables(shop, *TABLES)
    assert shop.rows("select * from margins") == []
    assert profit(shop) is None


def test_expected_sales_earn_what_sales_have_earned(shop: Warehouse) -> None:
    """At the rate of the last twelve whole months: of all, of each country that is forecast, and of each customer.

    22 of the 33 pounds with a known cost; of what is sold in Ireland none is known, so nothing is said of it. What has
    no interval has none of its margin.
    """
    keep_costs(shop, COSTS)
    build_tables(shop, *TABLES)
    with shop.transaction() as connection:
        for table in ("prediction_terms", "forecasts", "customer_value"):
            execute_script(driver_cursor(connection), contract(table))
        for statement in (
            "update monthly_metrics set is_partial = false",
            "insert into prediction_terms values "
            "('2011-05-01', '2011-03-01', '2011-05-01', '2011-04-01', true, 900, 0, null)",
            """
            insert into forecasts
            select kind, series, 'month', 3, '2011-05-01', 1, '2011-05-01', 'a method', 100, 80, 120, 70, 130, null
            from (
                values ('total', 'All sales'), ('country', 'EIRE'), ('country', 'Other countries')
            ) as asked(kind, series)
            """,
            "insert into customer_value values "
            "(101, 90, '2011-05-01', 'a model', null, 0, 1, 2, 5, 10, 20, 33, 43, 1, 1), "
            "(101, 365, '2011-05-01', 'a baseline', null, null, 1, null, null, 10, null, 33, 43, 1, 1)",
        ):
            connection.exec_driver_sql(statement)
    build_tables(shop, "expected_margins")
    rows = shop.rows("select * from expected_margins order by kind desc, series, days")
    assert [(row.series, row.days, row.known_share, row.margin_low, row.margin, row.margin_high) for row in rows] == [
        ("All sales", 31, Decimal("0.568966"), Decimal("53.33"), Decimal("66.67"), Decimal("80.00")),
        ("101", 90, 1, Decimal("3.33"), Decimal("6.67"), Decimal("13.33")),
        ("101", 365, 1, None, Decimal("6.67"), None),
        ("Other countries", 31, Decimal("0.868421"), Decimal("53.33"), Decimal("66.67"), Decimal("80.00")),
    ]
    (check,) = (check for check in CHECKS if check.table == "expected_margins")
    assert evaluate(check, PostgresTables(shop)).passed
    # As the Outlook page compares them: net sales, £43 in April, at the rate of those with a known cost.
    query = places.ROOT / "lgs_assets" / "dashboard" / "queries" / "forecast.sql"
    earned = shop.rows(query.read_text(), country=None)
    assert [(row.actual, row.margin) for row in earned if row.actual is not None] == [
        (20, 15), (43, round(Decimal(43) * 7 / 13, 2)),
    ]  # fmt: skip
    assert [(row.forecast, row.margin) for row in earned if row.forecast is not None] == [(100, Decimal("66.67"))]


def test_without_costs_nothing_is_expected_to_earn(built: Warehouse) -> None:
    """An empty table, as that of margins."""
    assert built.rows("select * from expected_margins") == []


def test_a_cost_given_again_takes_the_place_of_the_first(shop: Warehouse) -> None:
    """Of the same product and day; others stay."""
    keep_costs(shop, COSTS)
    keep_costs(shop, [COSTS[0]._replace(unit_cost=Decimal("0.60"))])
    build_tables(shop, *TABLES)
    assert months(shop, "product")["22041A", "03"] == (10, 20, 20, 14)
    assert len(shop.rows("select * from unit_costs")) == 3


def lgs(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, arguments)


def test_costs_come_from_a_file_and_show_in_status(
    built: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, status says what to give; after, the margin with its share. A bad line is set aside, the others count.

    With too many bad lines for LGS_REJECT_LIMIT no cost is kept; the rejects of a file make way for the next one's.
    """
    assert "no unit costs are known. lgs costs import FILE takes them" in lgs("status").output
    file = tmp_path / "costs.csv"
    file.write_text("stock_code,valid_from,unit_cost\n22041,2011-01-01,0.40\n22041,never,1\n")
    refused = lgs("costs", "import", str(file))
    assert refused.exit_code == 1 and "1 of 2 lines cannot be read" in refused.stderr
    assert built.rows("select from unit_costs") == []
    assert '3,"22041,never,1","valid_from","expected a date' in lgs("costs", "rejects", "--csv").output
    monkeypatch.setenv("LGS_REJECT_LIMIT", "0.5")
    imported = lgs("costs", "import", str(file))
    assert imported.exit_code == REJECTED, imported.output
    assert "Kept 1 unit cost of 1 product" in imported.output
    # The reason is a cell of a table, which may break it anywhere between words.
    assert [text for text in ("valid_from", "2011-03-01;", "'never'") if text not in imported.output] == []
    assert "rebuilt 2 tables" in imported.output.lower()
    (row,) = built.rows("select sum(line_total) as sales from clean_invoices")
    assert f"£{row.sales * Decimal('0.6'):,.2f} over the unit costs of £{row.sales:,.2f} of sales, 100.0 % of all" in (
        lgs("status").output
    )
    assert '3,"22041,never,1","valid_from","expected a date' in lgs("costs", "rejects", "--csv").output
    file.write_text("stock_code,valid_from,unit_cost\n22041,2011-01-01,0.40\n")
    assert lgs("costs", "import", str(file)).exit_code == 0
    assert "No line of the last file of unit costs is rejected." in lgs("costs", "rejects").output


def test_costs_of_unknown_codes_are_told(built: Warehouse, tmp_path: Path) -> None:
    """A mistyped code is kept, since its lines may come; but it is said, as it would change no margin."""
    file = tmp_path / "costs.csv"
    file.write_text("stock_code,valid_from,unit_cost\n22041,2011-01-01,0.40\n2204l,2011-01-01,0.40\n")
    assert "No line is of 1 of these: 2204L. Check the stock codes." in lgs("costs", "import", str(file)).output
    assert len(built.rows("select from unit_costs")) == 2


def test_costs_of_nothing_sold_are_not_called_unknown(warehouse: Warehouse, tmp_path: Path) -> None:
    """There are costs: what is missing are sales."""
    load_lines(warehouse, tmp_path, [Line(stock_code="POST")])
    keep_costs(warehouse, COSTS)
    build_tables(warehouse, *TABLES)
    assert "unit costs are known, but no product has been sold yet" in profit_line(warehouse)


def test_costs_can_come_before_any_dump(database: str, tmp_path: Path) -> None:
    """They wait for the lines; nothing is built, and no demo is made up."""
    file = tmp_path / "demo.csv"
    assert "invented unit costs" in lgs("demo-costs", str(file)).output
    assert lgs("costs", "import", str(file)).exit_code == 0
    assert "Nothing is loaded yet" in lgs("status").output
    assert lgs("demo-costs", str(file)).exit_code == 1
