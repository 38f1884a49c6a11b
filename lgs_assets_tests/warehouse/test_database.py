"""Connections to the warehouse: which databases will do, and what becomes of connections that the server cuts."""

import time
import uuid

import psycopg
import pytest

from lgs_assets.errors import ServerError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.server import EmbeddedServer
from lgs_assets_tests.warehouse.libpq import ELSEWHERE, NONSENSE

KILL = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'lgs' and datname = %s"


@pytest.fixture
def latin1(database: str) -> str:
    """The URL of an empty database that is not in UTF-8."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            f"create database {name} encoding 'LATIN1' template template0 locale_provider libc locale 'C'".encode()
        )
    return f"{database.rsplit('/', 1)[0]}/{name}"


def test_a_database_that_cannot_hold_every_text_is_refused(latin1: str) -> None:
    """Dumps hold any character. The error says how to create a database that can, too."""
    with pytest.raises(ServerError, match="encoded in UTF8; this one is in LATIN1: create database"):
        Warehouse(latin1).prepare()


def test_text_arrives_whatever_encoding_the_environment_names(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's programs obey PGCLIENTENCODING; for the platform it means nothing."""
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    warehouse = Warehouse(database)
    assert warehouse.rows("select cast(:text as text) as text", text="£ 鳥")[0].text == "£ 鳥"
    warehouse.engine.dispose()


def test_a_connection_that_was_cut_between_two_uses_is_replaced(warehouse: Warehouse, database: str) -> None:
    """The server has been restarted since: nobody notices."""
    with psycopg.connect(database) as connection:
        assert connection.execute(KILL, [connection.info.dbname]).fetchall() == [(True,)]
    assert warehouse.rows("select 1 as one")[0].one == 1


def test_a_connection_that_is_cut_in_use_is_a_server_error(warehouse: Warehouse, database: str) -> None:
    """It says what happened, without the password, and the next use finds a new connection."""

    def use() -> None:
        with warehouse.transaction() as connection, psycopg.connect(database) as other:
            other.execute(KILL, [other.info.dbname])
            connection.exec_driver_sql("select 1")

    with pytest.raises(ServerError, match=r"PostgreSQL at .*:\*\*\*@.* failed: .*Nothing is left half done"):
        use()
    assert warehouse.rows("select 1 as one")[0].one == 1


@pytest.mark.parametrize(("variable", "value"), [*NONSENSE.items(), *ELSEWHERE.items()])
def test_variables_for_other_servers_mean_nothing_to_this_one(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """A login to another server in the environment neither breaks the connection, nor slows it, nor changes figures."""
    monkeypatch.setenv(variable, value)
    start = time.monotonic()
    warehouse = Warehouse(server.url)
    (row,) = warehouse.rows("select '£ 鳥' as text, cast('2011-02-01 12:00+00' as timestamptz)::text as moment")
    assert (row.text, row.moment) == ("£ 鳥", "2011-02-01 12:00:00+00")
    with psycopg.connect(server.url()) as connection:
        connection.execute("create temp table written ()")
    assert time.monotonic() - start < 5
    warehouse.engine.dispose()
