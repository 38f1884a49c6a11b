"""Publish or nothing: what readers, owners of grants and views, and rival writers live through."""

import re
import shutil
import subprocess
import threading
import time
from datetime import datetime
from pathlib import Path

import dagster as dg
import pandas as pd
import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from lgs_assets import places
from lgs_assets.errors import ContractError, PermanentError, ServerError
from lgs_assets.warehouse import locks
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import publish_frame, read_frame
from lgs_assets.warehouse.publish import publish
from lgs_assets.warehouse.schema import STAGING, Cursor
from lgs_assets.warehouse.server import program
from lgs_assets.wiring.retries import retried
from lgs_assets_tests.builders import UNVERSIONED, Line, build_tables, built_for, load_lines, values


def amounts(*values: str) -> pd.DataFrame:
    return pd.DataFrame({"invoice_no": [f"{i}" for i in range(len(values))], "amount": values})


def publish_amounts(warehouse: Warehouse, *values: str) -> int:
    return publish_frame(warehouse, "invoice_amounts", amounts(*values), UNVERSIONED)


def execute(warehouse: Warehouse, statement: str) -> None:
    with warehouse.transaction() as connection:
        connection.execute(sa.text(statement))


def administer(warehouse: Warehouse, script: str) -> None:
    """Runs statements as the administrator would: under the own role."""
    with psycopg.connect(warehouse.url, options="-c search_path=lgs") as connection:
        connection.execute(script.encode())


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
    """What an administrator put on a table survives its replacement: even views on views, and grants on them."""
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
            "comment": "The total of each invoice. One row per invoice.",
            "indexes": 1,
        }
    finally:
        with warehouse.engine.begin() as connection:
            connection.execute(sa.text("drop owned by grantee cascade"))
            connection.execute(sa.text("drop role grantee"))


# What people build on a table that goes with it, and what the error says of it.
OBSTACLES = {
    "create materialized view lgs.copied as select * from invoice_amounts":
        r"lgs\.copied depends on .* not a plain view",
    "create table notes (invoice_no text references lgs.invoice_amounts)": "notes_invoice_no_fkey on table notes",
    "create function dearest() returns numeric begin atomic select max(amount) from lgs.invoice_amounts; end":
        r"function dearest\(\) depends on table invoice_amounts",
    "create function amount_of(lgs.invoice_amounts) returns numeric return $1.amount":
        r"function amount_of\(.*depends on",
    "create view cheap as select 1 as x from lgs.invoice_amounts; create function few() returns setof cheap "
    "begin atomic select * from cheap; end": r"function few\(\) depends on",
}  # fmt: skip


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_what_would_go_with_the_table_stops_the_write_for_good(warehouse: Warehouse, obstacle: str) -> None:
    """It is named and stays, no time is lost by trying again, and no disk is blamed."""
    publish_amounts(warehouse, "1")
    execute(warehouse, obstacle)
    with pytest.raises(PermanentError, match=OBSTACLES[obstacle]) as caught, retried():
        publish_amounts(warehouse, "2")
    assert "disk" not in str(caught.value)
    assert [row.amount for row in warehouse.rows("select amount from invoice_amounts")] == [1]


def test_what_may_pass_is_tried_again() -> None:
    """A server that is restarted comes back."""
    with pytest.raises(dg.RetryRequested), retried():
        raise ServerError("The server restarts.")


def test_what_would_go_with_a_dump_stops_its_load(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A view on the lines of one dump is named, and nobody is advised to drop it with everything that depends on it."""
    monkeypatch.setattr("lgs_assets.warehouse.loading.LARGEST_SMALL_DUMP", 0)
    load_lines(warehouse, tmp_path, [Line()])
    (dump,) = warehouse.rows("select relid::text as lines from pg_partition_tree('raw_invoices') where isleaf")
    execute(warehouse, f"create view march as select * from {dump.lines}")
    with pytest.raises(PermanentError, match=f"view march depends on table {dump.lines}. Nothing is left") as caught:
        load_lines(warehouse, tmp_path, [Line(quantity=2)])
    assert "CASCADE" not in str(caught.value)


# What people attach to a table, and to a view on it.
ATTACHED = """
create schema reports;
create role warden;
create function reports.noted() returns trigger language plpgsql as 'begin return new; end';
comment on table invoice_amounts is 'Of my own.';
comment on column invoice_amounts.amount is 'In "pounds", that''s it.';
comment on constraint invoice_amounts_pkey on invoice_amounts is 'The key.';
create index " USING odd" on invoice_amounts using brin (amount) with (pages_per_range = 8) where amount > 1;
comment on index " USING odd" is 'An index.';
create index " USING odd 2" on invoice_amounts (amount desc nulls last, invoice_no) include (amount);
create unique index on invoice_amounts (lower(invoice_no));
alter table invoice_amounts
    add constraint "not %s too {dear}" check (amount < 1000) not valid,
    alter column amount set default 7,
    alter column amount set statistics 500,
    alter column amount set (n_distinct = 9),
    alter column invoice_no set storage external,
    alter column invoice_no set compression pglz,
    set (fillfactor = 70, autovacuum_enabled = false, toast.vacuum_truncate = false),
    cluster on " USING odd 2",
    replica identity full,
    enable row level security;
create statistics both_columns on invoice_no, amount from invoice_amounts;
comment on statistics both_columns is 'Statistics.';
create policy "what they may" on invoice_amounts as restrictive for select to public, warden using (amount > 0);
comment on policy "what they may" on invoice_amounts is 'A policy.';
create rule "no deletes" as on delete to invoice_amounts do instead nothing;
create trigger noted before update of amount on invoice_amounts for each row execute function reports.noted();
alter table invoice_amounts disable trigger noted;
create publication whole for table invoice_amounts;
create publication part for table invoice_amounts (invoice_no) where (invoice_no <> '1');
create view reports."Big ones" (number, pounds) with (check_option = cascaded) as
    select invoice_no, amount from invoice_amounts where amount > 1;
create view reports.biggest as select max(pounds) as pounds from reports."Big ones";
comment on view reports."Big ones" is 'Big.';
comment on column reports."Big ones".pounds is 'Many.';
alter view reports."Big ones" alter column pounds set default 5;
create trigger noted instead of insert on reports.biggest for each row execute function reports.noted();
comment on trigger noted on reports.biggest is 'A trigger.';
create rule "no updates" as on update to reports.biggest do instead nothing;
grant select on reports.biggest to warden
"""


def test_all_that_people_attach_survives(warehouse: Warehouse, caplog: pytest.LogCaptureFixture) -> None:
    """pg_dump finds the same before and after, again and again, and nothing is said."""

    def dumped() -> str:
        command: list[str | Path] = [program("pg_dump"), "--schema-only", "--restrict-key=x", warehouse.url]
        return str(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    publish_amounts(warehouse, "1", "2")
    administer(warehouse, ATTACHED)
    try:
        before = dumped()
        for amount in ("5", "6"):
            publish_amounts(warehouse, amount)
            assert dumped() == before
        assert caplog.messages == []
    finally:
        administer(warehouse, "drop owned by warden cascade; drop role warden")


def test_functions_of_people_never_run_with_the_rights_of_the_login(warehouse: Warehouse) -> None:
    """A rule that was attached to a table calls them when it is attached again; the login may be a superuser."""
    publish_amounts(warehouse, "1")
    administer(
        warehouse,
        """
        create sequence public.misuses; -- which counts what is rolled back, too
        create function public.harmless(numeric) returns boolean immutable language plpgsql as '
            begin
                if current_user <> ''lgs_owner'' then perform nextval(''public.misuses''); end if;
                return true;
            end';
        set role lgs_owner;
        alter table invoice_amounts add constraint harmless check (public.harmless(amount))
        """,
    )
    publish_amounts(warehouse, "2")
    with psycopg.connect(warehouse.url) as connection:
        assert connection.execute("select is_called from public.misuses").fetchone() == (False,)


def test_what_cannot_survive_is_said(warehouse: Warehouse, caplog: pytest.LogCaptureFixture) -> None:
    """One line each; the table is replaced all the same."""
    publish_amounts(warehouse, "1", "2")
    execute(warehouse, "alter table invoice_amounts add column note text")
    execute(warehouse, "create unique index each_once on invoice_amounts (amount)")
    execute(warehouse, "alter table invoice_amounts alter column note set default 'none'")
    publish_amounts(warehouse, "5", "5")
    assert caplog.messages == [
        'lgs.invoice_amounts: the index each_once could not be kept: could not create unique index "each_once"',
        "lgs.invoice_amounts: the column note is not kept when the table is rebuilt: it belongs in its contract",
        "lgs.invoice_amounts: the default of note could not be kept: "
        'column "note" of relation "invoice_amounts" does not exist',
    ]
    assert [row.amount for row in warehouse.rows("select amount from invoice_amounts")] == [5, 5]


def test_a_contract_that_changes_takes_back_what_it_gave(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the old contract attached is not taken for the work of people."""
    shutil.copytree(places.SQL, tmp_path / "sql")
    monkeypatch.setattr(places, "SQL", tmp_path / "sql")
    contract = tmp_path / "sql" / "tables" / "invoice_amounts.sql"
    agreed = contract.read_text()
    contract.write_text(f"{agreed}\ncreate index former on invoice_amounts (amount);")
    publish_amounts(warehouse, "1")
    execute(warehouse, "create index latter on invoice_amounts (amount)")
    contract.write_text(agreed)
    publish_amounts(warehouse, "2")
    indexes = warehouse.rows("select indexname from pg_indexes where tablename = 'invoice_amounts' order by 1")
    assert [row.indexname for row in indexes] == ["invoice_amounts_pkey", "latter"]


def test_two_writers_of_a_table_queue(warehouse: Warehouse) -> None:
    """Rival writers both succeed, one after the other, and the table is entirely one of theirs."""
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
    monkeypatch.setattr(locks, "SWAP_MILLISECONDS", 100)
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


IN_THE_WAY = (
    r"In the way: pid {pid}, user \w+, application \w+, idle in transaction since 20\S+ \S+ UTC, query: {query}"
)


@pytest.mark.parametrize("read", ["invoice_amounts", "large"])
def test_a_table_in_use_for_too_long_is_left_alone(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, read: str
) -> None:
    """The error says which session is in the way, of the table or a view on it; what was built was built once."""
    monkeypatch.setattr(locks, "PATIENCE_SECONDS", 2)
    publish_amounts(warehouse, "1")
    execute(warehouse, "create view large as select * from invoice_amounts where amount > 0")
    fills = []

    def fill(cursor: Cursor, target: sql.Identifier) -> None:
        fills.append(target)
        cursor.execute(sql.SQL("insert into {} values ('1', 2)").format(target))

    with warehouse.engine.connect() as long_reader:
        long_reader.execute(sa.text(f"select *\n from {read}"))
        (pid,) = long_reader.execute(sa.text("select pg_backend_pid()")).one()
        long_reader.execute(sa.text(f"select\tcount(*) from {read} /* {'x' * 100} */"))
        began = time.monotonic()
        found = IN_THE_WAY.format(pid=pid, query=rf"select count\(\*\) from {read} /\* x+…")
        with pytest.raises(PermanentError, match=rf"lgs\.invoice_amounts was in use for 2 s.*{found}"):
            publish(warehouse, "invoice_amounts", fill, UNVERSIONED)
        assert 2 <= time.monotonic() - began < 5
    assert len(fills) == 1
    assert [row.amount for row in warehouse.rows("select amount from invoice_amounts")] == [1]


def test_a_held_advisory_lock_does_not_block_a_load_in_silence(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Anybody who may connect can take such a lock: the log names the holder soon, the error in the end."""
    monkeypatch.setattr(locks, "NOTICE_SECONDS", 0.5)
    monkeypatch.setattr(locks, "PATIENCE_SECONDS", 2)
    administer(warehouse, "create role ana login password 'ana' in role lgs_reader")
    url = sa.make_url(warehouse.url).set(username="ana", password="ana").render_as_string(hide_password=False)
    try:
        with psycopg.connect(url, autocommit=True) as ana:
            ana.execute("select pg_advisory_lock(hashtextextended('lgs.raw_invoices', 0))")
            holder = rf"In the way: pid {ana.info.backend_pid}, user ana, .*query: select pg_advisory_lock\(hash"
            with pytest.raises(PermanentError, match=rf"Writing lgs\.raw_invoices had to wait .*for 2 s.*{holder}"):
                load_lines(warehouse, tmp_path, [Line()])
        assert len(caplog.messages) == 1
        assert re.search(holder, caplog.messages[0])
        load_lines(warehouse, tmp_path, [Line()])
    finally:
        administer(warehouse, "drop role ana")


def test_the_error_of_a_model_shows_offending_rows(warehouse: Warehouse, tmp_path: Path) -> None:
    """Table, column, rule, how many, and the rows: enough to find the cause without a debugger."""
    load_lines(warehouse, tmp_path, [Line(str(i), customer_id=100 + i) for i in range(9)])
    build_tables(warehouse, "clean_invoices", "invoice_totals")
    with pytest.raises(ContractError) as caught:
        build_tables(warehouse, "rfm_history", snapshot_date=datetime(2011, 3, 1))
    text = str(caught.value)
    assert (
        "column last_invoice_at, snapshot_date: 9 rows break the rule CHECK ((last_invoice_at < snapshot_date))" in text
    )
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
    build_tables(warehouse, *built_for("segments"))
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
