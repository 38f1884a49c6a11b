"""The real data with its lines in the lake: all tables are PostgreSQL's, to the last digit.

Needs the UCI data (see `real_data` in conftest.py); skips loudly without.
"""

from pathlib import Path

import dagster as dg
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from lgs_assets.configuration import Configuration
from lgs_assets.contracts.check import CHECKS
from lgs_assets.contracts.declaration import in_order, primary_key
from lgs_assets.definitions import build_definitions
from lgs_assets.lake.engine import Source
from lgs_assets.lake.spark import Spark
from lgs_assets.lake.tables import TABLES as IN_LAKE
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import read_rows
from lgs_assets_tests.builders import FITTED, MODELS, TABLES, model, resources, take_over_fitted
from lgs_assets_tests.lake.test_lake import assert_same_tables
from lgs_assets_tests.lake.test_spark import assert_same, parquet_files
from lgs_assets_tests.lake.test_spark import spark as spark  # a fixture, by its name
from lgs_assets_tests.warehouse.evidence import exact

WARNINGS = {"invoices_are_not_doubled", "cancellations_are_negative", "prices_are_positive", "lines_do_not_repeat"}


def test_every_table_is_the_same_in_duckdb(
    real: Warehouse, warehouse: Warehouse, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One job from the dump to the segments, with its checks; models are not fitted again to equal tables."""
    monkeypatch.setenv("LGS_ENGINE", "duckdb")
    name = resources().inbox.land(real_data / "retail.sql.gz")
    definitions = build_definitions(Configuration.read())
    take_over_fitted(warehouse, real)
    tables = {"raw_invoices", *TABLES} - FITTED
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("dumps", [name])
        done = definitions.resolve_job_def("lineage").execute_in_process(
            instance=instance, partition_key=name, asset_selection=[dg.AssetKey(table) for table in tables]
        )
    evaluations = done.get_asset_check_evaluations()
    assert {check.check_name for check in evaluations if not check.passed} == WARNINGS
    assert len(evaluations) == len([check for check in CHECKS if check.table in tables])
    (event,) = done.asset_materializations_for_node("clean_invoices")
    assert event.metadata["dagster/row_count"].value == 1_067_371
    assert str(event.metadata["preview"].value).count("\n") == 6
    assert_same_tables(resources().tables, real)


def test_every_table_is_the_same_in_spark(spark: Spark, real: Warehouse, tmp_path: Path) -> None:
    """All rows and columns, every decimal exactly; each table is built from those that Spark built."""
    reads = {"raw_invoices": MODELS["clean_invoices"].reads["raw_invoices"]}
    raw = read_rows(real, reads)["raw_invoices"]
    pq.write_table(raw, tmp_path / "raw_invoices.parquet", row_group_size=100_000)
    built: dict[str, Source] = {"raw_invoices": [str(tmp_path / "raw_invoices.parquet")]}
    for table in MODELS:
        made, theirs = model(table), exact(real, table)
        inputs = {
            name: built[name] if name in built else read_rows(real, {name: columns})[name]
            for name, columns in made.reads.items()
        }
        if table in IN_LAKE:
            spark.write(made.select, inputs, made.parameters, str(tmp_path / table))
            built[table] = parquet_files(tmp_path / table)
            ours = ds.dataset(built[table]).to_table().sort_by([(name, "ascending") for name in primary_key(table)])
        else:
            built[table] = ours = spark.rows(in_order(table, made.select), inputs, made.parameters)
        assert_same(ours, theirs, table)
