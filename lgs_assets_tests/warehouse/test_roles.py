"""What the roles may do, and how much of it: readers read, within limits, and the pipeline works without theirs."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
import sqlalchemy as sa

from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.builders import MakeDatabase

LIMITS = {
    "statement_timeout": "5min",
    "idle_in_transaction_session_timeout": "5min",
    "transaction_timeout": "5min",
    "work_mem": "32MB",
    "temp_file_limit": "5GB",
}
SHOWN = "select name, current_setting(name) from unnest(%s::text[]) as name"


def as_login(url: str, name: str) -> str:
    """The URL of a database for a login whose password is its name."""
    return sa.make_url(url).set(username=name, password=name).render_as_string(hide_password=False)


@pytest.fixture
def make_login(database: str) -> Iterator[list[str]]:
    """Takes names and attributes of logins, as `create role` does; they are gone after the test."""
    made: list[str] = []
    yield made
    with psycopg.connect(database, autocommit=True) as connection:
        for name in made:
            connection.execute(f"drop owned by {name} cascade".encode())
            connection.execute(f"drop role {name}".encode())


@pytest.fixture
def reader(warehouse: Warehouse, make_login: list[str]) -> str:
    """The URL for a login that was made by the recipe of the README."""
    with psycopg.connect(warehouse.url, autocommit=True) as connection:
        connection.execute("create role ana login password 'ana' connection limit 10 in role lgs_reader")
    make_login.append("ana")
    return as_login(warehouse.url, "ana")


def test_readers_have_limits_from_their_first_session_on(reader: str) -> None:
    """No query, no forgotten transaction and no sort of a reader is without an end."""
    with psycopg.connect(reader) as connection:
        assert dict(connection.execute(SHOWN, [[*LIMITS]]).fetchall()) == LIMITS
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="temp_file_limit"):
            connection.execute("set temp_file_limit = -1")


@pytest.mark.parametrize(
    "statement",
    [
        "create temp table copied as select 1 as one",
        "create temp view shown as select 1 as one",
        "select lo_create(0)",
        "select lo_creat(-1)",
        "select lo_from_bytea(0, 'x')",
        "create table lgs.own ()",
        "create table public.own ()",
        "create schema own",
    ],
)
def test_readers_leave_nothing_behind(reader: str, statement: str) -> None:
    """What they could fill the disk with is refused."""
    with psycopg.connect(reader) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


def test_readers_cannot_take_the_last_connections(warehouse: Warehouse, make_login: list[str]) -> None:
    """However many a reader opens, the pipeline connects."""
    with psycopg.connect(warehouse.url, autocommit=True) as connection:
        connection.execute("create role many login password 'many' in role lgs_reader")
    make_login.append("many")
    with ExitStack() as opened:

        def connect(url: str, times: int) -> None:
            for _ in range(times):
                opened.enter_context(psycopg.connect(url))

        with pytest.raises(psycopg.OperationalError, match="remaining connection slots are reserved"):
            connect(as_login(warehouse.url, "many"), 100)
        connect(warehouse.url, 10)


def test_the_pipeline_works_without_the_limits_of_readers(warehouse: Warehouse) -> None:
    """Whatever settings the database gives to sessions, and whichever the login."""
    expected = dict.fromkeys(LIMITS, "0") | {"work_mem": "256MB", "temp_file_limit": "-1"}
    with warehouse.transaction() as connection:
        shown = connection.exec_driver_sql(SHOWN, ([*LIMITS],)).all()
    assert {row.name: row.current_setting for row in shown} == expected


def test_an_administrators_own_limit_is_respected(warehouse: Warehouse, reader: str) -> None:
    """What was changed by hand is not set again by the next start."""
    name = sa.make_url(warehouse.url).database
    with psycopg.connect(warehouse.url, autocommit=True) as connection:
        connection.execute(f"alter database {name} set statement_timeout = '1h'".encode())
    Warehouse(warehouse.url).prepare()
    with psycopg.connect(reader) as connection:
        assert connection.execute("show statement_timeout").fetchone() == ("1h",)


def test_a_warehouse_of_before_gets_the_limits(warehouse: Warehouse, reader: str) -> None:
    """At the first start of the version that has them."""
    name = sa.make_url(warehouse.url).database
    with psycopg.connect(warehouse.url, autocommit=True) as connection:
        connection.execute(f"alter database {name} reset all".encode())
        connection.execute(f"grant temporary on database {name} to public".encode())
    Warehouse(warehouse.url).prepare()
    with psycopg.connect(reader) as connection:
        assert dict(connection.execute(SHOWN, [[*LIMITS]]).fetchall()) == LIMITS
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("create temp table copied ()")


def test_who_may_not_grant_is_not_held_up_by_what_is_to_be_granted(warehouse: Warehouse, reader: str) -> None:
    """It waits for a login that may."""
    granted = "select obj_description('lgs'::regnamespace, 'pg_namespace')"
    with psycopg.connect(warehouse.url) as connection:
        connection.execute("comment on schema lgs is 'granted by something else'")
    analyst = Warehouse(reader)
    assert analyst.rows(granted)[0] == {"obj_description": "granted by something else"}
    analyst.engine.dispose()
    assert Warehouse(warehouse.url).rows(granted)[0] != {"obj_description": "granted by something else"}


def test_where_the_owner_is_no_superuser_the_rest_is_limited_and_said(
    database: str, make_database: MakeDatabase, make_login: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A server of somebody else: what cannot be done there is named in one line, once."""
    url = make_database()
    name = sa.make_url(url).database
    with psycopg.connect(database, autocommit=True) as connection:
        for role in ("lgs_owner", "lgs_writer", "lgs_reader", "lgs_activator"):
            if not connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone():
                connection.execute(f"create role {role}".encode())
        connection.execute("create role builder login createrole password 'builder'")
        connection.execute("grant lgs_owner, lgs_writer, lgs_reader, lgs_activator to builder with admin option")
        connection.execute(f"alter database {name} owner to builder".encode())
    try:
        for _ in range(2):
            warehouse = Warehouse(as_login(url, "builder"))
            warehouse.prepare()
            with warehouse.transaction() as connection:
                assert connection.exec_driver_sql("show statement_timeout").scalar_one() == "0"
            warehouse.engine.dispose()
        assert caplog.messages == [
            "Only a superuser may limit temporary files, refuse large objects and reserve connections. "
            "See docs/deployment.md."
        ]
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("create role ben login password 'ben' in role lgs_reader")
        make_login.append("ben")
        with psycopg.connect(as_login(url, "ben")) as connection:
            assert connection.execute("show transaction_timeout").fetchone() == ("5min",)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("create temp table copied ()")
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)".encode())
            connection.execute("drop owned by builder cascade")
            connection.execute("drop role builder")
