"""Tables that are built before their steps: nobody sees them until then, and nothing is left of those unasked for."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from lgs_assets.configuration import Settings
from lgs_assets.contracts.model import Model
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import STAGING
from lgs_assets.wiring import ahead
from lgs_assets.wiring.ahead import Ahead
from lgs_assets.wiring.versions import published_versions
from lgs_assets_tests.builders import SHOP, UNVERSIONED, build_tables, built_for, load_lines, model

INPUT, TABLE = "rfm_history", "rfm_scores"
PATIENCE_SECONDS = 60
NEW = replace(UNVERSIONED, version="1" * 64)


@pytest.fixture
def shop(warehouse: Warehouse, tmp_path: Path) -> Warehouse:
    load_lines(warehouse, tmp_path, SHOP)
    build_tables(warehouse, *built_for(TABLE))
    return warehouse


@pytest.fixture
def work(shop: Warehouse) -> Iterator[Ahead]:
    """The work ahead of a run that is to write the input, and then the table."""
    work = Ahead(shop, Settings(), {INPUT, TABLE})
    yield work
    work.end()


def of_now(warehouse: Warehouse) -> Model:
    """What the step of the table would build, from its input as it is."""
    return model(TABLE).reading(published_versions(warehouse))


def in_transaction(warehouse: Warehouse) -> set[str | None]:
    """What each other session waits for that is in a transaction."""
    query = """
        select wait_event_type from pg_stat_activity
        where xact_start is not null and datname = current_database() and pid <> pg_backend_pid()
    """
    return {row.wait_event_type for row in warehouse.rows(query)}


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"Not within {PATIENCE_SECONDS} s"
        time.sleep(0.01)  # asks again soon


def assert_nothing_is_left(warehouse: Warehouse) -> None:
    assert in_transaction(warehouse) == set()
    assert warehouse.rows("select from pg_tables where schemaname = :staging", staging=STAGING) == []


def test_a_table_waits_for_its_step(shop: Warehouse, work: Ahead) -> None:
    """It is built once its input is written; readers have the old one until the step, and then the new one."""
    execute_as_owner(shop, f"delete from {TABLE}")
    work.written(INPUT)
    wait_until(lambda: in_transaction(shop) != set())
    assert shop.rows(f"select from {TABLE}") == []
    with work.built(TABLE, of_now(shop)) as built:
        assert built
        assert built.seconds > 0
        assert built.take_its_place(NEW) == 20
    assert len(shop.rows(f"select from {TABLE}")) == 20
    assert published_versions(shop)[TABLE] == NEW.version
    assert_nothing_is_left(shop)


def test_an_input_that_is_not_yet_written_is_waited_for(shop: Warehouse, work: Ahead) -> None:
    """Else the table would be built from what the run is about to replace."""
    work.written("another")
    with work.built(TABLE, of_now(shop)) as built:
        assert built is None
    work.written(INPUT)  # too late: the step builds the table
    work.end()
    assert_nothing_is_left(shop)


def test_what_is_built_from_other_inputs_is_not_used(shop: Warehouse, work: Ahead) -> None:
    """Another process has replaced the input meanwhile, or the settings differ."""
    work.written(INPUT)
    wait_until(lambda: in_transaction(shop) != set())
    with work.built(TABLE, of_now(shop).reading({INPUT: "another"})) as built:
        assert built is None
        assert_nothing_is_left(shop)
    assert published_versions(shop)[TABLE] == UNVERSIONED.version


def test_what_has_waited_too_long_is_not_used(shop: Warehouse, work: Ahead, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL itself ends its transaction, which is in the way of others; the step builds the table."""
    monkeypatch.setattr(ahead, "LONGEST_WAIT_SECONDS", 0.2)
    work.written(INPUT)
    wait_until(lambda: in_transaction(shop) != set())
    wait_until(lambda: in_transaction(shop) == set())
    with work.built(TABLE, of_now(shop)) as built:
        assert built is None
    assert_nothing_is_left(shop)


def test_a_failure_is_left_to_the_step(shop: Warehouse, work: Ahead, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever goes wrong goes wrong there, too, where it is told."""
    caplog.set_level("DEBUG", ahead.__name__)
    execute_as_owner(shop, f"alter table {INPUT} rename column monetary to something_else")
    work.written(INPUT)
    wait_until(lambda: "rfm_scores is not built ahead of its step" in caplog.text)
    with work.built(TABLE, of_now(shop)) as built:
        assert built is None
    assert_nothing_is_left(shop)


def test_nothing_is_left_of_what_no_step_asks_for(shop: Warehouse, work: Ahead) -> None:
    """As when a blocking check of the input does not hold."""
    work.written(INPUT)
    wait_until(lambda: in_transaction(shop) != set())
    work.end()
    assert_nothing_is_left(shop)
    assert published_versions(shop)[TABLE] == UNVERSIONED.version


def test_a_query_is_cancelled_at_the_end(shop: Warehouse, work: Ahead) -> None:
    """A run that is interrupted ends at once: here the query waits for a lock, which is held until the end is over."""
    with psycopg.connect(shop.url) as other:
        other.execute(f"lock table lgs.{INPUT}".encode())
        work.written(INPUT)
        wait_until(lambda: "Lock" in in_transaction(shop))
        work.end()
    assert_nothing_is_left(shop)


def execute_as_owner(warehouse: Warehouse, statement: str) -> None:
    with warehouse.transaction() as connection:
        connection.exec_driver_sql(statement)
