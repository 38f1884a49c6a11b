"""What a page does when the database is away, slow, or changes beneath it."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import sqlalchemy as sa

from lgs_assets.configuration import Configuration
from lgs_assets.dashboard import app
from lgs_assets.dashboard.app import PAGES
from lgs_assets.dashboard.queries import ALWAYS_READ, CONNECTIONS, ROLE, Tables
from lgs_assets.dashboard.serve import serve as serve_pages
from lgs_assets.errors import LgsError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.builders import MakeDatabase, build_tables
from lgs_assets_tests.dashboard.conftest import CUSTOMERS, Site, serve
from lgs_assets_tests.dashboard.test_pages import PATHS


def test_a_database_out_of_reach_is_said_with_a_way_to_try_again() -> None:
    for site in serve(Tables("postgresql://nobody@127.0.0.1:1/none")):
        answer = site.get("/segments?country=Germany")
        assert answer.status == 503
        assert "lgs status" in answer.text
        assert 'href="/segments?country=Germany"' in answer.text
        assert site.get("/healthz").status == 503


def test_an_empty_database_says_how_to_begin(make_database: MakeDatabase) -> None:
    for site in serve(Tables(make_database())):
        for path in PATHS:
            answer = site.get(path)
            assert answer.status == 503
            assert "Nothing is loaded yet" in answer.text
            assert "lgs run" in answer.text


def test_a_database_that_came_back_is_used_again(own_site: Site) -> None:
    assert own_site.get("/segments").status == 200
    url = own_site.tables.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'lgs dashboard' and datname = current_database()"
        )
    assert own_site.get("/segments?as_of=2011-04").status == 200


def test_a_table_that_is_held_is_not_waited_for_long(own_site: Site) -> None:
    holder = sa.create_engine(own_site.tables.engine.url)
    with holder.begin() as connection:
        connection.execute(sa.text("lock table lgs.rfm_history in access exclusive mode"))
        assert own_site.get("/segments").status == 503
    holder.dispose()
    assert own_site.get("/segments").status == 200


def test_who_waits_too_long_for_a_turn_is_told_so(own_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "PATIENCE_SECONDS", 0.1)
    holder = sa.create_engine(own_site.tables.engine.url)
    with holder.begin() as connection, ThreadPoolExecutor(CONNECTIONS) as pool:
        connection.execute(sa.text("lock table lgs.rfm_history in access exclusive mode"))
        answers = list(pool.map(own_site.get, ["/segments"] * CONNECTIONS))
        assert sum("Too many ask at once." in answer.text for answer in answers) == 1
        assert {answer.status for answer in answers} == {503}
    holder.dispose()
    assert own_site.get("/segments").status == 200


def test_the_health_is_told_while_all_turns_are_taken(own_site: Site) -> None:
    holder = sa.create_engine(own_site.tables.engine.url)
    with ThreadPoolExecutor(2 * CONNECTIONS) as pool, holder.begin() as connection:
        connection.execute(sa.text("lock table lgs.rfm_history in access exclusive mode"))
        asked = [pool.submit(own_site.get, "/segments") for _ in range(2 * CONNECTIONS)]
        assert own_site.get("/healthz").status == 200
        assert not any(answer.done() for answer in asked)
    holder.dispose()


def test_a_database_that_is_too_slow_is_not_waited_for_and_the_page_says_what_to_do(own_site: Site) -> None:
    """A second a row: the server ends the statement after five."""
    writer = Warehouse(own_site.tables.engine.url.render_as_string(hide_password=False))
    with writer.transaction() as connection:
        connection.execute(sa.text("create policy slow on rfm_history using (pg_sleep(1) is not null)"))
        connection.execute(sa.text("alter table rfm_history enable row level security"))
    answer = own_site.get("/segments?country=Germany")
    assert answer.status == 503
    assert "took too long" in answer.text
    assert "lgs status" in answer.text
    assert 'href="/segments?country=Germany"' in answer.text
    assert "Traceback" not in answer.text and "pg_sleep" not in answer.text
    with writer.transaction() as connection:
        connection.execute(sa.text("alter table rfm_history disable row level security"))
    writer.engine.dispose()
    assert own_site.get("/segments?country=Germany").status == 200


NEEDED = sorted({table for page in PAGES for table in page.tables} - {*ALWAYS_READ})
WISHED = sorted({table for page in PAGES for table in page.wished} - {*NEEDED})


@pytest.mark.parametrize("gone", [NEEDED[::2], NEEDED[1::2], WISHED, WISHED[::2], WISHED[1::2]])
def test_without_some_tables_each_page_is_there_or_says_what_is_missing(own_site: Site, gone: list[str]) -> None:
    """And what to do. A page without the tables that it only wishes for is there, and says the same of them."""
    writer = Warehouse(own_site.tables.engine.url.render_as_string(hide_password=False))
    with writer.transaction() as connection:
        connection.execute(sa.text("delete from publications where table_name = any(:gone)"), {"gone": gone})
        connection.execute(sa.text(f"drop table if exists {', '.join(gone)} cascade"))
    writer.engine.dispose()
    for page, path in zip(PAGES, PATHS, strict=True):
        answer, missing = own_site.get(path), {*gone} & {*page.tables, path.removeprefix("/data/")}
        assert answer.status == (503 if missing else 200), path
        assert all(table in answer.text for table in missing), path
        assert "lgs run" in answer.text or not {*gone} & {*page.tables, *page.wished}, path


def test_without_one_table_the_pages_that_wish_for_it_are_there_and_those_that_need_it_say_so(own_site: Site) -> None:
    """Each alone: two that are read together may be missing together, and never apart."""
    writer = Warehouse(own_site.tables.engine.url.render_as_string(hide_password=False))
    for table in (*NEEDED, *WISHED):
        with writer.transaction() as connection:
            connection.execute(sa.text(f"create table held as select * from publications where table_name = '{table}'"))
            connection.execute(sa.text(f"delete from publications where table_name = '{table}'"))
            connection.execute(sa.text(f"alter table {table} rename to away"))
        for page, path in zip(PAGES, PATHS, strict=True):
            if table in (*page.tables, *page.wished):
                answer = own_site.get(path)
                assert (answer.status, table in answer.text) == (503 if table in page.tables else 200, True), (
                    table,
                    path,
                )
        with writer.transaction() as connection:
            connection.execute(sa.text(f"alter table away rename to {table}"))
            connection.execute(sa.text("insert into publications select * from held"))
            connection.execute(sa.text("drop table held"))
    writer.engine.dispose()


def test_pages_are_whole_while_their_tables_are_replaced(own_site: Site) -> None:
    """A snapshot older than a table shows it empty: the locks that come before it keep that from happening."""
    writer = Warehouse(own_site.tables.engine.url.render_as_string(hide_password=False))
    is_over = threading.Event()

    def replace_tables() -> None:
        try:
            for _ in range(6):
                build_tables(writer, "rfm_history", "customer_profile", ties="by_customer_id")
        finally:
            is_over.set()

    def ask(_: int) -> set[tuple[int, str]]:
        found = set()
        while not is_over.is_set():
            answer = own_site.get("/customers?as_of=2011-07")
            told = re.search(r"<strong>(\d+) customers</strong>", answer.text)
            found.add((answer.status, told[1] if told else answer.text[:300]))
        return found

    with ThreadPoolExecutor(4) as pool:
        writing = pool.submit(replace_tables)
        seen = set().union(*pool.map(ask, range(3)))
        writing.result()
    writer.engine.dispose()
    assert seen == {(200, str(CUSTOMERS))}


def test_the_columns_of_a_table_are_there_while_it_is_replaced(own_site: Site) -> None:
    """Between the snapshot and the question: the page is of the table that the snapshot knows."""
    before = own_site.get("/data/product_movers").text
    writer = Warehouse(own_site.tables.engine.url.render_as_string(hide_password=False))
    replaced: list[str] = []

    @sa.event.listens_for(own_site.tables.engine, "before_cursor_execute")
    def replace_table(_: object, __: object, statement: str, *___: object) -> None:
        if "pg_attribute" in statement and not replaced:
            replaced.append(statement)
            with writer.transaction() as connection:
                connection.exec_driver_sql("create table later (like product_movers)")
                connection.exec_driver_sql("drop table product_movers")
                connection.exec_driver_sql("alter table later rename to product_movers")

    answer = own_site.get("/data/product_movers?country=Germany")
    writer.engine.dispose()
    assert replaced and answer.status == 200
    columns = [html.partition("<tbody>")[2].partition("</tbody>")[0] for html in (before, answer.text)]
    assert columns[0] == columns[1] != ""


def test_all_figures_of_a_page_are_of_one_moment(own_site: Site) -> None:
    """Whatever changes between two of its statements: here a customer fewer before each, as a refresh in place does.

    A filter of single customers has every figure read them one by one.
    """
    writer = Warehouse(own_site.tables.engine.url.render_as_string(hide_password=False))
    gone: list[int] = []

    @sa.event.listens_for(own_site.tables.engine, "before_cursor_execute")
    def change(_: object, __: object, statement: str, *___: object) -> None:
        if "matched" in statement:
            gone.append(17000 + len(gone))
            with writer.transaction() as connection:
                connection.execute(sa.text("delete from rfm_history where customer_id = :id"), {"id": gone[-1]})

    for _ in range(2):
        before = CUSTOMERS - len(gone)
        html = own_site.get("/segments?as_of=2011-07&spent=0").text
        (told,) = re.findall(r'role="status">(\d+) customers<', html)
        grid = re.findall(r'class="n s\d"[^>]*>(?:<a [^>]*>)?(\d+)<', html.partition('id="grid"')[2])
        assert int(told) == sum(map(int, grid)) == before
    writer.engine.dispose()
    assert len(gone) > 2


def test_the_pages_can_change_nothing(own_site: Site) -> None:
    with pytest.raises(sa.exc.DBAPIError), own_site.tables.engine.begin() as connection:
        connection.execute(sa.text("create table anything (number integer)"))


def test_the_pages_read_as_a_role_that_cannot_see_raw_lines_or_rejects(own_site: Site) -> None:
    with own_site.tables.engine.connect() as reader:
        assert reader.scalar(sa.text("select current_user")) == ROLE
        for table in ("raw_invoices", "rejected_lines"):
            with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
                reader.execute(sa.text(f"select * from {table}"))
            reader.rollback()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.com"])
def test_others_cannot_reach_it_unless_a_proxy_is_said_to_be_there(host: str) -> None:
    with pytest.raises(LgsError, match="no login"):
        serve_pages(Configuration.read(), host=host, port=0, announce=print)
