"""Publish or nothing: what readers, owners of grants and views, and rival writers live through."""

import threading
import time
from datetime import datetime
from pathlib import Path

import pandas as pd
import psycopg
import pytest
import sqlalchemy as sa

from lgs_assets.errors import ContractError, ServerError
from lgs_assets.warehouse import publish
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import publish_frame, read_frame
from lgs_assets.warehouse.schema import STAGING
from lgs_assets_tests.builders import UNVERSIONED, Line, build_tables, load_lines, values


def amounts(*values: str) -> pd.DataFrame:
    return pd.DataFrame({"invoice_no": [f"{i}" for i in range(len(values))], "amount": values})


def publish_amounts(warehouse: Warehouse, *values: str) -> int:
    return publish_frame(warehouse, "invoice_amounts", amounts(*values), UNVERSIONED)


def execute(warehouse: Warehouse, statement: str) -> None:
    with warehouse.transaction() as connection:
        connection.execute(sa.text(statement))


def test_readers_see_whole_states_only(warehouse: Warehouse) -> None:
    """While the table is replaced again and again, every count is that of one whole version."""
    publish_amounts(warehouse, *["1"] * 100)
    seen, stop = set(), threading.Event()

    def read() -> None:
        reader = Warehouse(warehouse.url)
        while not stop.is_set():
            (row,) = reader.rows("select count(*) as n, min(amount) as low, max(amount) as high from invoice_amounts")
            seen.add(values(row))
        reader.engine.dispose()

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for version in range(2, 22):
        publish_amounts(warehouse, *[str(version)] * 100)
    stop.set()
    for reader in readers:
        reader.join()
    assert {(count, low == high) for count, low, high in seen} == {(100, True)}
    assert len(seen) > 3


def test_a_failed_write_changes_nothing(warehouse: Warehouse) -> None:
    """After rows that break the contract the old rows, the old record and an empty staging schema are left."""
    publish_amounts(warehouse, "1", "2")
    before = warehouse.rows("select *, (select sum(amount) from invoice_amounts) as total from publications")
    with pytest.raises(ContractError):
        publish_frame(warehouse, "invoice_amounts", pd.concat([amounts("7"), amounts("8")]), UNVERSIONED)
    assert warehouse.rows("select *, (select sum(amount) from invoice_amounts) as total from publications") == before
    assert not warehouse.rows("select * from pg_tables where schemaname = :staging", staging=STAGING)


def test_comments_keys_grants_and_views_survive(warehouse: Warehouse) -> None:
    """What an administrator put on a table is there after it was replaced: views on views, and grants on them, too."""
    publish_amounts(warehouse, "1", "2")
    for statement in (
        "create role grantee",
        "grant select, references on invoice_amounts to grantee",
        "grant select (amount) on invoice_amounts to public",
        "create schema reports",
        'create view reports."Big ones" with (security_barrier) as select * from invoice_amounts where amount > 1',
        'create view reports.biggest as select max(amount) as amount from reports."Big ones"',
        "grant select on reports.biggest to grantee",
    ):
        with warehouse.engine.begin() as connection:
            connection.execute(sa.text(statement))
    try:
        publish_amounts(warehouse, "5", "6", "0.5")
        query = sa.text(
            """
            select
                (select amount from reports.biggest) as biggest,
                (select reloptions::text from pg_class where relname = 'Big ones') as options,
                has_table_privilege('grantee', 'reports.biggest', 'select') as view_grant,
                has_table_privilege('grantee', 'lgs.invoice_amounts', 'references') as table_grant,
                has_table_privilege('lgs_reader', 'lgs.invoice_amounts', 'select') as reader_grant,
                has_column_privilege('public', 'lgs.invoice_amounts', 'amount', 'select') as column_grant,
                obj_description('lgs.invoice_amounts'::regclass) as comment,
                (select count(*) from pg_index where indrelid = 'lgs.invoice_amounts'::regclass) as indexes
            """
        )
        with warehouse.engine.begin() as connection:
            facts = connection.execute(query).mappings().one()
        assert dict(facts) == {
            "biggest": 6,
            "options": "{security_barrier=true}",
            "view_grant": True,
            "table_grant": True,
            "reader_grant": True,
            "column_grant": True,
            "comment": "What each invoice comes to. One row an invoice.",
            "indexes": 1,
        }
    finally:
        with warehouse.engine.begin() as connection:
            connection.execute(sa.text("drop owned by grantee cascade"))
            connection.execute(sa.text("drop role grantee"))


def test_a_materialized_view_is_not_dropped_in_silence(warehouse: Warehouse) -> None:
    """What cannot be restored stops the write with its name, and stays."""
    publish_amounts(warehouse, "1")
    execute(warehouse, "create materialized view lgs.copied as select * from invoice_amounts")
    with pytest.raises(ServerError, match=r"lgs\.copied depends on .* not a plain view"):
        publish_amounts(warehouse, "2")
    assert [row.amount for row in warehouse.rows("select amount from copied")] == [1]


def test_two_writers_of_a_table_queue(warehouse: Warehouse) -> None:
    """Rival writers both succeed, one after the other, and the table is one of theirs as a whole."""
    failures: list[Exception] = []

    def write(value: str) -> None:
        try:
            writer = Warehouse(warehouse.url)
            for _ in range(5):
                publish_amounts(writer, *[value] * 50)
            writer.engine.dispose()
        except psycopg.Error as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(value,)) for value in ("1", "2", "3")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not failures
    (row,) = warehouse.rows("select count(*) as n, count(distinct amount) as writers from invoice_amounts")
    assert values(row) == (50, 1)


def test_a_long_reader_does_not_hold_up_the_others(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a swap waits for a long query, new readers pass; the swap happens when the long one ends."""
    monkeypatch.setattr(publish, "SWAP_WAIT_MILLISECONDS", 100)
    publish_amounts(warehouse, "1")
    waits = []
    with warehouse.engine.connect() as long_reader:
        long_reader.execute(sa.text("select * from invoice_amounts"))  # and the transaction stays open
        writer = threading.Thread(target=publish_amounts, args=(Warehouse(warehouse.url), "2"))
        writer.start()
        until = time.monotonic() + 2
        while time.monotonic() < until:
            began = time.monotonic()
            assert [row.amount for row in warehouse.rows("select amount from invoice_amounts")] == [1]
            waits.append(time.monotonic() - began)
    writer.join()
    assert [row.amount for row in warehouse.rows("select amount from invoice_amounts")] == [2]
    assert max(waits) < 1  # 0.1 s of patience, and room for a busy machine


def test_a_table_in_use_for_too_long_is_left_alone(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says which table, and how to find who holds it."""
    monkeypatch.setattr(publish, "SWAP_PATIENCE_SECONDS", 0)
    publish_amounts(warehouse, "1")
    with warehouse.engine.connect() as long_reader:
        long_reader.execute(sa.text("select * from invoice_amounts"))
        with pytest.raises(ServerError, match=r"lgs\.invoice_amounts was in use .* pg_stat_activity"):
            publish_amounts(warehouse, "2")
    assert [row.amount for row in warehouse.rows("select amount from invoice_amounts")] == [1]


def test_the_error_of_a_model_shows_offending_rows(warehouse: Warehouse, tmp_path: Path) -> None:
    """Table, column, rule, how many, and the rows: enough to find the cause without a debugger."""
    load_lines(warehouse, tmp_path, [Line(str(i), customer_id=100 + i) for i in range(9)])
    build_tables(warehouse, "clean_invoices", "invoice_totals")
    with pytest.raises(ContractError) as caught:
        build_tables(warehouse, "rfm_scores", snapshot_date=datetime(2011, 3, 1))
    text = str(caught.value)
    assert "last_invoice_at: 9 rows break the rule CHECK ((last_invoice_at <= snapshot_date))" in text
    assert text.count("customer_id=") == 5
    assert "recency_days=-3" in text


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (
            pd.DataFrame({"invoice_no": ["1", "1"], "amount": [1, 2]}),
            "column invoice_no: 2 rows break the rule PRIMARY",
        ),
        (
            pd.DataFrame({"invoice_no": ["1", "2"], "amount": [1, None]}),
            "column amount: 1 row breaks the rule NOT NULL",
        ),
        (pd.DataFrame({"invoice_no": ["1"], "amount": ["ten"]}), 'invalid input syntax for type numeric: "ten"'),
        (pd.DataFrame({"invoice_no": ["1"]}), "Missing: amount"),
        (amounts("1").assign(colour="red"), "Not in the contract: colour"),
    ],
)
def test_the_error_of_a_frame_names_what_is_wrong(warehouse: Warehouse, frame: pd.DataFrame, expected: str) -> None:
    """A frame that breaks its contract, in each way in which it can."""
    with pytest.raises(ContractError, match="invoice_amounts") as caught:
        publish_frame(warehouse, "invoice_amounts", frame, UNVERSIONED)
    assert expected in str(caught.value)


def test_overlapping_segments_cannot_be_published(warehouse: Warehouse) -> None:
    """The contract of the playbook refuses a map that gives one cell to two segments."""
    rectangle = {"r_min": 1, "r_max": 5, "f_min": 1, "f_max": 3, "behaviour": "b", "strategy": "s"}
    frame = pd.DataFrame(
        [
            {"segment": "Low", "position": 1, **rectangle},
            {"segment": "High", "position": 2, **rectangle, "f_min": 3, "f_max": 5},
        ]
    )
    with pytest.raises(ContractError, match=r"segment_playbook.*EXCLUDE"):
        publish_frame(warehouse, "segment_playbook", frame, UNVERSIONED)


def test_the_reader_role_reads_and_does_not_write(warehouse: Warehouse, tmp_path: Path) -> None:
    """An analyst's login sees every table, old and new, and can change none."""
    load_lines(warehouse, tmp_path, [Line()])
    build_tables(warehouse)
    with warehouse.engine.begin() as connection:
        connection.execute(sa.text("create role analyst login password 'analyst' in role lgs_reader"))
    url = sa.make_url(warehouse.url).set(username="analyst", password="analyst").render_as_string(hide_password=False)
    reader = Warehouse(url)
    try:
        assert read_frame(reader, "segments").shape[0] == 1
        assert len(reader.rows("select * from raw_invoices")) == 1
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            execute(reader, "delete from segments")
        with pytest.raises(sa.exc.ProgrammingError, match=r"permission denied|must be owner"):
            execute(reader, "drop table segments")
    finally:
        reader.engine.dispose()
        with warehouse.engine.begin() as connection:
            connection.execute(sa.text("drop role analyst"))
