"""The customers over time: nothing from after a snapshot, nothing from the order of lines, and who moved and why."""

import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lgs_assets.checks.sql_checks import evaluate
from lgs_assets.contracts.check import CHECKS
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.tables import PostgresTables
from lgs_assets_tests.builders import Line, build_tables, built_for, in_group, load_lines, values

BEGIN, LONG_AFTER = datetime(2011, 1, 10, 9), datetime(2011, 7, 1)
OF_CUSTOMERS = [*in_group("history", "retention"), "customer_profile"]
TABLES = built_for(*OF_CUSTOMERS, "rfm_scores")
OF_ALL = [*OF_CUSTOMERS, "rfm_scores", *in_group("products", "countries", "drivers")]
NUMBERED = ("returnable_lines", "return_matches", "returns")
"""What tells the number of a line in its dump."""

Bought = tuple[int, int, int, str, str, int]
CODES = ("22041", "85123A", "POST")
IDS = range(101, 113)

# Few customers, days and amounts, so that ties are the rule: (customer, days after BEGIN, pounds, country, code, how
# often the dump holds it).
purchase = st.tuples(
    st.sampled_from(IDS),
    st.integers(0, 150),
    st.integers(-2, 4).filter(bool),
    st.sampled_from(["United Kingdom", "EIRE"]),
    st.sampled_from(CODES),
    st.sampled_from([1, 1, 1, 2]),
)
purchases_of = partial(st.lists, purchase, max_size=60)


def line(number: int, customer: int, days: int, pounds: int, country: str, code: str = CODES[0], _: int = 1) -> Line:
    """A sale, or a cancellation of negative pounds."""
    return Line(
        stock_code=code,
        invoice_no=f"{'C' if pounds < 0 else ''}{500000 + number}",
        customer_id=customer,
        quantity=1 if pounds > 0 else -1,
        invoice_date=str(BEGIN + timedelta(days=days)),
        unit_price=str(abs(pounds)),
        country=country,
    )


def lines_of(purchases: Sequence[Bought]) -> list[Line]:
    """Each on an invoice of its own, which the dump holds once or twice."""
    return [line(number, *bought) for number, bought in enumerate(purchases) for _ in range(bought[-1])]


def build(
    warehouse: Warehouse, folder: Path, lines: list[Line], tables: Sequence[str] = TABLES, **settings: Any
) -> None:
    load_lines(warehouse, folder, lines)
    build_tables(warehouse, *tables, **settings)


def rows(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    return sorted((values(row) for row in warehouse.rows(query)), key=str)


def broken_checks(warehouse: Warehouse, *tables: str) -> list[str]:
    return [
        f"{check.table}.{check.name}"
        for check in CHECKS
        if check.table in (tables or OF_CUSTOMERS) and not evaluate(check, PostgresTables(warehouse)).passed
    ]


def before(warehouse: Warehouse, cut: datetime, last_month: date) -> dict[str, list[tuple[Any, ...]]]:
    """What was known at the cut: earlier snapshots, and the months that were over."""
    month = min(cut.date().replace(day=1), last_month)
    return {
        "rfm_history": rows(warehouse, f"select * from rfm_history where snapshot_date < '{cut}'"),
        "rfm_edges": rows(warehouse, f"select * from rfm_edges where snapshot_date < '{cut}'"),
        "segment_migrations": rows(
            warehouse,
            "select step, snapshot_from, snapshot_to, segment_from, segment_to, cause, customers, monetary_before, "
            f"sales_between, sales_between_once from segment_migrations where snapshot_to < '{cut}'",
        ),
        "cohort_retention": rows(
            warehouse,
            "select cohort_month, months_since, customers, active, invoices, base_sales, sales, sales_once, "
            f"is_left_censored from cohort_retention where invoice_month < '{month}'",
        ),
        "customer_flow": rows(
            warehouse,
            "select invoice_month, new_customers, retained_customers, reactivated_customers, lapsed_customers, sales, "
            f"lapsed_sales, sales_once, lapsed_sales_once from customer_flow where invoice_month < '{month}'",
        ),
        "natural_return": rows(
            warehouse,
            "select segment, snapshot_date, months, customers, came_back, sales_after, net_after, sales_after_once, "
            f"net_after_once from natural_return where snapshot_date + months * interval '1 month' < '{month}'",
        ),
        "second_purchases": rows(
            warehouse,
            "select cohort_month, window_days, customers, second_purchases from second_purchases "
            f"where cohort_month + interval '1 month' + window_days * interval '1 day' < '{month}'",
        ),
    }


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(purchases=purchases_of(min_size=2), days=st.integers(1, 151), ties=st.booleans())
def test_what_comes_later_changes_no_earlier_snapshot(
    warehouse: Warehouse, tmp_path: Path, purchases: list[Bought], days: int, ties: bool
) -> None:
    """Lines cut at any moment: every snapshot and month before it is the one of all lines."""
    cut, rule = BEGIN + timedelta(days=days), "together" if ties else "by_customer_id"
    lines = lines_of(purchases)
    known = [line for line in lines if line.invoice_date < str(cut)]
    if not known:
        return
    last_month = datetime.fromisoformat(max(line.invoice_date for line in known)).date().replace(day=1)
    build(warehouse, tmp_path, lines, ties=rule, snapshot_date=LONG_AFTER)
    assert broken_checks(warehouse) == []
    afterwards = before(warehouse, cut, last_month)
    build(warehouse, tmp_path, known, ties=rule, snapshot_date=cut)
    assert before(warehouse, cut, last_month) == afterwards
    assert broken_checks(warehouse) == []


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(purchases=purchases_of(min_size=20), seed=st.integers(0, 999))
def test_the_order_of_lines_and_the_names_of_things_change_nothing(
    warehouse: Warehouse, tmp_path: Path, purchases: list[Bought], seed: int
) -> None:
    """Lines shuffled give the same tables, also of products, countries and drivers.

    So do other ids and invoice numbers, where ids decide on no tie.
    """
    chance = random.Random(seed)
    new_ids = dict(zip(IDS, chance.sample(IDS, len(IDS)), strict=True))
    lines = lines_of(purchases)
    shuffled = chance.sample(lines, len(lines))

    def contents(tables: Sequence[str]) -> dict[str, list[tuple[Any, ...]]]:
        return {table: rows(warehouse, f"select * from {table}") for table in tables if table not in NUMBERED}

    build(warehouse, tmp_path, lines, built_for(*OF_ALL), pair_support=1)
    first = contents(OF_ALL)
    build(warehouse, tmp_path, shuffled, built_for(*OF_ALL), pair_support=1)
    assert contents(OF_ALL) == first

    with_ids = ("rfm_history", "customer_profile", "customer_months")
    without_ids = [table for table in OF_CUSTOMERS if table not in with_ids]
    scored = "select snapshot_date, customer_id, r_score, f_score, m_score, segment, segment_since from rfm_history"
    build(warehouse, tmp_path, lines, ties="together")
    first, scores = contents(without_ids), rows(warehouse, scored)
    others = chance.sample(purchases, len(purchases))
    renamed = lines_of([(new_ids[bought[0]], *bought[1:]) for bought in others])
    build(warehouse, tmp_path, renamed, ties="together")
    assert contents(without_ids) == first
    expected = [(snapshot, new_ids[customer], *rest) for snapshot, customer, *rest in scores]
    assert rows(warehouse, scored) == sorted(expected, key=str)


SALE = Line(invoice_date="2011-03-20 10:00:00")
FAR = "rfm_history.snapshot_is_near_the_data"


@pytest.mark.parametrize(
    ("lines", "snapshots"),
    [
        ([SALE], 1),
        ([Line("1", invoice_date="2011-01-15"), Line("2", invoice_date="2011-06-02")], 6),
        ([Line("C1", quantity=-1)], 0),
        ([Line(customer_id=None)], 0),
        ([Line("1", customer_id=None, invoice_date="2011-01-15"), Line("2", invoice_date="2011-03-02")], 1),
        ([Line(str(i), customer_id=100 + i) for i in range(3)], 1),
        ([], 0),
    ],
    ids=["one sale", "months without sales", "only cancellations", "only guests", "guests first", "one day", "nothing"],
)
def test_small_shops_have_small_tables(warehouse: Warehouse, tmp_path: Path, lines: list[Line], snapshots: int) -> None:
    """Empty or small, and consistent, whatever there is of months, customers, cancellations and guests."""
    if lines:
        load_lines(warehouse, tmp_path, lines)
    build_tables(warehouse, *TABLES)
    found = warehouse.rows("select count(distinct snapshot_date) as n from rfm_history")
    assert [row.n for row in found] == [snapshots]
    assert broken_checks(warehouse) == []


def test_a_snapshot_within_a_month_is_the_last_of_all(warehouse: Warehouse, tmp_path: Path) -> None:
    """Month ends before it, then the date itself; a step to it is not a whole one."""
    build(
        warehouse,
        tmp_path,
        [Line("1", invoice_date="2011-01-31 23:59:59"), Line("2", invoice_date="2011-03-01 00:00:00")],
        snapshot_date=datetime(2011, 3, 10, 12),
    )
    history = warehouse.rows(
        "select snapshot_date, frequency, recency_days, segment_since from rfm_history order by snapshot_date"
    )
    moments = [datetime(2011, 2, 1), datetime(2011, 3, 1), datetime(2011, 3, 10, 12)]
    assert [(row.snapshot_date, row.frequency, row.recency_days) for row in history] == list(
        zip(moments, (1, 1, 2), (0, 28, 9), strict=True)
    )
    assert [row.segment_since for row in history] == [moments[0]] * 3  # one customer is always in the same segment
    partial = warehouse.rows("select snapshot_to, is_partial from segment_migrations where step = 1 order by 1")
    assert [values(row) for row in partial] == [(moments[1], False), (moments[2], True)]


@pytest.mark.parametrize(("snapshot", "refused"), [(datetime(2012, 4, 1), []), (datetime(2102, 1, 1), [FAR])])
def test_a_mistyped_year_is_refused(
    warehouse: Warehouse, tmp_path: Path, snapshot: datetime, refused: list[str]
) -> None:
    """A date far after the data makes no snapshot for each month until then, and a check stops what is built on it."""
    load_lines(warehouse, tmp_path, [SALE])
    build_tables(warehouse, *built_for("rfm_history"), snapshot_date=snapshot)
    (found,) = warehouse.rows("select count(*) as snapshots from rfm_history")
    assert found.snapshots == 13 + len(refused)
    assert broken_checks(warehouse, "rfm_history") == refused


def test_a_step_is_whole_if_its_last_month_is(warehouse: Warehouse, tmp_path: Path) -> None:
    """A shop that is closed on the last day of a month has made all its sales of that month."""
    days = [day for day in range(1, 32) if date(2011, 7, day).weekday() < 5]  # the 30th and 31st are a weekend
    june = [Line(f"6{day}", invoice_date=f"2011-06-{day:02} 10:00:00") for day in range(1, 31)
            if date(2011, 6, day).weekday() < 5]  # fmt: skip
    build(warehouse, tmp_path, june + [Line(f"7{day}", invoice_date=f"2011-07-{day:02} 10:00:00") for day in days])
    partial = warehouse.rows("select distinct is_partial from segment_migrations where step = 1")
    assert [values(row) for row in partial] == [(False,)]


def test_an_invoice_of_two_months_is_one_order(warehouse: Warehouse, tmp_path: Path) -> None:
    """It counts from its first line on, with its lines before the snapshot."""
    build(
        warehouse,
        tmp_path,
        [
            Line("1", invoice_date="2011-01-31 23:59:00", unit_price="2"),
            Line("1", invoice_date="2011-02-01 00:01:00", unit_price="3"),
        ],
    )
    history = warehouse.rows("select frequency, monetary from rfm_history order by snapshot_date")
    assert [values(row) for row in history] == [(1, 2), (1, 5)]


def test_customers_who_are_alike_are_one_group(warehouse: Warehouse, tmp_path: Path) -> None:
    """Two who spent £100 or more are one, until one of them spends £1,000. What each had spent before is in it."""
    spent = [(1, "2011-02-04", 150), (2, "2011-02-04", 100), (3, "2011-02-04", 99), (1, "2011-04-01", 900)]
    lines = [
        Line(str(number), customer_id=customer, invoice_date=f"{day} 10:00", unit_price=str(pounds))
        for number, (customer, day, pounds) in enumerate(spent)
    ]
    load_lines(warehouse, tmp_path, [*lines, Line("9", customer_id=4, invoice_date="2011-04-30", country="EIRE")])
    build_tables(warehouse, *built_for("customer_groups"), ties="together")
    found = "select country, cohort_quarter, spent_from, customers, monetary, monetary_before from customer_groups"
    winter, spring = date(2011, 1, 1), date(2011, 4, 1)
    assert rows(warehouse, f"{found} where snapshot_date = '2011-03-01'") == [
        ("United Kingdom", winter, 0, 1, 99, 0),
        ("United Kingdom", winter, 100, 2, 250, 0),
    ]
    assert rows(warehouse, f"{found} where snapshot_date = '2011-05-01'") == [
        ("EIRE", spring, 0, 1, 1, 0),
        ("United Kingdom", winter, 0, 1, 99, 99),
        ("United Kingdom", winter, 100, 1, 100, 100),
        ("United Kingdom", winter, 1000, 1, 1050, 150),
    ]


def test_survival_is_counted_from_the_history(warehouse: Warehouse, tmp_path: Path) -> None:
    """How many of those who entered a segment at a whole month end have been in it ever since."""
    chance = random.Random(5)
    bought = [
        (chance.randint(101, 140), chance.randint(0, 170), chance.randint(1, 4), "EIRE", CODES[0], 1)
        for _ in range(220)
    ]
    build(warehouse, tmp_path, lines_of([*bought, (101, 173, 1, "EIRE", CODES[0], 1)]))
    ends = [row.snapshot_date for row in warehouse.rows("select distinct snapshot_date from rfm_history order by 1")]
    query = "select distinct snapshot_to from segment_migrations where step = 1 and not is_partial order by 1"
    whole = [row.snapshot_to for row in warehouse.rows(query)]
    assert whole == ends[1 : len(whole) + 1]
    stays = warehouse.rows("select segment, segment_since, snapshot_date from rfm_history")
    entries: dict[tuple[str, int], int] = {}
    remaining: dict[tuple[str, int], int] = {}
    for segment, since, moment in (values(row) for row in stays):
        if since in whole and moment in whole:
            months = whole.index(moment) - whole.index(since)
            remaining[segment, months] = remaining.get((segment, months), 0) + 1
            for later in range(len(whole) - whole.index(since) if months == 0 else 0):
                entries[segment, later] = entries.get((segment, later), 0) + 1
    survival = warehouse.rows("select segment, months, entries, remaining, survival_pct from segment_survival")
    assert {(row.segment, row.months): row.entries for row in survival} == entries
    assert {(row.segment, row.months): row.remaining for row in survival if row.remaining} == remaining
    assert all(row.survival_pct == round(Decimal(100) * row.remaining / row.entries, 6) for row in survival)
