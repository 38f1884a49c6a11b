"""One SELECT, and a cluster: every model gives in Spark the rows that it gives in PostgreSQL, to the last digit.

The cluster is real: a master and two workers of one core each, as processes of their own.
"""

import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from lgs_assets.assets.customers import PLAYBOOK
from lgs_assets.checks.sql_checks import evaluate
from lgs_assets.configuration import Settings
from lgs_assets.contracts.check import CHECKS
from lgs_assets.contracts.model import Model, Value, tables_in
from lgs_assets.errors import ContractError, LgsError
from lgs_assets.lake.engine import ROW_GROUP
from lgs_assets.lake.judgement import judge
from lgs_assets.lake.parts import current
from lgs_assets.lake.place import Place
from lgs_assets.lake.spark import Spark
from lgs_assets.lake.tables import TABLES, LakeTables
from lgs_assets.warehouse.costs import keep_costs
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import publish_frame, read_frame
from lgs_assets.warehouse.loading import DumpFile
from lgs_assets.warehouse.tables import PostgresTables
from lgs_assets_tests.builders import (
    BY_PYTHON,
    MODELS,
    SOURCES,
    UNVERSIONED,
    Line,
    MakeDatabase,
    build_tables,
    expect_sales,
    load_lines,
    model,
    write_dump,
)
from lgs_assets_tests.lake.spark import PATIENCE_SECONDS, SparkCluster
from lgs_assets_tests.lake.test_duckdb import COSTS, OTHER_PARAMETERS, SCORES
from lgs_assets_tests.warehouse.evidence import exact
from lgs_assets_tests.warehouse.test_refresh import HISTORY


@pytest.fixture
def spark(spark_cluster: SparkCluster) -> Spark:
    return Spark(spark_cluster.url)


def parquet_files(folder: Path) -> list[str]:
    return sorted(map(str, folder.glob("*.parquet")))


def in_lake(warehouse: Warehouse, place: Place, table: str) -> pa.Table:
    """The rows of a table, in the order of the files and of the rows in them."""
    parts = current(warehouse, [table])
    return ds.dataset([place.path(part.location, file) for part in parts for file in part.files]).to_table()


def assert_same(ours: pa.Table, theirs: pa.Table, table: str) -> None:
    ours = ours.select(theirs.column_names).cast(theirs.schema)
    assert [name for name in theirs.column_names if not ours[name].equals(theirs[name])] == [], table


def test_a_small_shop_in_a_lake_is_the_same_as_in_postgresql(
    spark: Spark, warehouse: Warehouse, make_database: MakeDatabase, tmp_path: Path
) -> None:
    """From dumps to checks. Ties, NULLs, repeats, overlaps, a missing month, great and tiny sums; other settings."""
    chance = random.Random(4)
    lines = [
        Line(
            invoice_no=chance.choice(["1", "2", "3", "C4", "c5", "A6", "É7"]),
            stock_code=chance.choice(["22041", "POST"]),
            description=chance.choice([None, "", "FELT  ROBIN"]),
            quantity=chance.choice([chance.randint(-2, 3), chance.randint(-80_000, 80_000)]),
            invoice_date=f"2011-0{chance.choice([1, 2, 5])}-{chance.randint(1, 28)} {chance.randint(0, 23)}:59:59",
            unit_price=chance.choice(["0", "0.000001", "1.25", "99999.123457", "-9999.999999"]),
            customer_id=chance.choice([None, *range(1, 9), "2147483647.0"]),
        )
        for _ in range(90)
    ]
    lines += 2 * [Line("twice"), Line("twice", "POST"), Line("C8", quantity=-1)]
    ours = Warehouse(make_database())
    ours.prepare()
    place = Place(str(tmp_path / "lake"))
    store = LakeTables(ours, place, spark)
    for name, some in {"old.sql": lines[:50], "new.sql": lines[40:]}.items():
        load_lines(warehouse, tmp_path, some, name=name)
        store.load_dump(DumpFile(write_dump(tmp_path / name, some), name))
    for given in (warehouse, ours):
        keep_costs(given, COSTS)
    build_tables(warehouse, **OTHER_PARAMETERS)
    expect_sales(warehouse, **OTHER_PARAMETERS)
    assert warehouse.rows("select from margins") and warehouse.rows("select from expected_margins")
    recorded = Settings(**OTHER_PARAMETERS).model_dump(include=set(OTHER_PARAMETERS))
    provenance = replace(UNVERSIONED, settings=recorded)
    publish_frame(ours, "segment_playbook", pd.read_csv(PLAYBOOK), provenance)
    of_lines = [check for check in CHECKS if tables_in(check.query) & TABLES]
    read = {name for made in MODELS.values() for name in made.reads}.union(
        *(tables_in(each.query) for each in of_lines)
    )
    for table in read & BY_PYTHON.keys() - {"segment_playbook"}:  # no engine makes them
        publish_frame(ours, table, read_frame(warehouse, table), provenance)
    for table in MODELS:
        store.publish_model(table, model(table, **OTHER_PARAMETERS), provenance)
        made = in_lake(ours, place, table) if table in TABLES else exact(ours, table)
        assert_same(made, exact(warehouse, table), table)
    for check in of_lines:
        here, there = evaluate(check, store), evaluate(check, PostgresTables(warehouse))
        assert here.metadata["violating_rows"] == there.metadata["violating_rows"], check
    ours.engine.dispose()


def test_a_refresh_follows_the_change(
    spark: Spark, warehouse: Warehouse, make_database: MakeDatabase, tmp_path: Path
) -> None:
    """Invoices that are new or have changed go into a second part; the first is written without the old ones."""
    ours = Warehouse(make_database())
    ours.prepare()
    store = LakeTables(ours, Place(str(tmp_path / "lake")), spark)
    june = [Line("new", invoice_date="2011-06-01 10:00"), Line("1", invoice_date="2011-06-02 10:00")]
    for number, lines in enumerate([HISTORY, june]):
        load_lines(warehouse, tmp_path, lines, name=f"{number}.sql")
        store.load_dump(DumpFile(tmp_path / f"{number}.sql", f"{number}.sql"))
        build_tables(store, *SOURCES)
    build_tables(warehouse, *SOURCES)
    for table in SOURCES:
        pd.testing.assert_frame_equal(store.read_frame(table), read_frame(warehouse, table))
    assert [part.rows for part in current(ours, ["clean_invoices"])] == [297, 2]
    ours.engine.dispose()


def test_what_is_otherwise_in_spark_is_as_in_postgresql(
    spark: Spark, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cases that the models lack: nested divisions, NULLs in texts and orders, bound times."""
    select = """
        select
            round(avg(100 * x / 7) / 3, 6) as within,
            round(avg(x / 3), 6) as mean,
            round(x / nullif(x - x, 0), 6) as nothing,
            round(x * cast(:fraction as decimal(10, 9)), 15) as product,
            concat(text, 1, cast(null as integer)) as joined,
            text ~ '^[a-z]\\d$' as matches,
            date_trunc('month', cast(:moment as timestamp)) + interval '1 month' as month,
            cast(extract(day from cast(:moment as timestamp) - timestamp '2011-03-26 12:00:00') as integer) as days
        from t
        group by x, text
        order by text desc, x
    """
    values = [Decimal(text).scaleb(-6) if text else None for text in ("1", "-2", "99999999999999", None)]
    rows = pa.table({"x": pa.array(values, pa.decimal128(38, 6)), "text": ["a1", None, "b", None]})
    parameters: dict[str, Value] = {"fraction": Decimal("0.123456789"), "moment": datetime(2011, 3, 27, 1, 30, 0, 5)}
    monkeypatch.setenv("TZ", "Europe/London")  # where there is no such moment
    time.tzset()
    try:
        ours = spark.rows(select, {"t": rows}, parameters | {"unused": 1}).to_pylist()
    finally:
        monkeypatch.undo()
        time.tzset()
    given = "(values (0.000001, 'a1'), (-0.000002, null), (99999999.999999, 'b'), (null, null)) as t (x, text)"
    theirs = warehouse.rows(select.replace("from t\n", f"from {given}\n"), **parameters)
    assert ours == list(map(dict, theirs))


def test_files_are_written_in_their_order(spark: Spark, tmp_path: Path) -> None:
    """By several workers at once, in row groups that a reader of a few rows can skip."""
    numbers = pa.table({"a": pa.array(range(400_000))})
    spark.write("select a, cast(a as text) as text from n order by a desc", {"n": numbers}, {}, str(tmp_path / "part"))
    files = parquet_files(tmp_path / "part")
    assert len(files) > 1
    assert ds.dataset(files).to_table()["a"].to_pylist() == list(range(399_999, -1, -1))
    sizes = [pq.read_metadata(file).row_group(0).num_rows for file in files]
    assert max(sizes) <= ROW_GROUP < max(pq.read_metadata(file).num_rows for file in files)


def test_the_contract_is_judged(spark: Spark) -> None:
    """Its rules mean in Spark what they mean in PostgreSQL: here a pattern, and a key."""
    judge(spark, "rfm_scores", SCORES)
    for column, value, rule in (("rfm_score", "1551", "CHECK"), ("customer_id", 1, "UNIQUE")):
        field = SCORES.schema.field(column)
        values = pa.array([SCORES[column][0].as_py(), value], field.type)
        broken = SCORES.set_column(SCORES.column_names.index(column), field, values)
        with pytest.raises(ContractError, match=f"rfm_scores, column {column}: 1 row breaks the rule {rule}"):
            judge(spark, "rfm_scores", broken)


def test_what_does_not_fit_is_an_error(spark: Spark) -> None:
    """Money beyond every decimal of Spark is neither cut to size nor NULL."""
    totals = pa.table({"invoice_no": ["1"] * 2, "amount": pa.array([Decimal(9 * 10**31)] * 2, pa.decimal128(38, 6))})
    with pytest.raises(LgsError, match=r"Spark cannot compute invoice_totals: .+"):
        spark.rows(Model("invoice_amounts.sql").select, {"invoice_totals": totals}, {})


def test_a_worker_that_is_killed_costs_no_line(spark: Spark, spark_cluster: SparkCluster, tmp_path: Path) -> None:
    """The other worker redoes what it was working on, and what it had done for others to fetch."""
    from pyspark import SparkContext

    invoices, parts = [str(number) for number in range(20_000)], range(60)
    for part in parts:
        amounts = pa.array([Decimal(number * part).scaleb(-6) for number in range(20_000)], pa.decimal128(38, 6))
        pq.write_table(pa.table({"invoice_no": invoices, "amount": amounts}), tmp_path / f"{part}.parquet")
    select, inputs = Model("invoice_amounts.sql").select, {"invoice_totals": parquet_files(tmp_path)}
    tracker = SparkContext.getOrCreate().statusTracker()
    with ThreadPoolExecutor() as pool:
        job = pool.submit(spark.rows, select, inputs, {})
        deadline = time.monotonic() + PATIENCE_SECONDS
        done = 0
        while done < len(parts) / 4:
            assert time.monotonic() < deadline
            stages = filter(None, map(tracker.getStageInfo, tracker.getActiveStageIds()))
            done = max((stage.numCompletedTasks for stage in stages if stage.numTasks == len(parts)), default=0)
        spark_cluster.kill_worker(0)
        assert not job.done()
        rows = job.result()
    made = dict(zip(rows["invoice_no"].to_pylist(), rows["amount"].to_pylist(), strict=True))
    assert made == {number: Decimal(int(number) * sum(parts)).scaleb(-6) for number in invoices}
    spark_cluster.add_worker()


def test_without_a_master_it_says_what_to_set() -> None:
    """Spark's own default would be this machine, whatever it is asked to do."""
    pytest.importorskip("pyspark", reason="NOT PROVEN ON SPARK: install the extra spark")
    with pytest.raises(LgsError, match="Set LGS_SPARK_MASTER"):
        Spark(None).rows("select 1", {}, {})


def test_without_spark_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spark is an extra."""
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(LgsError, match=r'pip install "lgs-assets\[spark\]"'):
        Spark(None).rows("select 1", {}, {})
