"""The demo dump has the anatomy of the UCI data: every oddity, the seasons, and a customer base of ten segments."""

import gzip
import re
import stat
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lgs_assets.demo import DEMO_DUMP
from lgs_assets.demo.dump import write_demo_dump
from lgs_assets.demo.season import FIRST_MINUTE, LAST_MINUTE
from lgs_assets.errors import LgsError
from lgs_assets.sources import CANONICAL_COLUMNS, Batch, open_dump

DEFAULT_LINES = 100_000
LINE_COUNTS = [1_000, 4_321, 20_000, 250_000]
SNAPSHOT = pd.Timestamp("2012-01-01")
INVENTED_BY = "made by the lgs demo generator"
# Segment by R (rows, 1 to 5) and F (columns, 1 to 5).
SEGMENT_GRID = (
    ("Hibernating", "Hibernating", "At Risk", "At Risk", "Can't Lose"),
    ("Hibernating", "Hibernating", "At Risk", "At Risk", "Can't Lose"),
    ("About to Sleep", "About to Sleep", "Need Attention", "Loyal Customers", "Loyal Customers"),
    ("Promising", "Potential Loyalists", "Potential Loyalists", "Loyal Customers", "Loyal Customers"),
    ("New Customers", "Potential Loyalists", "Potential Loyalists", "Champions", "Champions"),
)
SEGMENTS = {segment for row in SEGMENT_GRID for segment in row}


def script_of(path: Path) -> str:
    packed = path.read_bytes()
    return (gzip.decompress(packed) if path.suffix == ".gz" else packed).decode()


def rows_of(script: str) -> list[str]:
    head, _, rest = script.partition("FROM stdin;\n")
    rows, end, tail = rest.partition("\\.\n")
    assert head
    assert end
    assert not tail
    return rows.splitlines()


def unescaped(field: str) -> str | None:
    return None if field == "\\N" else field.replace("\\\\", "\\")


def lines_of(path: Path) -> pd.DataFrame:
    """The lines of a dump as text, with what the tests count by: amounts in pounds and kinds of lines."""
    fields = [[unescaped(field) for field in row.split("\t")] for row in rows_of(script_of(path))]
    lines = pd.DataFrame(fields, columns=list(CANONICAL_COLUMNS), dtype=object)
    return lines.assign(
        quantity=lines.quantity.astype(int),
        price=lines.unit_price.astype(float),
        invoice_date=pd.to_datetime(lines.invoice_date),
        customer=lines.customer_id.astype(float),
        is_cancellation=lines.invoice_no.str.startswith("C"),
    ).assign(amount=lambda all_lines: all_lines.quantity * all_lines.price)


def sales_of(lines: pd.DataFrame) -> pd.DataFrame:
    """The base of RFM, as the definitions have it."""
    return lines[(lines.quantity > 0) & (lines.amount > 0) & lines.customer.notna() & lines.description.notna()]


def segments_of(lines: pd.DataFrame) -> pd.Series:
    """How many customers each segment has, by pandas.qcut."""
    customers = (
        sales_of(lines).groupby("customer").agg(last=("invoice_date", "max"), frequency=("invoice_no", "nunique"))
    )
    recency = (SNAPSHOT - customers["last"]).dt.days
    r = 5 - pd.qcut(recency, 5, labels=False)
    f = 1 + pd.qcut(customers.frequency.rank(method="first"), 5, labels=False)
    return pd.Series([SEGMENT_GRID[row - 1][column - 1] for row, column in zip(r, f, strict=True)]).value_counts()


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / DEMO_DUMP
    write_demo_dump(path)
    return path


@pytest.fixture(scope="module")
def lines(dump: Path) -> pd.DataFrame:
    return lines_of(dump)


def test_same_lines_and_seed_give_the_same_bytes(dump: Path, tmp_path: Path) -> None:
    """Under another name, in another folder, at another time: neither name nor clock is in the file."""
    again = tmp_path / "another.gz"
    write_demo_dump(again)
    assert again.read_bytes() == dump.read_bytes()


def test_another_seed_gives_another_dump(tmp_path: Path) -> None:
    """The seed decides every draw, and the default seed is one of many."""
    write_demo_dump(tmp_path / "one.sql", lines=1_000, seed=1)
    write_demo_dump(tmp_path / "two.sql", lines=1_000, seed=2)
    assert (tmp_path / "one.sql").read_bytes() != (tmp_path / "two.sql").read_bytes()


@pytest.mark.parametrize("count", LINE_COUNTS)
def test_it_has_exactly_the_lines_asked_for(count: int, tmp_path: Path) -> None:
    """The summary says what the file holds, at any size."""
    path = tmp_path / "sized.sql"
    summary = write_demo_dump(path, lines=count)
    rows = [row.split("\t") for row in rows_of(script_of(path))]
    assert summary.lines == len(rows) == count
    assert summary.customers == len({row[6].removesuffix(".0") for row in rows} - {"\\N"})
    assert [np.datetime64(rows[end][4]) for end in (0, -1)] == [FIRST_MINUTE, LAST_MINUTE]


def test_the_default_is_a_hundred_thousand_lines(lines: pd.DataFrame) -> None:
    """Large enough for every segment, small enough for a first try."""
    assert len(lines) == DEFAULT_LINES


@pytest.mark.parametrize("count", [0, 999, 5_000_001])
def test_a_count_out_of_range_is_refused(count: int, tmp_path: Path) -> None:
    """The error names the range and the number asked for, and no file is created."""
    with pytest.raises(LgsError, match=rf"1,000 to 5,000,000 lines, not {count:,}"):
        write_demo_dump(tmp_path / DEMO_DUMP, lines=count)
    assert not list(tmp_path.iterdir())


def test_it_says_that_it_is_synthetic(dump: Path) -> None:
    """Nobody can take it for real data: its first line says what it is."""
    first_line = script_of(dump).splitlines()[0]
    assert first_line.startswith("-- Synthetic data")
    assert INVENTED_BY in first_line


def test_it_is_a_script_as_pg_dump_writes_it(dump: Path) -> None:
    """Settings, the table, then one COPY block."""
    head = script_of(dump).partition("FROM stdin;")[0]
    statements = [" ".join(part.split()) for part in re.sub("--.*", "", head).split(";")]
    assert statements == [
        "SET client_encoding = 'UTF8'",
        "SET standard_conforming_strings = on",
        "CREATE TABLE public.retail ( invoice_no text, stock_code text, description text, quantity integer, "
        "invoice_date timestamp without time zone, unit_price real, customer_id real, country text )",
        f"COPY public.retail ({', '.join(CANONICAL_COLUMNS)})",
    ]


def test_the_platform_reads_it(dump: Path) -> None:
    """The parser of dumps finds every line of it."""
    with open_dump(dump) as opened:
        assert sum(piece.lines for piece in opened.pieces if isinstance(piece, Batch)) == DEFAULT_LINES


def test_without_gz_in_the_name_it_is_plain_text(tmp_path: Path) -> None:
    """The same script, packed or not."""
    write_demo_dump(tmp_path / "plain.sql", lines=1_000)
    write_demo_dump(tmp_path / "packed.sql.gz", lines=1_000)
    assert (tmp_path / "plain.sql").read_text() == script_of(tmp_path / "packed.sql.gz")


def test_it_makes_the_folder_and_leaves_nothing_else_in_it(tmp_path: Path) -> None:
    """Only the dump is there at the end, and others may read it as any file of the user."""
    path = tmp_path / "new" / "folder" / DEMO_DUMP
    write_demo_dump(path, lines=1_000)
    (tmp_path / "usual").touch()
    assert list(path.parent.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "usual").stat().st_mode)


def test_a_failed_write_leaves_the_old_dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers of the file see the old dump or the new one, never a part."""
    path = tmp_path / DEMO_DUMP
    path.write_bytes(b"old")

    def broken_script(*_: object, **__: object) -> list[bytes]:
        raise OSError("no space left")

    monkeypatch.setattr("lgs_assets.demo.dump.script", broken_script)
    with pytest.raises(OSError, match="no space left"):
        write_demo_dump(path, lines=1_000)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


def test_it_spans_the_time_of_the_real_data(lines: pd.DataFrame) -> None:
    """Twenty-five months, the last of them partial."""
    assert lines.invoice_date.iloc[0] == pd.Timestamp("2009-12-01 07:45")
    assert lines.invoice_date.iloc[-1] == pd.Timestamp("2011-12-09 12:50")
    assert lines.invoice_date.dt.to_period("M").nunique() == 25


@pytest.mark.parametrize("count", [1_000, DEFAULT_LINES])
def test_lines_are_in_the_order_of_date_and_invoice(count: int, tmp_path: Path) -> None:
    """As in the real dump; all lines of an invoice share their minute, customer and country."""
    write_demo_dump(tmp_path / "ordered.sql", lines=count)
    lines = lines_of(tmp_path / "ordered.sql")
    keys = list(zip(lines.invoice_date, lines.invoice_no, strict=True))
    assert keys == sorted(keys)
    shared = lines.groupby("invoice_no")[["invoice_date", "customer_id", "country"]].nunique(dropna=False)
    assert (shared == 1).all(axis=None)


def test_saturdays_are_quiet_and_the_shop_has_closing_days(lines: pd.DataFrame) -> None:
    """Hardly a Saturday, short Sundays, nothing between Christmas and New Year, nothing at night."""
    day = lines.groupby("invoice_no").invoice_date.first()
    share = day.dt.day_of_week.value_counts(normalize=True)
    assert share.get(5, 0) < 0.005
    assert 0.06 < share[6] < 0.14
    assert share[[0, 1, 2, 3, 4]].min() > 0.12
    assert not ((day.dt.month == 12) & (day.dt.day >= 24)).any()
    assert day.dt.hour.between(7, 20).all()


def test_autumn_is_the_season(lines: pd.DataFrame) -> None:
    """November of each year brings twice the invoices of its first half's months, October more than August."""
    invoices = lines.groupby("invoice_no").invoice_date.first().dt.to_period("M").value_counts()
    for year in (2010, 2011):
        spring = np.mean([invoices[pd.Period(f"{year}-{month:02}")] for month in range(1, 7)])
        assert invoices[pd.Period(f"{year}-11")] > 1.8 * spring
        assert invoices[pd.Period(f"{year}-10")] > 1.2 * invoices[pd.Period(f"{year}-08")]


def test_revenue_is_flat(lines: pd.DataFrame) -> None:
    """The story of the demo: eleven months of 2011 bring what those of 2010 brought, within 5 %."""
    both = lines[lines.invoice_date.dt.month <= 11].groupby(lines.invoice_date.dt.year).amount.sum()
    assert both[2011] == pytest.approx(both[2010], rel=0.05)
    assert (lines.groupby(lines.invoice_date.dt.to_period("M")).amount.sum() > 0).all()


def test_all_ten_segments_have_customers(lines: pd.DataFrame) -> None:
    """At the default size at least five customers each, and none holds more than a third."""
    sizes = segments_of(lines)
    assert set(sizes.index) == SEGMENTS
    assert sizes.min() >= 5
    assert sizes.max() / sizes.sum() < 1 / 3


@pytest.mark.parametrize("seed", range(4))
def test_a_small_dump_has_all_ten_segments_too(seed: int, tmp_path: Path) -> None:
    """From 20,000 lines upward, whatever the seed."""
    write_demo_dump(tmp_path / "small.sql", lines=20_000, seed=seed)
    assert set(segments_of(lines_of(tmp_path / "small.sql")).index) == SEGMENTS


def test_there_are_wholesalers_regulars_and_one_time_buyers(lines: pd.DataFrame) -> None:
    """Few order often and in large quantities; a quarter or more order once."""
    customers = sales_of(lines).groupby("customer").agg(orders=("invoice_no", "nunique"), quantity=("quantity", "mean"))
    wholesale = customers[(customers.orders >= 25) & (customers.quantity > 2 * customers.quantity.median())]
    assert 5 <= len(wholesale) < 0.05 * len(customers)
    assert customers.orders.between(4, 20).mean() > 0.3
    assert 0.2 < (customers.orders == 1).mean() < 0.45


def test_every_cancellation_takes_back_part_of_an_earlier_sale(lines: pd.DataFrame) -> None:
    """Same customer, stock code and price, an earlier time, and no more than was sold."""
    cancelled = lines[lines.is_cancellation & (lines.quantity < 0)]
    assert 0.015 < len(cancelled) / len(lines) < 0.021
    keys = ["customer", "stock_code", "unit_price"]
    sold = sales_of(lines)[[*keys, "invoice_date", "quantity"]]
    pairs = cancelled.reset_index().merge(sold, on=keys, suffixes=("", "_sold"))
    fitting = pairs[(pairs.invoice_date_sold < pairs.invoice_date) & (pairs.quantity_sold >= -pairs.quantity)]
    assert set(fitting["index"]) == set(cancelled.index)


def test_one_cancellation_has_a_positive_quantity(lines: pd.DataFrame) -> None:
    """Exactly one, made by hand, without a customer."""
    odd = lines[lines.is_cancellation & (lines.quantity > 0)]
    assert odd[["stock_code", "customer_id"]].to_numpy().tolist() == [["M", None]]


def test_guest_lines_have_no_customer(lines: pd.DataFrame) -> None:
    """A fifth of the lines and a bit more; most of them are sales."""
    guests = lines[lines.customer_id.isna()]
    assert 0.20 < len(guests) / len(lines) < 0.23
    assert (guests.amount > 0).mean() > 0.9


def test_stock_adjustments_have_neither_description_nor_price(lines: pd.DataFrame) -> None:
    """Without a description: price 0, a negative quantity, no customer, no cancellation."""
    undescribed = lines[lines.description.isna()]
    assert 0.002 < len(undescribed) / len(lines) < 0.01
    assert (undescribed.unit_price == "0").all()
    assert (undescribed.quantity < 0).all()
    assert undescribed.customer_id.isna().all()
    assert not undescribed.is_cancellation.any()


def test_prices_of_zero_have_three_reasons(lines: pd.DataFrame) -> None:
    """Adjustments without a description, adjustments with a note, and gifts to customers."""
    free = lines[lines.price == 0]
    assert (free.description.isna()).sum() > 100
    assert (free.description.notna() & (free.quantity < 0) & free.customer_id.isna()).sum() > 50
    assert (free.customer_id.notna() & (free.quantity > 0)).sum() > 5


def test_bad_debts_have_negative_prices(lines: pd.DataFrame) -> None:
    """Six invoices A…, of one line each and without a customer; the last debt is put back."""
    debts = lines[lines.invoice_no.str.startswith("A")]
    assert debts.invoice_no.nunique() == len(debts) == 6
    assert (debts.price < 0).tolist() == [True] * 5 + [False]
    assert debts.amount.iloc[-1] == -debts.amount.iloc[-2]
    assert debts.customer_id.isna().all()
    assert (lines.price < 0).sum() == 5


def test_some_lines_repeat_another_of_their_invoice(lines: pd.DataFrame) -> None:
    """One to three in a hundred are exact repeats."""
    assert 0.01 < lines.duplicated(list(CANONICAL_COLUMNS)).mean() < 0.03


def test_there_are_codes_that_are_no_product(lines: pd.DataFrame) -> None:
    """Postage, entries by hand, discounts and bad debts; all other codes are five digits and perhaps a letter."""
    is_product = lines.stock_code.str.fullmatch(r"\d{5}[A-Z]?")
    assert set(lines.stock_code[~is_product]) == {"POST", "M", "D", "B"}
    assert (lines.stock_code[~is_product].value_counts() >= 5).all()


@pytest.mark.parametrize(
    "oddity", [r"^ ", r" $", r"\S  \S", r'"', "£", ",", r"\\"], ids=["leading", "trailing", "double", *'"£,\\']
)
def test_descriptions_are_as_odd_as_the_real_ones(lines: pd.DataFrame, oddity: str) -> None:
    """Blanks where none belong, and each character that a careless reader of files trips over."""
    assert lines.description.str.contains(oddity, regex=True, na=False).sum() > 100


def test_a_stock_code_has_one_name(lines: pd.DataFrame) -> None:
    """But for the notes of the stock room, in small letters."""
    listed = lines[lines.description.notna() & (lines.quantity > 0)]
    assert listed.groupby("stock_code").description.nunique().eq(1).all()
    assert listed.stock_code.nunique() > 1_500


def test_prices_are_exact_decimals(lines: pd.DataFrame) -> None:
    """Up to three decimals, no exponent, no trace of a float; some prices need all three."""
    texts = lines.unit_price.drop_duplicates()
    assert texts.str.fullmatch(r"-?(0|[1-9]\d*)(\.\d{0,2}[1-9])?").all()
    assert (texts.map(Decimal) * 100 % 1 != 0).any()


def test_customer_ids_are_written_in_two_ways(lines: pd.DataFrame) -> None:
    """As an integer or as one with `.0` behind; none of them is a customer of the real data (12346 to 18287)."""
    ids = lines.customer_id.dropna()
    assert ids.str.fullmatch(r"2\d{4}(\.0)?").all()
    assert 0.05 < ids.str.endswith(".0").mean() < 0.5


def test_no_invoice_can_be_taken_for_a_real_one(lines: pd.DataFrame) -> None:
    """The real ones end with 581587, so that the demo never takes the place of an invoice when both are loaded."""
    assert lines.invoice_no.str.removeprefix("C").str.removeprefix("A").astype(int).min() > 581_587


def test_most_customers_are_at_home(lines: pd.DataFrame) -> None:
    """Nine in ten lines are from the United Kingdom; a customer has one country."""
    assert 0.88 < (lines.country == "United Kingdom").mean() < 0.96
    assert lines.country.nunique() >= 8
    assert lines.dropna(subset="customer").groupby("customer").country.nunique().eq(1).all()
