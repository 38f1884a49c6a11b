"""What products sell, what comes back, and what is bought together."""

from collections import Counter
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgs_assets.checks.sql_checks import evaluate
from lgs_assets.contracts.check import CHECKS
from lgs_assets.models.baskets import bought_together
from lgs_assets.models.returns import match_returns
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.tables import PostgresTables
from lgs_assets_tests.builders import Line, build_tables, built_for, load_lines, values

JUNE = "2011-06-01 10:00"


def sale(place: int, units: int, price_rank: int = 1) -> dict[str, Any]:
    return {"place": place, "is_return": False, "units": units, "price_rank": price_rank}


def back(place: int, units: int, price_rank: int = 1) -> dict[str, Any]:
    return sale(place, units, price_rank) | {"is_return": True}


def matched(*lines: dict[str, Any]) -> list[tuple[int, int, int]]:
    """The places of return and sale, and the units, of one customer and product."""
    frame = pd.DataFrame([{"customer_id": 1, "code": "22041", **line} for line in lines])
    frame["invoice_no"], frame["line_number"] = "i" + frame["place"].astype(str), frame["place"]
    matches = match_returns(frame.sample(frac=1, random_state=1))
    return list(zip(matches["line_number"], matches["sale_line_number"], matches["units"], strict=True))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([sale(1, 5), sale(2, 5), back(3, 2)], [(3, 2, 2)]),  # the newest
        ([sale(1, 2), sale(2, 5), back(3, 2)], [(3, 1, 2)]),  # but a whole line before a part of one
        ([sale(1, 2), sale(2, 2, 2), back(3, 2)], [(3, 1, 2)]),  # and the same price before another
        ([sale(1, 1), sale(2, 1), back(3, 2)], [(3, 2, 1), (3, 1, 1)]),  # several lines
        ([sale(1, 1), sale(2, 1, 2), back(3, 2)], [(3, 2, 1), (3, 1, 1)]),  # at another price
        ([sale(1, 1), back(2, 3)], [(2, 1, 1)]),  # only a part
        ([back(1, 1), sale(2, 1)], []),  # none before
        ([sale(1, 2), back(2, 1), back(3, 1), back(4, 1)], [(2, 1, 1), (3, 1, 1)]),  # each unit once
    ],
)
def test_a_return_takes_back_its_sale(lines: list[dict[str, Any]], expected: list[tuple[int, int, int]]) -> None:
    """The rule of return_matches, case by case."""
    assert matched(*lines) == expected


@given(
    lines=st.lists(st.tuples(st.booleans(), st.integers(1, 5), st.integers(1, 2)), min_size=1, max_size=12).map(
        lambda drawn: [(back if is_return else sale)(i + 1, n, p) for i, (is_return, n, p) in enumerate(drawn)]
    )
)
def test_no_unit_is_returned_twice(lines: list[dict[str, Any]]) -> None:
    """Sales lose no more units than they had, and a return leaves none unmatched that an earlier sale still has."""
    left = {line["place"]: line["units"] for line in lines if not line["is_return"]}
    matches = matched(*lines)
    for line in (line for line in lines if line["is_return"]):
        taken = [(sold, units) for place, sold, units in matches if place == line["place"]]
        for sold, units in taken:
            left[sold] -= units
            assert sold < line["place"] and left[sold] >= 0
        missing = line["units"] - sum(units for _, units in taken)
        assert missing == 0 or all(left[place] == 0 for place in left if place < line["place"])


def test_stock_codes_are_products_or_charges(warehouse: Warehouse, tmp_path: Path) -> None:
    """Five digits and letters, whatever their case and the blanks around them; all else is a charge."""
    codes = ["22041", "22041 ", "85123a", "85123A", "POST", "2204", "22041-1", "gift_0001", "15056bl", "1505É"]
    load_lines(warehouse, tmp_path, [Line(str(i), stock_code=code) for i, code in enumerate(codes)])
    build_tables(warehouse, "clean_invoices", "stock_codes")
    rows = warehouse.rows("select distinct code, is_product from stock_codes order by code")
    assert {row.code for row in rows if row.is_product} == {"15056BL", "22041", "85123A"}
    assert {row.code for row in rows if not row.is_product} == {"1505É", "2204", "22041-1", "GIFT_0001", "POST"}


def test_a_product_sums_up_its_lines(warehouse: Warehouse, tmp_path: Path) -> None:
    """Sold, returned at the return's own price, matched; guests count, and the most frequent description names it."""
    load_lines(
        warehouse,
        tmp_path,
        [
            Line("1", quantity=10, unit_price="2"), Line("2", customer_id=None, description="ROBIN "),
            Line("3", description="ROBIN"), Line("4", stock_code="85123a", unit_price="1"),
            Line("C5", quantity=-2, unit_price="1.50", invoice_date=JUNE), Line("6", "POST", "ROBIN"),
            Line("8", "m", "Manual "), Line("C8", "M", None, -1), Line("C9", "M", "Refund", -1),
            Line("C10", "M", "Refund", -1),
            Line("C7", quantity=-1, customer_id=None, invoice_date=JUNE),
        ],
    )  # fmt: skip
    build_tables(warehouse, *built_for("products", "charges", "returns"))
    robin, other = warehouse.rows("select * from products order by code")
    assert (robin.description, robin.invoices, robin.customers, robin.units_sold) == ("ROBIN", 3, 1, 12)
    assert (robin.sales, robin.returned, robin.net_sales) == (Decimal(22), Decimal(4), Decimal(18))
    assert (robin.units_returned, robin.units_returned_matched, robin.returned_matched) == (3, 2, Decimal(3))
    assert (robin.return_rate_units, robin.sales_rank, robin.abc_class) == (Decimal("0.25"), 1, "A")
    assert (other.code, other.sales_rank, other.abc_class) == ("85123A", 2, "C")
    charges = warehouse.rows("select code, description, charged from charges order by code")
    assert [values(row) for row in charges] == [("M", "Manual", Decimal(1)), ("POST", "ROBIN", Decimal(1))]
    (found,) = warehouse.rows("select match, units_matched, days_after, unmatched_reason from returns where is_product")
    assert values(found) == ("another price", 2, 89, None)


def test_a_return_on_the_day_of_the_first_sale_is_not_before_the_data(warehouse: Warehouse, tmp_path: Path) -> None:
    """The customer had bought in the morning, on an invoice that was added to in the evening."""
    day = "2011-06-01"
    load_lines(
        warehouse,
        tmp_path,
        [
            Line("0", customer_id=12, invoice_date="2011-05-01"),
            Line("1", invoice_date=f"{day} 09:00"), Line("1", invoice_date=f"{day} 18:00"),
            Line("C2", stock_code="85123A", quantity=-1, invoice_date=f"{day} 12:00"),
            Line("C3", stock_code="85123A", quantity=-1, invoice_date=f"{day} 08:00"),
        ],
    )  # fmt: skip
    build_tables(warehouse, *built_for("returns"))
    rows = warehouse.rows("select invoice_no, unmatched_reason from returns order by invoice_no")
    assert [values(row) for row in rows] == [("C2", "no such sale"), ("C3", "before the data")]


def test_what_a_customer_of_the_first_month_never_bought_was_sold_before_the_data(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    """But for charges, which are credited without a sale, and for units beyond those that were bought."""
    load_lines(
        warehouse,
        tmp_path,
        [
            Line("1", invoice_date="2011-05-01"), Line("2", customer_id=12, invoice_date="2011-06-01"),
            Line("C3", quantity=-2, invoice_date=JUNE), Line("C3", "85123A", quantity=-1, invoice_date=JUNE),
            Line("C3", "M", quantity=-1, invoice_date=JUNE), Line("4", "85123A", invoice_date="2011-06-20"),
            Line("C5", "85123A", quantity=-1, customer_id=12, invoice_date=JUNE),
        ],
    )  # fmt: skip
    build_tables(warehouse, *built_for("returns"))
    rows = warehouse.rows("select customer_id = 12 as is_later, code, unmatched_reason from returns order by 1, 2")
    assert [values(row) for row in rows] == [
        (False, "22041", "no such sale"),
        (False, "85123A", "before the data"),
        (False, "M", "no such sale"),
        (True, "85123A", "no such sale"),
    ]


def test_pairs_are_counted_by_basket(warehouse: Warehouse, tmp_path: Path) -> None:
    """Each product once a basket, from the setting's support on; charges and cancellations make no pair."""
    baskets = {"1": ["22041", "22041", "85123A"], "2": ["22041", "85123a", "POST"], "3": ["22041"], "C4": ["22041"]}
    load_lines(
        warehouse,
        tmp_path,
        [Line(no, code, quantity=-1 if no == "C4" else 1) for no, codes in baskets.items() for code in codes],
    )
    tables = ("clean_invoices", "stock_codes", "product_pairs")
    build_tables(warehouse, *tables, pair_support=2)
    (pair,) = warehouse.rows("select * from product_pairs")
    assert (pair.code, pair.other_code, pair.baskets, pair.all_baskets) == ("22041", "85123A", 2, 3)
    assert (pair.confidence, pair.confidence_back, pair.lift) == (Decimal("0.666667"), Decimal(1), Decimal(1))
    assert pair.kulczynski == Decimal("0.833333")
    build_tables(warehouse, *tables, pair_support=3)
    assert warehouse.rows("select * from product_pairs") == []


WRITTEN = {"22041": "22041", "22041 ": "22041", "85123a": "85123A", "33333": "33333", "POST": "POST"}
CODES = pd.DataFrame({"stock_code": WRITTEN.keys(), "code": WRITTEN.values()})
CODES["is_product"] = CODES["code"] != "POST"


@given(
    baskets=st.dictionaries(st.sampled_from("123456789"), st.lists(st.sampled_from(list(WRITTEN)), min_size=1)),
    unsold=st.sets(st.sampled_from("123456789")),
    support=st.integers(1, 4),
)
def test_pairs_are_those_of_every_basket(baskets: dict[str, list[str]], unsold: set[str], support: int) -> None:
    """As if each basket were written out pair by pair, whatever is repeated in it, and exact to the sixth place."""
    lines = [(no, code, no not in unsold) for no, codes in baskets.items() for code in codes]
    types = {"invoice_no": str, "stock_code": str, "is_sold": bool}
    made = bought_together(pd.DataFrame(lines, columns=list(types)).astype(types), CODES, support=support)

    sold = [{WRITTEN[code] for code in codes} - {"POST"} for no, codes in baskets.items() if no not in unsold]
    sold = [basket for basket in sold if basket]
    holding = Counter(code for basket in sold for code in basket)
    together = Counter(pair for basket in sold for pair in combinations(sorted(basket), 2))
    expected = []
    for (code, other_code), n in sorted(together.items()):
        of_code, of_other, every = holding[code], holding[other_code], len(sold)
        support_, confidence, back = Fraction(n, every), Fraction(n, of_code), Fraction(n, of_other)
        shares = [support_, confidence, back, Fraction(n * every, of_code * of_other), (confidence + back) / 2]
        places = [int(share * 10**6 + Fraction(1, 2)) for share in shares]
        if n >= support:
            expected.append([code, other_code, n, of_code, of_other, every, *places])
    measures = ["support", "confidence", "confidence_back", "lift", "kulczynski"]
    made[measures] = made[measures].map(lambda share: int(share * 10**6))
    assert made.to_numpy().tolist() == expected


def test_movers_compare_the_same_months_of_two_years(warehouse: Warehouse, tmp_path: Path) -> None:
    """Three whole months against the year before; a season without sales makes no product new, and ends none.

    The check sees what is exchanged between two of them.
    """
    months = {
        "22041": ["2010-01-31", "2010-03-31", "2011-01-31", "2011-03-31"],
        "11111": ["2010-02-28"],  # left
        "11112": ["2010-02-28", "2010-12-20"],  # left, though later
        "11113": ["2010-02-28", "2011-04-02"],  # paused
        "22222": ["2011-02-28"],  # new
        "22223": ["2010-04-15", "2011-02-28"],  # new: the year before is over when it begins
        "22224": ["2009-12-20", "2011-02-28"],  # back
        "33333": ["2011-04-02"],  # in no whole month
    }
    whole = [Line(day, "POST", invoice_date=day) for day in ("2009-12-01", "2010-01-01")]
    load_lines(
        warehouse, tmp_path,
        [*whole, *(Line(f"{code}-{day}", code, invoice_date=day) for code, days in months.items() for day in days)],
    )  # fmt: skip
    build_tables(warehouse, *built_for("product_movers"))
    rows = warehouse.rows("select code, movement, units, units_before from product_movers order by 1")
    assert [values(row) for row in rows] == [
        ("11111", "left", 0, 1), ("11112", "left", 0, 1), ("11113", "paused", 0, 1), ("22041", "level", 2, 2),
        ("22222", "new", 1, 0), ("22223", "new", 1, 0), ("22224", "back", 1, 0),
    ]  # fmt: skip
    (span,) = warehouse.rows("select distinct first_month::text, last_month::text from product_movers")
    assert values(span) == ("2011-01-01", "2011-03-01")
    (check,) = (check for check in CHECKS if check.table == "product_movers")
    assert evaluate(check, PostgresTables(warehouse)).passed
    with warehouse.transaction() as connection:  # the same units together
        connection.exec_driver_sql("update product_movers set units = 3 - units where code in ('22041', '22222')")
    assert not evaluate(check, PostgresTables(warehouse)).passed
