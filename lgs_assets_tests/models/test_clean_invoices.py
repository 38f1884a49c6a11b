"""Which lines count, and as what."""

import random
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import read_frame
from lgs_assets_tests.builders import Line, build_tables, load_lines, values

OLD = [Line("1", invoice_date="2011-01-05 10:00"), Line("2", invoice_date="2011-01-31 10:00", quantity=7)]
# Sent again in February with the second invoice corrected and shortened.
NEW = [Line("2", invoice_date="2011-01-31 10:00", quantity=5), Line("3", invoice_date="2011-02-20 10:00")]
# An extract of old invoices, from before the others were written.
PART = [Line("1", invoice_date="2011-01-05 10:00", quantity=99)]
WRITTEN = {"part.sql": "2011-01-06", "old.sql": "2011-02-01", "new.sql": "2011-03-01"}


@pytest.mark.parametrize("order", list(permutations(["old.sql", "new.sql", "part.sql"])))
def test_the_newest_dump_of_an_invoice_wins_in_any_order_of_arrival(
    warehouse: Warehouse, tmp_path: Path, order: tuple[str, ...]
) -> None:
    """The newest dump is the one written last, not the one that came last; it provides the whole invoice."""
    contents = {"old.sql": [*OLD, Line("2", invoice_date="2011-01-31 10:00")], "new.sql": NEW, "part.sql": PART}
    for name in order:
        load_lines(warehouse, tmp_path, contents[name], name=name, written_at=WRITTEN[name])
    build_tables(warehouse, "clean_invoices")
    lines = warehouse.rows("select invoice_no, quantity, dump from clean_invoices order by 1, 2")
    assert [values(line) for line in lines] == [("1", 1, "old.sql"), ("2", 5, "new.sql"), ("3", 1, "new.sql")]


def test_a_corrected_export_wins_without_the_line_that_was_mistaken(warehouse: Warehouse, tmp_path: Path) -> None:
    """Although the export before it ended later: with a mistaken line, dated after everything ever sold."""
    mistaken = Line("2", invoice_date="2011-12-31 10:00")
    load_lines(warehouse, tmp_path, [Line("1"), mistaken], name="b.sql", written_at="2012-01-01")
    load_lines(warehouse, tmp_path, [Line("1", quantity=5)], name="a.sql", written_at="2012-01-02")
    build_tables(warehouse, "clean_invoices")
    rows = warehouse.rows("select invoice_no, quantity from clean_invoices order by 1")
    assert [values(row) for row in rows] == [("1", 5), ("2", 1)]


def test_dumps_written_together_are_ranked_by_their_last_invoice(warehouse: Warehouse, tmp_path: Path) -> None:
    """As an archive unpacks them, in any order of arrival."""
    later = [Line(quantity=2), Line("2", invoice_date="2011-03-05 10:00")]
    for name, lines in (("b.sql", later), ("a.sql", [Line(quantity=1)])):
        load_lines(warehouse, tmp_path, lines, name=name, written_at="2012-01-01")
    build_tables(warehouse, "clean_invoices")
    rows = warehouse.rows("select quantity from clean_invoices where invoice_no = :number", number=Line().invoice_no)
    assert [row.quantity for row in rows] == [2]


@pytest.mark.parametrize("written", [None, "1980-01-01", "2011-03-04 09:59", "2999-01-01"])
def test_dumps_without_a_credible_time_are_ranked_by_arrival(
    warehouse: Warehouse, tmp_path: Path, written: str | None
) -> None:
    """A file is not older than its invoices, nor from the future. Loading the first again changes nothing."""
    for name, quantity in (("b.sql", 1), ("a.sql", 2), ("b.sql", 1)):
        load_lines(warehouse, tmp_path, [Line(quantity=quantity)], name=name, written_at=written)
    build_tables(warehouse, "clean_invoices")
    assert [row.quantity for row in warehouse.rows("select quantity from clean_invoices")] == [2]


def test_a_copy_does_not_make_a_dump_newer(warehouse: Warehouse, tmp_path: Path) -> None:
    """Nor under another name: what counts is the oldest time at which its content was there."""
    arrivals = [("b.sql", 1, "2012-01-03"), ("a.sql", 2, "2012-01-02"), ("copy.sql", 1, "2012-01-01")]
    for name, quantity, written in [*arrivals, arrivals[0]]:
        load_lines(warehouse, tmp_path, [Line(quantity=quantity)], name=name, written_at=written)
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


@pytest.mark.parametrize(
    ("lines", "second"),
    [
        pytest.param("ABAB", "0011", id="one sheet after another"),
        pytest.param("AABB", "0101", id="line by line"),
        pytest.param("AABAAB", "000111", id="with a line that the invoice itself has twice"),
        pytest.param("AAAA", "0011", id="nothing but copies of one line"),
        pytest.param("AB", "00", id="once"),
        pytest.param("ABA", "000", id="a repeated line does not double the invoice"),
        pytest.param("ABABAB", "000000", id="three times"),
    ],
)
def test_second_copies_are_those_of_whole_invoices(
    warehouse: Warehouse, tmp_path: Path, lines: str, second: str
) -> None:
    """The second half of the copies of each line, where all lines of the invoice occur an even number of times."""
    load_lines(warehouse, tmp_path, [Line("1", description=None if code == "B" else code) for code in lines])
    build_tables(warehouse, "clean_invoices")
    marked = read_frame(warehouse, "clean_invoices").is_second_copy
    assert "".join(str(int(is_second_copy)) for is_second_copy in marked) == second
    build_tables(warehouse, "clean_invoices", doubled_invoices="once")
    assert len(read_frame(warehouse, "clean_invoices")) == second.count("0")


def test_an_invoice_in_two_dumps_is_not_doubled(warehouse: Warehouse, tmp_path: Path) -> None:
    """Its lines count from one of them; the copies in the other are nobody's second."""
    for name in ("a.sql", "b.sql"):
        load_lines(warehouse, tmp_path, [Line()], name=name)
    build_tables(warehouse, "clean_invoices")
    assert read_frame(warehouse, "clean_invoices").is_second_copy.tolist() == [False]


invoices = st.lists(
    st.builds(
        Line,
        invoice_no=st.sampled_from(["1", "2", "C3"]),
        stock_code=st.sampled_from(["A", "B"]),
        quantity=st.sampled_from([1, -2]),
        customer_id=st.sampled_from([1, None]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=invoices, again=st.randoms(use_true_random=False))
def test_counted_once_a_dump_held_twice_is_the_dump(
    warehouse: Warehouse, tmp_path: Path, lines: list[Line], again: random.Random
) -> None:
    """Whatever its invoices hold, and in whatever order their lines come: the same sales, orders and totals."""
    odd = [Line("1", "ODD"), Line("2", "ODD"), Line("C3", "ODD", quantity=-1)]  # none is doubled by itself
    once = [*lines, *odd]
    tables = ("clean_invoices", "invoice_totals", "monthly_metrics")
    load_lines(warehouse, tmp_path, once)
    build_tables(warehouse, *tables)
    (single,) = warehouse.rows("select * from monthly_metrics")
    load_lines(warehouse, tmp_path, again.sample(once * 2, 2 * len(once)))
    build_tables(warehouse, *tables)
    (twice,) = warehouse.rows("select * from monthly_metrics")
    assert (twice.sales, twice.sales_once, twice.doubled_orders) == (2 * single.sales, single.sales, 3)
    build_tables(warehouse, *tables, doubled_invoices="once")
    (counted_once,) = warehouse.rows("select * from monthly_metrics")
    assert values(counted_once) == values(single)
