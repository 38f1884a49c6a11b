"""What the Dagster UI is told of the platform, and the whole lineage as one job on a small dump."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from lgs_assets import project
from lgs_assets.checks.sql_checks import CHECKS
from lgs_assets.configuration import Settings
from lgs_assets.contracts.model import Relation
from lgs_assets.definitions import build_definitions, defs
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.warehouse.database import PERMANENT_TABLES, Warehouse
from lgs_assets.warehouse.loading import loaded_dumps
from lgs_assets.wiring.instance import dagster_instance
from lgs_assets_tests.builders import MODELS, SHOP, Line, write_dump

SPECS = {spec.key.path[-1]: spec for spec in defs.resolve_all_asset_specs()}


def test_definitions_load() -> None:
    """Every job, schedule, sensor, asset and check resolves against the others."""
    dg.Definitions.validate_loadable(defs)


def test_every_table_of_the_lineage_has_an_asset() -> None:
    """A contract without an asset would be a table that nothing fills; what loads and builds record is none."""
    contracts = {path.stem for path in (project.SQL / "tables").glob("*.sql")}
    assert contracts - SPECS.keys() == set(PERMANENT_TABLES) - {"raw_invoices"}
    assert SPECS.keys() <= contracts


@pytest.mark.parametrize("table", MODELS)
def test_an_asset_depends_on_what_its_model_reads(table: str) -> None:
    """Else Dagster would build it too early, or not at all when an input has changed."""
    dependencies = {dep.asset_key.path[-1] for dep in SPECS[table].deps}
    assert dependencies == MODELS[table].reads.keys() & SPECS.keys()


@pytest.mark.parametrize("name", SPECS)
def test_an_asset_says_what_it_is(name: str) -> None:
    """Description, owner, group, kinds and code version are there for the UI, and a contract for the table."""
    spec = SPECS[name]
    assert spec.description and spec.description.endswith(".")
    assert spec.owners == ["team:analytics"]
    assert spec.group_name in {"invoices", "months", "customers", "report"}
    assert "postgres" in spec.kinds
    assert spec.code_version
    assert spec.freshness_policy
    assert (project.SQL / "tables" / f"{name}.sql").exists()


@pytest.fixture
def instance(built: Warehouse) -> Iterator[dg.DagsterInstance]:
    """The instance that knows how the tables came about."""
    with dagster_instance() as instance:
        yield instance


def run(
    instance: dg.DagsterInstance,
    job: str,
    *tables: str,
    dump: str | None = None,
    config: dict[str, Any] | None = None,
    **overrides: Any,
) -> dg.ExecuteInProcessResult:
    """Runs a job, or what it does for some tables."""
    if dump:
        instance.add_dynamic_partitions("dumps", [dump])
    return (
        build_definitions(**overrides)
        .resolve_job_def(job)
        .execute_in_process(
            instance=instance,
            partition_key=dump,
            asset_selection=[dg.AssetKey(table) for table in tables] or None,
            run_config=config,
        )
    )


def test_runs_build_every_table_and_execute_every_check(instance: dg.DagsterInstance) -> None:
    """One check each, which holds."""
    runs = [record.dagster_run.run_id for record in instance.get_run_records()]
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    events = [entry.get_dagster_event() for run_id in runs for entry in instance.all_logs(run_id, of_type=kind)]
    evaluations = [event.asset_check_evaluation_data for event in events]
    checks = sorted((check.asset_key.path[-1], check.check_name) for check in evaluations)
    assert checks == sorted((check.table, check.name) for check in CHECKS)
    assert all(check.passed for check in evaluations)


@pytest.mark.parametrize("name", SPECS)
def test_what_a_build_records_is_what_the_ui_shows(instance: dg.DagsterInstance, name: str) -> None:
    """Of each table the rows, the columns, where they come from, and a look at it."""
    event = instance.get_latest_materialization_event(dg.AssetKey(name))
    assert event and event.asset_materialization
    metadata = event.asset_materialization.metadata
    assert int(str(metadata["dagster/row_count"].value)) > 0
    assert metadata["dagster/table_name"].value == f"lgs.{name}"
    schema = metadata["dagster/column_schema"].value
    assert isinstance(schema, dg.TableSchema)
    assert schema.columns and all(column.description for column in schema.columns)
    preview = str(metadata["preview"].value)
    is_picture = any(column.type == "bytea" for column in schema.columns)
    assert ("data:image/png;base64," if is_picture else f"| {schema.columns[0].name} ") in preview
    assert len(preview) < 400_000
    assert ("dagster/column_lineage" in metadata) == (name in MODELS)


@pytest.mark.parametrize(
    ("column", "sources"),
    [
        ("segments.strategy", {"segment_playbook.strategy"}),
        ("clean_invoices.line_total", {"raw_invoices.quantity", "raw_invoices.unit_price"}),
    ],
)
def test_a_column_knows_where_it_comes_from(instance: dg.DagsterInstance, column: str, sources: set[str]) -> None:
    """Read from the SELECT: a value that is passed on, and one that is computed."""
    table, _, name = column.partition(".")
    event = instance.get_latest_materialization_event(dg.AssetKey(table))
    assert event and event.asset_materialization
    lineage = event.asset_materialization.metadata["dagster/column_lineage"].value
    assert isinstance(lineage, dg.TableColumnLineage)
    assert {f"{dep.asset_key.path[-1]}.{dep.column_name}" for dep in lineage.deps_by_column[name]} == sources


def test_assets_load_by_name(instance: dg.DagsterInstance) -> None:
    """What a notebook does: a DataFrame by the name of the asset, of a partitioned one as well; or a relation."""
    load: Any = build_definitions().load_asset_value
    assert len(load("segments", instance=instance)) == len({line.customer_id for line in SHOP})
    write_dump(Path(project.inbox()) / "april.sql", [Line("a", invoice_date="2011-04-04 10:00:00")])
    assert run(instance, "ingest", dump="april.sql").success
    assert len(load("raw_invoices", instance=instance)) == len(SHOP) + 1
    assert len(load("raw_invoices", partition_key="april.sql", instance=instance)) == 1
    assert load("segments", python_type=Relation, instance=instance) == Relation("segments")


def test_a_real_dump_takes_the_place_of_the_demo(warehouse: Warehouse, tmp_path: Path) -> None:
    """Synthetic lines never add to real ones: with the first real dump they are gone, and none but they."""
    write_dump(project.state() / "demo" / DEMO_DUMP, [Line(customer_id=1)])
    write_dump(Path(project.inbox()) / "march.sql", SHOP)
    with dagster_instance() as instance:
        for dump in (DEMO_DUMP, "march.sql"):
            assert run(instance, "lineage", "raw_invoices", "clean_invoices", dump=dump).success
            assert [loaded.dump for loaded in loaded_dumps(warehouse)] == [dump]
            assert warehouse.rows("select distinct dump from clean_invoices") == [{"dump": dump}]


def test_settings_reach_the_tables(built: Warehouse, instance: dg.DagsterInstance) -> None:
    """A setting changes the figures and is recorded with them."""
    run(instance, "refresh", "rfm_scores", settings=Settings(snapshot_date="2012-01-01", ties="together"))
    assert built.rows("select distinct snapshot_date::text from rfm_scores") == [
        {"snapshot_date": "2012-01-01 00:00:00"}
    ]
    assert built.rows("select settings ->> 'ties' as ties from publications where table_name = 'rfm_scores'") == [
        {"ties": "together"}
    ]


def test_settings_can_be_given_in_the_launchpad(built: Warehouse, instance: dg.DagsterInstance) -> None:
    """Run configuration under resources, as the UI's launchpad writes it; a wrong value is refused before the run."""

    def launch(**settings: object) -> dg.ExecuteInProcessResult:
        config = {"resources": {"settings": {"config": settings}}}
        return run(instance, "lineage", dump="march.sql", config=config)

    assert launch(snapshot_date="2011-07-01", chart_cutoff=0.5).success
    query = "select settings ->> 'snapshot_date' as day from publications where table_name = 'rfm_scores'"
    assert built.rows(query) == [{"day": "2011-07-01"}]
    for wrong in ({"ties": "never"}, {"chart_cutoff": "high"}, {"colour": "red"}):
        with pytest.raises(dg.DagsterInvalidConfigError):
            launch(**wrong)
