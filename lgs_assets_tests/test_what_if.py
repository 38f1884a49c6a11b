"""What if: the models on an analyst's own frames, as a notebook would ask."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from lgs_assets.contracts.model import Model
from lgs_assets.errors import ConfigurationError, ContractError, LgsError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import publish_frame, read_frame
from lgs_assets.what_if import run_model
from lgs_assets_tests.builders import MODELS, TABLES, UNVERSIONED, MakeDatabase, build_tables

# One invoice a customer, with only what invoice_totals reads.
LINES = pd.DataFrame(
    {
        "dump": "mine",
        "invoice_no": ["1", "2", "3"],
        "invoice_month": pd.to_datetime(["2011-01-01", "2011-02-01", "2011-03-01"]),
        "is_cancellation": False,
        "customer_id": [11, 12, 13],
        "invoice_date": pd.to_datetime(["2011-01-01", "2011-02-01", "2011-03-01"]),
        "quantity": 1,
        "line_total": [0.1, 0.2, 1.005],
        "country": "France",
        "is_sale": True,
        "is_second_copy": False,
    }
)


@pytest.fixture(scope="module")
def demo(small_demo: Warehouse, make_database: MakeDatabase) -> Iterator[Warehouse]:
    """All tables of a synthetic dump, for these tests alone."""
    small_demo.engine.dispose()
    warehouse = Warehouse(make_database(template=small_demo.url))
    yield warehouse
    warehouse.engine.dispose()


@pytest.fixture(scope="module")
def frames(demo: Warehouse) -> dict[str, pd.DataFrame]:
    """Every table as a notebook loads it, and the ledger."""
    ledger = demo.rows("select dump, last_invoice_at, loaded_at, written_at from dumps")
    read = {name for table in MODELS for name in Model(f"{table}.sql").reads}
    tables = {*TABLES, *read} - {"dumps"}
    return {table: read_frame(demo, table) for table in tables} | {"dumps": pd.DataFrame(map(dict, ledger))}


def in_warehouse(warehouse: Warehouse, lines: pd.DataFrame, table: str, **settings: object) -> pd.DataFrame:
    """The table that the warehouse makes of these lines; its own come back afterwards."""
    before = read_frame(warehouse, "clean_invoices")
    publish_frame(warehouse, "clean_invoices", lines, UNVERSIONED)
    build_tables(warehouse, "invoice_totals", "rfm_history", "rfm_scores", "segments", "segment_summary", **settings)
    made = read_frame(warehouse, table)
    publish_frame(warehouse, "clean_invoices", before, UNVERSIONED)
    return made


@pytest.mark.parametrize("table", MODELS)
def test_a_table_of_its_own_inputs_is_the_table(frames: dict[str, pd.DataFrame], table: str) -> None:
    """With nothing changed: the same rows in the same order, the same types, and every float the same."""
    rows = run_model(table, **{name: frames[name] for name in Model(f"{table}.sql").reads})
    pd.testing.assert_frame_equal(rows, frames[table], check_exact=True)


@pytest.mark.parametrize("settings", [{"snapshot_date": "2040-02-29"}, {"ties": "together"}])
def test_what_if_a_setting_were_another(
    demo: Warehouse, frames: dict[str, pd.DataFrame], settings: dict[str, object]
) -> None:
    """Another snapshot date and another rule for ties change what they change in the warehouse."""
    scores = run_model("rfm_scores", clean_invoices=frames["clean_invoices"], **settings)
    assert not scores.equals(frames["rfm_scores"])
    build_tables(demo, "rfm_history", "rfm_scores", **settings)
    pd.testing.assert_frame_equal(scores, read_frame(demo, "rfm_scores"), check_exact=True)


def test_what_if_there_were_no_wholesalers(demo: Warehouse, frames: dict[str, pd.DataFrame]) -> None:
    """Fewer lines, then one model on the result of the other, to the shares of each segment."""
    spent = frames["rfm_scores"].set_index("customer_id")["monetary"]
    wholesalers = spent[spent > spent.quantile(0.95)].index
    lines = frames["clean_invoices"]
    lines = lines[~lines["customer_id"].isin(wholesalers)]
    totals, playbook = run_model("invoice_totals", clean_invoices=lines), frames["segment_playbook"]
    scores = run_model("rfm_scores", invoice_totals=totals)
    segments = run_model("segments", rfm_scores=scores, clean_invoices=lines, segment_playbook=playbook)
    summary = run_model("segment_summary", segments=segments, segment_playbook=playbook)
    assert 0 < len(scores) < len(spent)
    pd.testing.assert_frame_equal(summary, in_warehouse(demo, lines, "segment_summary"), check_exact=True)


def test_the_environment_gives_the_other_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a run; arguments of the call take precedence."""
    monkeypatch.setenv("LGS_SNAPSHOT_DATE", "2011-04-02")
    assert run_model("rfm_scores", clean_invoices=LINES)["recency_days"].tolist() == [91, 60, 32]
    scores = run_model("rfm_scores", clean_invoices=LINES, snapshot_date="2011-03-02")
    assert scores["recency_days"].tolist() == [60, 29, 1]


@pytest.mark.parametrize(
    "amounts",
    [
        pd.Series([0.1, 0.2, 1234567890.005]),
        pd.Series([0.1 + 1e-9, 0.2, 1234567890.005]),  # what arithmetic leaves behind
        pd.Series([Decimal("0.10"), Decimal("0.200000"), Decimal("1234567890.005")]),
        pd.Series(["0.1", "0.2", "1234567890.005"]),
        pd.Series(["0.1", "0.2", "1234567890.005"], dtype="category"),
    ],
)
def test_money_is_added_up_in_decimals(amounts: pd.Series) -> None:
    """Floats as they print, decimals and texts as they are: the sum is the one of the digits, not of the floats."""
    totals = pd.DataFrame({"invoice_no": "1", "amount": amounts})
    assert run_model("invoice_amounts", invoice_totals=totals)["amount"].tolist() == [1234567890.305]
    table = pa.Table.from_pandas(totals, preserve_index=False)
    assert run_model("invoice_amounts", invoice_totals=table)["amount"].tolist() == [1234567890.305]


def test_no_rows_give_no_rows(frames: dict[str, pd.DataFrame]) -> None:
    """With the types of the table."""
    scores = run_model("rfm_scores", clean_invoices=LINES.head(0))
    pd.testing.assert_series_equal(scores.dtypes, frames["rfm_scores"].dtypes)
    assert scores.empty


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("scores", {}, r"There is no model scores\. There are: .*rfm_scores, .*segment_summary, .*segments"),
        ("rfm_scores", {}, r"rfm_scores needs .* rfm_history \(customer_id, f_score, .*snapshot_date\)\. Or for"),
        ("rfm_scores", {"clean_invoices": LINES.drop(columns=["is_sale", "line_total"])},
         r"clean_invoices lacks line_total, is_sale\. Expected: .* Found: dump, invoice_no, .*"),
        ("rfm_scores", {"clean_invoices": LINES, "drop_repeats": True, "x": 1},
         r"rfm_scores takes no drop_repeats, x\. .* Its settings: snapshot_date, ties\."),
        ("rfm_scores", {"clean_invoices": "lines.csv"}, "clean_invoices: expected a DataFrame .*, found str"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_named(name: str, given: dict[str, object], message: str) -> None:
    """With what is expected instead."""
    with pytest.raises(LgsError, match=message):
        run_model(name, **given)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("customer_id", [11, 12.5, 13], "expected int32: Float value 12.5"),
        ("customer_id", ["11", "12", "ana"], "expected int32: .*ana"),
        ("line_total", [0.1, None, 1.0], "must not be NULL, but is in 1 row"),
        ("line_total", [0.1, float("inf"), 1.0], "inf"),
        ("line_total", [Decimal("0.1234567")] * 3, "data loss"),
        ("invoice_date", pd.to_datetime(["2011-01-01"] * 3).tz_localize("Europe/London"), "time zone"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(column: str, values: list[object], message: str) -> None:
    """Nothing is rounded, shifted or left out in silence; the error names the column."""
    replaced: dict[str, Any] = {column: values}
    with pytest.raises(ContractError, match=rf"clean_invoices\.{column}: .*{message}"):
        run_model("rfm_scores", clean_invoices=LINES.assign(**replaced))


def test_a_setting_out_of_its_limits_is_named() -> None:
    """As for a run."""
    with pytest.raises(ConfigurationError, match=r"^ties: expected"):
        run_model("rfm_scores", clean_invoices=LINES, ties="by name")
