"""What Python computes is computed again if it is given something new, and only then."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from lgs_assets.command.runner import Runner
from lgs_assets.configuration import Configuration, Settings
from lgs_assets.contracts.model import seed_path
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import publish_frame
from lgs_assets.warehouse.publish import Provenance, keep, mark_outdated
from lgs_assets.warehouse.tables import PostgresTables
from lgs_assets.wiring.computation import Computation
from lgs_assets.wiring.instance import dagster_instance
from lgs_assets.wiring.lineage import built_specs
from lgs_assets.wiring.versions import outdated
from lgs_assets_tests.builders import (
    SHOP,
    Line,
    MakeDatabase,
    build_tables,
    built_for,
    load_lines,
    made_by_python,
    write_dump,
)

OF_THE_PAST = (
    *("value_backtests", "risk_backtests", "forecast_backtests", "model_evaluations"),
    *("trend_statistics", "seasonality"),
)
TABLE = "segment_playbook"
BEFORE = Provenance(version="1" * 64, rules="a" * 64, settings={}, given="b" * 64)
NOW = replace(BEFORE, version="2" * 64)


def written(warehouse: Warehouse) -> dict[str, int]:
    """What tells each table from the one that takes its place when it is written."""
    rows = warehouse.rows(
        "select relname, cast(oid as bigint) as made from pg_class where relnamespace = 'lgs'::regnamespace"
    )
    return {str(row.relname): int(row.made) for row in rows}


def digests(warehouse: Warehouse) -> dict[str, str]:
    made = {table: made_by_python(PostgresTables(warehouse), table, {}) for table in OF_THE_PAST}
    return {table: one.digest for table, one in made.items() if isinstance(one, Computation)}


def with_line(template: Warehouse, make_database: MakeDatabase, folder: Path, day: str) -> Warehouse:
    """A copy in which a customer has bought once more, with all that the tables of the past are built from."""
    template.engine.dispose()
    copy = Warehouse(make_database(template=template.url))
    (known,) = copy.rows(
        "select customer_id, country, code from customer_profile cross join products "
        "order by customer_id, products.sales desc, code limit 1"
    )
    customer, country = str(known.customer_id), str(known.country)
    bought = Line("9", str(known.code), "A THING", 7, day, customer_id=customer, country=country)
    load_lines(copy, folder, [bought], name="later.sql")
    build_tables(copy, *built_for(*OF_THE_PAST))
    return copy


def test_a_later_line_changes_nothing_that_the_past_is_computed_from(
    demo: Warehouse, make_database: MakeDatabase, tmp_path: Path
) -> None:
    """Unless a month or a week ends with it: past days were judged by what was known then, and came soon after."""
    later = with_line(demo, make_database, tmp_path, "2011-12-10")
    assert later.rows("select 1 from customer_days where day = '2011-12-10'")
    before = digests(demo)
    assert before.keys() == set(OF_THE_PAST)
    assert digests(later) == before
    assert later.rows("select 1 from value_backtests")
    later.engine.dispose()


def test_a_line_of_the_past_changes_what_it_is_computed_from(
    demo: Warehouse, make_database: MakeDatabase, tmp_path: Path
) -> None:
    """A sale of a past month, corrected, has each of these tables computed again."""
    corrected = with_line(demo, make_database, tmp_path, "2011-03-10")
    before, after = digests(demo), digests(corrected)
    assert [table for table in OF_THE_PAST if before[table] == after[table]] == []
    corrected.engine.dispose()


@pytest.fixture
def published(warehouse: Warehouse) -> pd.DataFrame:
    """The rows of a table that was computed from what is now given again."""
    publish_frame(warehouse, TABLE, rows := pd.read_csv(seed_path(TABLE)), BEFORE)
    return rows


def record_of(warehouse: Warehouse) -> tuple[str, str]:
    """The version of the table, and when it was built."""
    (row,) = warehouse.rows("select version, published_at from publications where table_name = :table", table=TABLE)
    return str(row.version), str(row.published_at)


def test_rows_that_were_computed_from_the_same_stay(warehouse: Warehouse, published: pd.DataFrame) -> None:
    """They count as built now, from the inputs as they are."""
    _, built_at = record_of(warehouse)
    table = written(warehouse)[TABLE]
    assert keep(warehouse, TABLE, NOW)
    version, now = record_of(warehouse)
    assert version == NOW.version
    assert now > built_at
    assert written(warehouse)[TABLE] == table
    assert len(warehouse.rows(f"select 1 from {TABLE}")) == len(published)


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(replace(NOW, given="c" * 64), id="given something else"),
        pytest.param(replace(NOW, rules="3" * 64), id="by other rules"),
        pytest.param(replace(NOW, given=None), id="not looked at"),
    ],
)
def test_other_rows_are_computed(warehouse: Warehouse, published: pd.DataFrame, now: Provenance) -> None:
    """The record stays as it is until they are there."""
    before = record_of(warehouse)
    assert not keep(warehouse, TABLE, now)
    assert record_of(warehouse) == before


@pytest.mark.parametrize("fault", ["marked", "dropped", "never looked at"])
def test_rows_that_may_be_others_are_computed(warehouse: Warehouse, published: pd.DataFrame, fault: str) -> None:
    """Those of a table that was marked as outdated, is not there, or was written without a look at what was given."""
    with warehouse.transaction() as connection:
        if fault == "marked":
            mark_outdated(connection, TABLE)
        elif fault == "dropped":
            connection.exec_driver_sql(f"drop table {TABLE}")
    if fault == "never looked at":
        publish_frame(warehouse, TABLE, published, replace(BEFORE, given=None))
    assert not keep(warehouse, TABLE, NOW)


def test_a_run_computes_what_is_given_something_new(built: Warehouse) -> None:
    """After a dump of a later day the tables of the past are as they were, and current; `--force` computes them."""
    before = written(built)

    def written_again() -> set[str]:
        return {table for table, made in written(built).items() if made != before[table]}

    configuration = Configuration.read()
    write_dump(
        Path(configuration.inbox_location) / "later.sql", [replace(SHOP[-1], invoice_no="9", invoice_date="2011-05-20")]
    )
    with dagster_instance(configuration) as instance:
        runner = Runner(configuration, instance)
        runner.bring_up_to_date()
        again = written_again()
        assert again & set(OF_THE_PAST) == set()
        assert {"monthly_series", "customer_features", "daily_series", "prediction_terms"} <= again
        assert outdated(built_specs(), Settings(), built) == []
        runner.bring_up_to_date(force=True)
        assert written_again() >= set(OF_THE_PAST)
        runner.resources.warehouse.engine.dispose()
