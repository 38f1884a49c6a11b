"""DataFrames in and out: types, NULLs and odd values."""

import math
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lgs_assets import places
from lgs_assets.errors import ContractError
from lgs_assets.warehouse import frames
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import publish_frame, read_frame, read_rows
from lgs_assets.warehouse.schema import Cursor
from lgs_assets_tests.builders import UNVERSIONED, build_tables

# PostgreSQL's text cannot hold NUL, and UTF-8 no lone surrogates.
text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


@pytest.fixture(autouse=True)
def _own_contracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The contracts are a copy, to which a test adds its own."""
    shutil.copytree(places.SQL, tmp_path / "sql")
    monkeypatch.setattr(places, "SQL", tmp_path / "sql")


def make_table(warehouse: Warehouse, columns: str, *values: str) -> None:
    contract = f"create table sample ({columns})"
    (places.SQL / "tables" / "sample.sql").write_text(contract)
    with warehouse.transaction() as connection:
        connection.execute(sa.text(contract.replace("sample", "lgs.sample", 1)))
        for row in values:
            connection.execute(sa.text(f"insert into sample values ({row})"))


def test_types_and_nulls(warehouse: Warehouse) -> None:
    """Integers stay integers with a gap among them, dates are dates, money can be computed with."""
    make_table(
        warehouse,
        "id integer primary key, n integer, money numeric, day date, at timestamp, t text, b boolean, x bytea",
        "1, 7, 19287250.568, '2011-12-01', '2011-12-09 12:50:00.25', 'a', true, '\\x00ff'",
        "2, null, null, null, null, null, null, null",
        "3, 8, -0.10, '0001-01-01', '2011-12-09', '', false, ''",
    )
    frame = read_frame(warehouse, "sample")
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "id": "int64", "n": "Int64", "money": "float64", "day": "datetime64[us]", "at": "datetime64[us]", "t": "str",
        "b": "boolean", "x": "object",
    }  # fmt: skip
    assert frame.n.tolist() == [7, pd.NA, 8]
    assert frame.money.tolist()[0] == 19287250.568
    assert frame.day.dt.date.tolist()[0] == date(2011, 12, 1)
    assert frame["at"].tolist()[0] == datetime(2011, 12, 9, 12, 50, 0, 250000)
    assert frame.t.tolist()[2] == ""
    assert pd.isna(frame.t.tolist()[1])
    assert frame.x.tolist() == [b"\x00\xff", None, b""]


def test_an_empty_table_has_its_types(warehouse: Warehouse) -> None:
    """Without rows, the types are the same."""
    make_table(warehouse, "id bigint primary key, day date, money numeric, t text, x bytea")
    assert [str(kind) for kind in read_frame(warehouse, "sample").dtypes] == [
        "int64", "datetime64[us]", "float64", "str", "object",
    ]  # fmt: skip


def test_numbers_and_moments_are_exact(warehouse: Warehouse) -> None:
    """The nearest double, whole numbers beyond those of a double beside a gap, microseconds, and moments in UTC."""
    make_table(
        warehouse,
        "id integer primary key, n bigint, money numeric, d double precision, at timestamp, moment timestamptz",
        "1, 9007199254740993, 0.1000000000000000055511151231257827, 5e-324, '9999-12-31 23:59:59.999999', null",
        "2, null, 'Infinity', '-Infinity', '1969-12-31 23:59:59.999999', '2011-12-09 12:50:00.000001+02'",
        "3, 0, 'NaN', 2.2250738585072011e-308, null, null",
    )
    frame = read_frame(warehouse, "sample")
    assert frame.n.tolist() == [9007199254740993, pd.NA, 0]
    assert frame.money.tolist()[:2] == [0.1, math.inf] and math.isnan(frame.money[2])
    assert frame.d.tolist() == [5e-324, -math.inf, 2.2250738585072011e-308]
    assert frame["at"].tolist()[:2] == [
        datetime(9999, 12, 31, 23, 59, 59, 999999),
        datetime(1969, 12, 31, 23, 59, 59, 999999),
    ]
    assert frame.moment.tolist()[1] == datetime(2011, 12, 9, 10, 50, 0, 1, tzinfo=UTC)


def test_a_column_of_odd_texts_keeps_all_its_rows(warehouse: Warehouse) -> None:
    """An empty text, line breaks of each kind, what looks like a NULL or like the end of a COPY: each is one row."""
    make_table(
        warehouse,
        "id integer primary key, t text",
        r"1, ''", r"2, null", r"3, '\N'", r"4, '\.'", r"5, E'a\rb\r\nc\nd\r'", r"6, E'\n'", r"""7, '"'""", r"8, ''",
    )  # fmt: skip
    texts = read_frame(warehouse, "sample", ["t"]).t.tolist()
    assert [None if pd.isna(value) else value for value in texts] == [
        "", None, "\\N", "\\.", "a\rb\r\nc\nd\r", "\n", '"', "",
    ]  # fmt: skip


def test_more_lines_than_are_read_at_a_time(warehouse: Warehouse) -> None:
    """Every row arrives once, in order, and can be changed."""
    make_table(warehouse, "id integer primary key, t text")
    with warehouse.transaction() as connection:
        connection.execute(sa.text("insert into sample select n, 'text ' || n from generate_series(1, 25000) as n"))
    frame = read_frame(warehouse, "sample")
    assert frame.id.tolist() == list(range(1, 25001))
    assert frame.t.tolist()[::5000] == [f"text {n}" for n in range(1, 25001, 5000)]
    frame.loc[0, "id"] = 0
    assert frame.id.sum() == sum(range(2, 25001))


def test_named_columns_in_order_of_the_key(warehouse: Warehouse) -> None:
    """Only what is asked for travels, in the order of the primary key whatever the order of the rows."""
    make_table(warehouse, "id integer primary key, t text", "3, 'c'", "1, 'a'", "2, 'b'")
    assert read_frame(warehouse, "sample", ["t"]).to_dict("list") == {"t": ["a", "b", "c"]}
    assert read_frame(warehouse, "sample", limit=1).values.tolist() == [[1, "a"]]


def test_errors_name_what_is_not_there(warehouse: Warehouse) -> None:
    """The error for a missing table or column says what to do, or what there is."""
    with pytest.raises(ContractError, match="no table nothing yet: materialize the asset nothing"):
        read_frame(warehouse, "nothing")
    make_table(warehouse, "id integer primary key")
    with pytest.raises(ContractError, match="sample has no column colour; it has id"):
        read_frame(warehouse, "sample", ["colour"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(text.filter(bool), text.filter(bool), st.binary(max_size=8), text), max_size=8))
def test_what_is_written_comes_back(warehouse: Warehouse, rows: list[tuple[str, str, bytes, str]]) -> None:
    """Any text, the empty one and one that looks like a NULL among them, and any bytes."""
    frame = pd.DataFrame(
        [(f"n{i}", i + 1, title, png, svg) for i, (title, _, png, svg) in enumerate(rows)],
        columns=["name", "position", "title", "png", "svg"],
    )
    publish_frame(warehouse, "charts", frame, UNVERSIONED)
    back = read_frame(warehouse, "charts").sort_values("position")
    assert back.values.tolist() == frame.values.tolist()


def test_tables_are_read_as_they_are_at_one_moment(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one is read for another engine, nobody can change or replace the other; plain readers go on."""
    build_tables(warehouse, "clean_invoices", "stock_codes")
    reads = {"clean_invoices": {"invoice_no"}, "stock_codes": {"code"}}
    copied, refused = frames._copied, []

    def while_others_write(cursor: Cursor, *arguments: Any) -> pa.Table:
        for table in reads:
            with psycopg.connect(warehouse.engine.url.set(drivername="postgresql").render_as_string(False)) as other:
                other.execute(f"select count(*) from lgs.{table}")
                try:
                    other.execute(f"lock table lgs.{table} in exclusive mode nowait")
                except psycopg.errors.LockNotAvailable:
                    refused.append(table)
        return copied(cursor, *arguments)

    monkeypatch.setattr(frames, "_copied", while_others_write)
    assert {name: rows.column_names for name, rows in read_rows(warehouse, reads).items()} == {
        "clean_invoices": ["invoice_no"],
        "stock_codes": ["code"],
    }
    assert refused == [*reads, *reads]


def test_a_table_that_is_only_counted_comes_with_its_key(warehouse: Warehouse) -> None:
    """`exists (select 1 from …)` reads no column, and another engine takes no table without one."""
    warehouse.prepare()
    assert read_rows(warehouse, {"unit_costs": []})["unit_costs"].column_names == ["code", "valid_from"]
