"""The first use of a warehouse: it is made as the contracts say, or upgraded with its dumps in place."""

import gzip
import shutil
import tomllib
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lgs_assets import places
from lgs_assets.contracts.contract import kept_tables
from lgs_assets.errors import ServerError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.builders import MakeDatabase, build_tables, built_for

# What pg_dump wrote of a small warehouse that was made before there were migrations.
BEFORE_MIGRATIONS = Path(__file__).with_name("before_migrations.sql.gz")

# All that a contract says of its table. A rule that was added to lines which are there is not validated.
DECLARED = """
select attrelid::regclass::text, attname::text, format_type(atttypid, atttypmod) || attnotnull,
    coalesce(pg_get_expr(adbin, adrelid), '') || coalesce(col_description(attrelid, attnum), '')
from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
where attrelid = any (%(tables)s::regclass[]) and attnum > 0 and not attisdropped
union all
select conrelid::regclass::text, conname::text,
    -- Read back from a dump, a rule has other parentheses.
    translate(replace(pg_get_constraintdef(oid), ' NOT VALID', ''), '()', ''), contype::text
from pg_constraint where conrelid = any (%(tables)s::regclass[])
union all
select indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid), ''
from pg_index where indrelid = any (%(tables)s::regclass[])
order by 1, 2, 3
"""


@pytest.fixture
def old(make_database: MakeDatabase) -> str:
    """The URL of a database with a warehouse that knows no migrations, and two dumps in it."""
    url = make_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((places.SQL / "roles.sql").read_bytes())
        connection.execute("drop schema lgs, lgs_staging cascade")
        connection.execute(gzip.decompress(BEFORE_MIGRATIONS.read_bytes()))
    return url


@pytest.fixture
def own_sql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folder `sql`, in which a test may write."""
    shutil.copytree(places.SQL, tmp_path / "sql")
    monkeypatch.setattr(places, "SQL", tmp_path / "sql")
    return tmp_path / "sql"


def declared(url: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        tables = [f"lgs.{table}" for table in kept_tables()]
        return connection.execute(DECLARED, {"tables": tables}).fetchall()


SHOWN = (
    "select table_name, column_name from information_schema.column_privileges "
    "where table_schema = 'lgs' and grantee = 'lgs_dashboard' order by 1, 2"
)
"""What the pages may read of the kept tables."""


def query(url: str, text: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(text.encode()).fetchall()


def test_an_old_warehouse_is_upgraded_with_its_dumps_in_place(old: str, make_database: MakeDatabase) -> None:
    """Its kept tables are what a new warehouse has, no line is lost, and the lineage is rebuilt from them."""
    lines = query(old, "select * from lgs.raw_invoices order by dump, line_number")
    new = make_database()
    for url in (old, new):
        Warehouse(url).prepare()
    assert set(declared(old)) ^ set(declared(new)) == set()
    shown, expected = ([row for row in query(url, SHOWN) if row[0] in kept_tables()] for url in (old, new))
    assert shown == expected != []
    assert query(old, "select name from lgs.migrations") == query(new, "select name from lgs.migrations") != []
    assert query(old, "select * from lgs.raw_invoices order by dump, line_number") == lines != []
    upgraded = Warehouse(old)
    build_tables(upgraded, *built_for("segment_summary"))
    assert upgraded.rows("select count(*) as lines from clean_invoices") == [{"lines": len(lines)}]
    upgraded.engine.dispose()


@pytest.mark.parametrize(
    ("declaration", "enrol"),
    [
        ('hypothesis = "A call helps."\nenrol = "waves"\nlooks = []', "waves"),
        ("enrol='waves'", "waves"),
        ('looks = []\r\n  "enrol" = """waves"""', "waves"),
        ('enrol = "once"  # and not in "waves"', "once"),
        ('hypothesis = "It enrols in waves."\n# enrol = "waves"', "once"),
    ],
)
def test_experiments_that_run_are_upgraded_with_how_they_enrol(database: str, declaration: str, enrol: str) -> None:
    """It was read from the declaration: whoever waited for a draw before waits for it after."""
    Warehouse(database).prepare()
    with psycopg.connect(database) as connection:
        connection.execute("alter table lgs.experiments drop column enrol")
        connection.execute("delete from lgs.migrations where name = '0019_how_experiments_enrol'")
        connection.execute(
            "insert into lgs.experiments values ('calls', %s, repeat('a', 64), 'some', '', 'orders', 90, 0.5, "
            "repeat('a', 32), null, null, 'me', now(), null, null)",
            [declaration],
        )
    Warehouse(database).prepare()
    assert tomllib.loads(declaration).get("enrol", "once") == enrol
    assert query(database, "select enrol from lgs.experiments") == [(enrol,)]


def test_a_plan_of_before_says_when_it_began(database: str) -> None:
    """By its first request: a first list that was broken off stays one that was only begun."""
    Warehouse(database).prepare()
    with psycopg.connect(database) as connection:
        connection.execute("alter table lgs.activation_plans drop allowed, drop applied_by, drop applied_at")
        connection.execute("alter table lgs.list_drift drop barred")
        connection.execute("delete from lgs.migrations where name = '0024_who_decided'")
        for _ in range(2):
            connection.execute(
                "insert into lgs.activation_plans (destination, audience, audience_version, publication, adds, "
                "updates, removes, left_out, held_before, digest, state, made_by, made_at) "
                "values ('drop', 'some', 'v', '', 1, 0, 0, '{}', 0, repeat('0', 64), 'expired', 'me', now())"
            )
        for day in (2, 1):
            connection.execute(
                "insert into lgs.activation_receipts (plan, batch, attempt, idempotency_key, request, row_count, "
                "sent_at, answered_at, outcome) values (1, 1, 1, '', '', 1, make_date(2026, 1, %s), now(), '')",
                [day],
            )
    Warehouse(database).prepare()
    began = query(database, "select plan, applied_at::date::text, applied_by from lgs.activation_plans order by plan")
    assert began == [(1, "2026-01-01", None), (2, None, None)]


def test_what_may_be_read_is_what_is_written_now(database: str, own_sql: Path) -> None:
    """A later grant reaches a warehouse that has an earlier one, and one that was restored without its privileges."""
    Warehouse(database).prepare()
    before = query(database, SHOWN)
    with (own_sql / "grants.sql").open("a") as grants:
        grants.write("grant select (name) on lgs.migrations to lgs_dashboard;")
    for _ in range(2):
        Warehouse(database).prepare()
        assert sorted(query(database, SHOWN)) == sorted([*before, ("migrations", "name")])
        with psycopg.connect(database) as connection:
            connection.execute("revoke all on all tables in schema lgs from lgs_dashboard")


def test_a_step_that_fails_leaves_all_as_it_was(old: str, own_sql: Path) -> None:
    """Half a step does not count: the next attempt finds what was there before."""
    Warehouse(old).prepare()
    before = declared(old)
    (own_sql / "migrations" / "9998_broken.sql").write_text("drop table lgs.dumps cascade; select 1 / 0;")
    with pytest.raises(ServerError, match=r"9998_broken\.sql: division by zero"):
        Warehouse(old).prepare()
    assert declared(old) == before
    (own_sql / "migrations" / "9998_broken.sql").write_text("alter table lgs.dumps add column note text")
    Warehouse(old).prepare()
    assert query(old, "select note from lgs.dumps limit 1") == [(None,)]


def test_a_warehouse_of_a_newer_version_is_left_alone(database: str, own_sql: Path) -> None:
    """The error says in a line what to do."""
    Warehouse(database).prepare()
    with psycopg.connect(database) as connection:
        connection.execute("insert into lgs.migrations values ('9999_later', now())")
    with pytest.raises(ServerError, match="made by a newer version of the platform, which has 9999_later: upgrade"):
        Warehouse(database).prepare()


def test_a_warehouse_that_is_too_old_is_left_alone(old: str) -> None:
    """Nothing is known of its tables, so nothing is done to them."""
    with psycopg.connect(old) as connection:
        connection.execute("comment on schema lgs is 'lgs of long ago'")
    with pytest.raises(ServerError, match="too old to be upgraded"):
        Warehouse(old).prepare()
    assert query(old, "select to_regclass('lgs.migrations')") == [(None,)]


def test_a_contract_says_what_kind_of_table_it_is(own_sql: Path) -> None:
    """Otherwise a table of facts might be rebuilt, or a derived one kept."""
    (own_sql / "tables" / "segments.sql").write_text("create table segments (x int);")
    with pytest.raises(ValueError, match=r"segments\.sql: expected a first line"):
        kept_tables()
