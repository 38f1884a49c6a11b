"""DataFrames in and out: types, NULLs and odd values."""

from datetime import date, datetime

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lgs_assets.errors import ContractError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import publish_frame, read_frame
from lgs_assets_tests.builders import UNVERSIONED

# PostgreSQL's text cannot hold NUL, and UTF-8 no lone surrogates.
text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


def make_table(warehouse: Warehouse, columns: str, *values: str) -> None:
    with warehouse.transaction() as connection:
        connection.execute(sa.text(f"create table lgs.sample ({columns})"))
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
    """No rows are no reason for other types."""
    make_table(warehouse, "id bigint primary key, day date, money numeric")
    assert [str(kind) for kind in read_frame(warehouse, "sample").dtypes] == ["int64", "datetime64[us]", "float64"]


def test_named_columns_in_order_of_the_key(warehouse: Warehouse) -> None:
    """Only what is asked for travels, in the order of the primary key whatever the order of the rows."""
    make_table(warehouse, "id integer primary key, t text", "3, 'c'", "1, 'a'", "2, 'b'")
    assert read_frame(warehouse, "sample", ["t"]).to_dict("list") == {"t": ["a", "b", "c"]}
    assert read_frame(warehouse, "sample", limit=1).values.tolist() == [[1, "a"]]


def test_errors_name_what_is_not_there(warehouse: Warehouse) -> None:
    """A missing table or column is told with what to do, or with what there is."""
    with pytest.raises(ContractError, match="no table nothing yet: materialize the asset nothing"):
        read_frame(warehouse, "nothing")
    make_table(warehouse, "id integer primary key")
    with pytest.raises(ContractError, match="sample has no column colour; it has id"):
        read_frame(warehouse, "sample", ["colour"])


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
