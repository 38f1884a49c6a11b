"""Which lines count, and as what."""

from itertools import permutations
from pathlib import Path

import pytest

from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import read_frame
from lgs_assets_tests.builders import Line, build_tables, load_lines, values

OLD = [Line("1", invoice_date="2011-01-05 10:00"), Line("2", invoice_date="2011-01-31 10:00", quantity=7)]
# Sent again in February with the second invoice corrected and shortened.
NEW = [Line("2", invoice_date="2011-01-31 10:00", quantity=5), Line("3", invoice_date="2011-02-20 10:00")]
# An extract of old invoices that arrives at any time: it ends before the others.
PART = [Line("1", invoice_date="2011-01-05 10:00", quantity=99)]


@pytest.mark.parametrize("order", list(permutations(["old.sql", "new.sql", "part.sql"])))
def test_the_newest_dump_of_an_invoice_wins_in_any_order_of_arrival(
    warehouse: Warehouse, tmp_path: Path, order: tuple[str, ...]
) -> None:
    """Newest is the dump that ends last, not the one that came last; the invoice is taken from it as a whole."""
    contents = {"old.sql": [*OLD, Line("2", quantity=1)], "new.sql": NEW, "part.sql": PART}
    for name in order:
        load_lines(warehouse, tmp_path, contents[name], name=name)
    build_tables(warehouse, "clean_invoices")
    lines = warehouse.rows("select invoice_no, quantity, dump from clean_invoices order by 1, 2")
    # old.sql ends in March (its second line of invoice 2), so it is the newest of the three.
    assert [values(line) for line in lines] == [
        ("1", 1, "old.sql"),
        ("2", 1, "old.sql"),
        ("2", 7, "old.sql"),
        ("3", 1, "new.sql"),
    ]


def test_dumps_that_end_together_are_ranked_by_arrival(warehouse: Warehouse, tmp_path: Path) -> None:
    """Of two dumps with the same last invoice, the later arrival counts; loading the first again changes nothing."""
    for name, quantity in (("b.sql", 1), ("a.sql", 2), ("b.sql", 1)):
        load_lines(warehouse, tmp_path, [Line(quantity=quantity)], name=name)
    build_tables(warehouse, "clean_invoices")
    assert [row.quantity for row in warehouse.rows("select quantity from clean_invoices")] == [2]


def test_lines_are_classified(warehouse: Warehouse, tmp_path: Path) -> None:
    """Each class by its rule in the definitions, with the money exact."""
    load_lines(
        warehouse,
        tmp_path,
        [
            Line("1", quantity=3, unit_price="0.335", customer_id="17001.0"),
            Line("C2", quantity=-1, unit_price="10.1"),
            Line("A3", unit_price="-11062.06", customer_id=None),
            Line("4", quantity=-5, description=None, unit_price="0", customer_id=None),
        ],
    )
    build_tables(warehouse, "clean_invoices")
    rows = warehouse.rows(
        "select invoice_no, line_total::text, customer_id, is_cancellation, is_sale "
        "from clean_invoices order by line_number"
    )
    assert [values(row) for row in rows] == [
        ("1", "1.005", 17001, False, True),
        ("C2", "-10.1", 17001, True, False),
        ("A3", "-11062.06", None, False, False),
        ("4", "0", None, False, False),
    ]


def test_repeats_are_marked_and_dropped_on_request(warehouse: Warehouse, tmp_path: Path) -> None:
    """A line is a repeat if it is the same in every column, NULLs included, within its dump; the first one stays."""
    load_lines(
        warehouse,
        tmp_path,
        [Line(), Line(), Line(description=None), Line(description=None), Line(quantity=2), Line()],
    )
    build_tables(warehouse, "clean_invoices")
    assert read_frame(warehouse, "clean_invoices").is_repeat.tolist() == [False, True, False, True, False, True]
    build_tables(warehouse, "clean_invoices", drop_repeats=True)
    assert read_frame(warehouse, "clean_invoices").line_number.tolist() == [2, 4, 6]
