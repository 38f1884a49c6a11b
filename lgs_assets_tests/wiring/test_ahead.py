"""Tables that are built before their steps: nobody sees them until then, and nothing is left of those unasked for."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from lgs_assets.configuration import Configuration, Settings
from lgs_assets.contracts.model import InvoiceModel, Model
from lgs_assets.definitions import build_definitions
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import read_frame
from lgs_assets.warehouse.locks import lock_for_writing
from lgs_assets.warehouse.publish import mark_outdated
from lgs_assets.warehouse.schema import STAGING, driver_cursor
from lgs_assets.wiring import ahead
from lgs_assets.wiring.ahead import Ahead, Built
from lgs_assets.wiring.lineage import models
from lgs_assets.wiring.versions import published_versions
from lgs_assets_tests.builders import (
    FEW,
    SHOP,
    UNVERSIONED,
    build_tables,
    built_for,
    load_lines,
    model,
    resources,
    write_dump,
)

INPUT, TABLE = "rfm_history", "rfm_scores"
SECOND = "countries"
"""Its step comes later, and its input is there."""
PATIENCE_SECONDS = 30
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


def of_now(warehouse: Warehouse, table: str = TABLE) -> Model:
    """What the step of the table would build, from its inputs as they are."""
    return model(table).reading(published_versions(warehouse))


def in_transaction(warehouse: Warehouse) -> set[str | None]:
    """What each other session waits for that has made a table to be put in the place of another."""
    # The catalog does not show others a table before its transaction has ended; its lock it does.
    query = """
        select wait_event_type
        from pg_stat_activity
        where datname = current_database() and pid in (
            select pid from pg_locks where locktype = 'relation' and relation not in (select oid from pg_class)
        )
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
    wait_until(lambda: TABLE in work._built)
    assert shop.rows(f"select from {TABLE}") == []
    with work.built(TABLE, of_now(shop)) as built:
        assert built
        assert built.seconds > 0
        assert built.take_its_place(NEW) == 20
    assert len(shop.rows(f"select from {TABLE}")) == 20
    assert published_versions(shop)[TABLE] == NEW.version
    assert_nothing_is_left(shop)


def test_an_input_that_is_not_yet_written_is_waited_for(shop: Warehouse) -> None:
    """Else the table would be built from what the run is about to replace. It would be the first, as its step is."""
    work = Ahead(shop, Settings(), {"another", INPUT, TABLE, SECOND})
    work.written("another")
    wait_until(lambda: SECOND in work._built)
    with work.built(TABLE, of_now(shop)) as first, work.built(SECOND, of_now(shop, SECOND)) as second:
        assert first is None
        assert second
    work.end()


def test_an_index_that_is_made_while_the_table_waits_is_kept(shop: Warehouse, work: Ahead) -> None:
    """It is on the old table, which the new one does not know."""
    work.written(INPUT)
    wait_until(lambda: TABLE in work._built)
    execute_as_owner(shop, f"create index mine on {TABLE} (monetary)")
    with work.built(TABLE, of_now(shop)) as built:
        assert built
        built.take_its_place(NEW)
    assert shop.rows("select from pg_indexes where schemaname = 'lgs' and indexname = 'mine'")


def test_what_is_marked_outdated_while_it_waits_stays_so(shop: Warehouse, work: Ahead) -> None:
    """Something that it is built from has changed, such as unit costs, and no version of an input tells."""
    work.written(INPUT)
    wait_until(lambda: TABLE in work._built)
    with shop.transaction() as connection:
        mark_outdated(connection, TABLE)
    with work.built(TABLE, of_now(shop)) as built:
        assert built
        built.take_its_place(NEW)
    assert published_versions(shop)[TABLE] != NEW.version


def test_a_table_that_another_process_writes_is_left_to_the_step(
    shop: Warehouse, work: Ahead, caplog: pytest.LogCaptureFixture
) -> None:
    """The step waits for it; the end of a run does not."""
    caplog.set_level("DEBUG", ahead.__name__)
    with shop.transaction() as other:
        lock_for_writing(driver_cursor(other), TABLE)
        work.written(INPUT)
        wait_until(lambda: f"lgs.{TABLE} is being written" in caplog.text)
        work.end()


@pytest.mark.usefixtures("few_tables")
def test_a_run_takes_what_is_built_ahead(warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table that a SELECT builds in full, where there is time and room for all; the tables are the same."""
    taken: list[tuple[str, bool]] = []

    @contextmanager
    def in_time(work: Ahead, table: str, model: Model) -> Iterator[Built | None]:
        if not isinstance(model, InvoiceModel):
            wait_until(lambda: table in work._built)
        with original(work, table, model) as built:
            taken.append((table, built is not None))
            yield built

    original = Ahead.built
    monkeypatch.setattr(Ahead, "built", in_time)
    monkeypatch.setattr(ahead, "MOST_WAITING", 100)
    name = resources().inbox.land(write_dump(tmp_path / "shop.sql", SHOP))
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("dumps", [name])
        job = build_definitions(Configuration.read()).resolve_job_def("lineage")
        job.execute_in_process(instance=instance, partition_key=name)
    few = {table: isinstance(made, InvoiceModel) for table, made in models().items()}
    assert sorted(taken) == sorted((table, not by_invoice) for table, by_invoice in few.items())
    assert_nothing_is_left(warehouse)
    before = {table: read_frame(warehouse, table) for table in few}
    build_tables(warehouse, *FEW - {"raw_invoices"})
    assert [table for table, rows in before.items() if not rows.equals(read_frame(warehouse, table))] == []


def test_what_is_built_from_other_inputs_is_not_used(shop: Warehouse, work: Ahead) -> None:
    """Another process has replaced the input meanwhile, or the settings differ."""
    work.written(INPUT)
    wait_until(lambda: TABLE in work._built)
    with work.built(TABLE, of_now(shop).reading({INPUT: "another"})) as built:
        assert built is None
        assert_nothing_is_left(shop)
    assert published_versions(shop)[TABLE] == UNVERSIONED.version


def test_what_has_waited_too_long_is_not_used(shop: Warehouse, work: Ahead, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL itself ends its transaction, which is in the way of others; the step builds the table."""
    monkeypatch.setattr(ahead, "LONGEST_WAIT_SECONDS", 0.5)
    work.written(INPUT)
    wait_until(lambda: TABLE in work._built)
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
    wait_until(lambda: TABLE in work._built)
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
