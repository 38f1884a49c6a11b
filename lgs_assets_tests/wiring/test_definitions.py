"""What the Dagster UI is told of the platform, and the whole lineage as one job on a small dump."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from lgs_assets import places
from lgs_assets.charts.report import families
from lgs_assets.checks.sql_checks import CHECKS
from lgs_assets.configuration import Configuration
from lgs_assets.contracts.model import Model, Relation
from lgs_assets.definitions import build_definitions, defs
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.errors import LgsError
from lgs_assets.warehouse.ledger import loaded_dumps
from lgs_assets.wiring.versions import built_from, code_version, published_versions, settings_used, versions_read
from lgs_assets_tests.builders import MODELS, Line, write_dump

SPECS = {spec.key.path[-1]: spec for spec in sorted(defs.resolve_all_asset_specs(), key=lambda spec: spec.key)}


def test_definitions_load() -> None:
    """Every job, schedule, sensor, asset and check resolves against the others."""
    dg.Definitions.validate_loadable(defs)


def test_a_table_is_built_from_what_its_model_reads() -> None:
    """The arrows that the UI shows are those of the SELECT; the ledger of dumps is none of the lineage's tables."""
    for name, model in MODELS.items():
        assert {dep.asset_key.path[-1] for dep in SPECS[name].deps} == model.reads.keys() & SPECS.keys(), name


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
    assert (places.SQL / "tables" / f"{name}.sql").exists()


@pytest.mark.parametrize(
    ("resource", "name"),
    [("inbox", "location"), ("source", "table"), ("source", "url"), ("warehouse", "url"), ("warehouse", "location")],
)
def test_no_place_can_be_given_to_a_run(monkeypatch: pytest.MonkeyPatch, resource: str, name: str) -> None:
    """Whoever starts a run, in the launchpad or over GraphQL, chooses no file, table or address that it reads."""
    monkeypatch.setenv("LGS_SOURCE_URL", "postgresql://shop.example/sales")
    jobs = build_definitions(Configuration.read()).get_repository_def().get_all_jobs()
    for job in [job for job in jobs if resource in job.resource_defs]:
        dg.validate_run_config(job, {})
        with pytest.raises(dg.DagsterInvalidConfigError, match=f'unexpected config entry "{name}"'):
            dg.validate_run_config(job, {"resources": {resource: {"config": {name: "/etc/hostname"}}}})


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as instance:
        yield instance


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "lgs" / "inbox"
    write_dump(
        folder / "march.sql",
        [
            Line(f"{c}-{i}", customer_id=c, invoice_date=f"2011-03-{c - 100:02} 10:00")
            for c in range(101, 121)
            for i in (1, 2)
        ],
    )
    return folder


def run_lineage(
    instance: dg.DagsterInstance, dump: str, *, raise_on_error: bool = True, **settings: object
) -> dg.ExecuteInProcessResult:
    instance.add_dynamic_partitions("dumps", [dump])
    job = build_definitions(Configuration.read(**settings)).resolve_job_def("lineage")
    return job.execute_in_process(instance=instance, partition_key=dump, raise_on_error=raise_on_error)


def test_the_job_builds_every_table_and_runs_every_check(warehouse, instance: dg.DagsterInstance, inbox: Path) -> None:
    """One run from dump to charts; what it records of each table is what the UI shows."""
    result = run_lineage(instance, "march.sql")
    assert result.success
    assert {check.check_name for check in result.get_asset_check_evaluations() if not check.passed} == set()
    assert {(check.asset_key.path[-1], check.check_name) for check in result.get_asset_check_evaluations()} == {
        (check.table, check.name) for check in CHECKS
    }
    for name in SPECS:
        (event,) = result.asset_materializations_for_node(name)
        metadata = event.metadata
        assert metadata["dagster/row_count"].value > 0
        assert metadata["dagster/table_name"].value == f"lgs.{name}"
        columns = metadata["dagster/column_schema"].value.columns
        assert columns and all(column.description for column in columns)
        assert metadata["preview"].value.startswith("| ")
        assert len(metadata["preview"].value) < 4_000
        is_model = (places.SQL / "models" / f"{name}.sql").exists()
        assert ("dagster/column_lineage" in metadata) == is_model
    for family in families():
        (event,) = result.asset_materializations_for_node(family.table)
        pictures = event.metadata["charts"].value
        assert pictures.count("data:image/png;base64,") == len(family.charts)
        assert len(pictures) < 60_000 * len(family.charts)
    segments = result.asset_materializations_for_node("segments")[0].metadata["dagster/column_lineage"].value
    assert segments.deps_by_column["strategy"] == [dg.TableColumnDep(dg.AssetKey("segment_playbook"), "strategy")]
    clean = result.asset_materializations_for_node("clean_invoices")[0].metadata["dagster/column_lineage"].value
    assert {dep.column_name for dep in clean.deps_by_column["line_total"]} == {"quantity", "unit_price"}


@pytest.mark.usefixtures("one_chart")
def test_a_chart_that_fails_takes_no_other_family(warehouse, instance, inbox: Path, monkeypatch) -> None:
    """The other families are redrawn; of the failed one, and of the report, the last good charts stay."""
    run_lineage(instance, "march.sql")
    before = {row.table_name: row.published_at for row in warehouse.rows("select * from publications")}
    customers = families()[-1]
    monkeypatch.setattr(customers, "charts", [replace(customers.charts[0], draw=lambda **tables: 1 / 0)])
    write_dump(inbox / "april.sql", [Line("a", customer_id=101, invoice_date="2011-04-04 10:00:00")])
    assert not run_lineage(instance, "april.sql", raise_on_error=False).success
    after = {row.table_name: row.published_at for row in warehouse.rows("select * from publications")}
    assert {table for table in before if before[table] == after[table]} == {customers.table, "charts"}
    assert warehouse.rows(f"select name from {customers.table}") == [{"name": "rfm_distributions"}]


@pytest.mark.usefixtures("one_chart")
def test_assets_load_by_name(warehouse, instance: dg.DagsterInstance, inbox: Path) -> None:
    """What a notebook does: a DataFrame by the name of the asset, of a partitioned one as well; or a relation."""
    run_lineage(instance, "march.sql")
    definitions = build_definitions(Configuration.read())
    assert definitions.load_asset_value("segments", instance=instance).shape == (20, 8)
    write_dump(inbox / "april.sql", [Line("a", invoice_date="2011-04-04 10:00:00")])
    run_lineage(instance, "april.sql")
    assert len(definitions.load_asset_value("raw_invoices", instance=instance)) == 41
    assert len(definitions.load_asset_value("raw_invoices", partition_key="april.sql", instance=instance)) == 1
    assert definitions.load_asset_value("segments", python_type=Relation, instance=instance) == Relation(
        "segments", published_versions(warehouse)["segments"]
    )


@pytest.mark.usefixtures("one_chart")
def test_a_real_dump_takes_the_place_of_the_demo(warehouse, instance: dg.DagsterInstance, inbox: Path) -> None:
    """Synthetic lines never add to real ones: with the first real dump they are gone, and none but they."""
    write_dump(Configuration.read().state / "demo" / DEMO_DUMP, [Line(customer_id=1)])
    run_lineage(instance, DEMO_DUMP)
    assert [dump.dump for dump in loaded_dumps(warehouse)] == [DEMO_DUMP]
    run_lineage(instance, "march.sql")
    assert [dump.dump for dump in loaded_dumps(warehouse)] == ["march.sql"]
    assert warehouse.rows("select distinct dump from clean_invoices") == [{"dump": "march.sql"}]


@pytest.mark.usefixtures("one_chart")
def test_settings_reach_the_tables(warehouse, instance: dg.DagsterInstance, inbox: Path) -> None:
    """A setting changes the figures and is recorded with them."""
    run_lineage(instance, "march.sql", snapshot_date="2012-01-01", ties="together")
    assert warehouse.rows("select distinct snapshot_date::text from rfm_scores") == [
        {"snapshot_date": "2012-01-01 00:00:00"}
    ]
    assert settings_used(warehouse)["rfm_scores"] == {"snapshot_date": "2012-01-01", "ties": "together"}


@pytest.mark.usefixtures("one_chart")
def test_settings_can_be_given_in_the_launchpad(warehouse, instance: dg.DagsterInstance, inbox: Path) -> None:
    """Run configuration under resources, as the UI's launchpad writes it; a wrong value is refused before the run."""
    instance.add_dynamic_partitions("dumps", ["march.sql"])
    job = build_definitions(Configuration.read()).resolve_job_def("lineage")
    config = {"resources": {"settings": {"config": {"snapshot_date": "2011-06-01", "chart_cutoff": 0.5}}}}
    assert job.execute_in_process(instance=instance, partition_key="march.sql", run_config=config).success
    used = settings_used(warehouse)
    assert used["rfm_scores"]["snapshot_date"] == "2011-06-01"
    assert used["invoice_amount_statistics"] == {"chart_cutoff": 0.5}
    for wrong in ({"ties": "never"}, {"chart_cutoff": "high"}, {"colour": "red"}):
        with pytest.raises(dg.DagsterInvalidConfigError):
            job.execute_in_process(
                instance=instance,
                partition_key="march.sql",
                run_config={"resources": {"settings": {"config": wrong}}},
            )


@pytest.mark.usefixtures("one_chart")
def test_the_rows_of_a_table_and_of_its_partition_are_counted(
    warehouse, instance: dg.DagsterInstance, inbox: Path
) -> None:
    """Of the second dump, its own lines as the partition's; those of both as the table's."""
    run_lineage(instance, "march.sql")
    write_dump(inbox / "april.sql", [Line("a", invoice_date="2011-04-04 10:00:00")])
    result = run_lineage(instance, "april.sql")
    (event,) = result.asset_materializations_for_node("raw_invoices")
    assert event.metadata["dagster/row_count"].value == 41
    assert event.metadata["dagster/partition_row_count"].value == 1


def test_an_input_that_the_model_is_not_told_of_is_an_error() -> None:
    """Else its table would be built from a version that nobody knows."""
    spec = dg.AssetSpec("segments", deps=["rfm_scores", "segment_playbook"])
    made = Model("segments.sql", rfm_scores=Relation("rfm_scores", "v1"))
    with pytest.raises(LgsError, match="segments is given segment_playbook, which its model is not told of"):
        versions_read(spec, made)


def test_a_frame_carries_the_versions_that_it_was_built_from() -> None:
    """Those that its inputs had when they were handed over, whatever has become of the tables since."""
    read = pd.DataFrame({"amount": [1.0]})
    read.attrs |= {"table": "invoice_amounts", "version": "v1"}
    made = built_from(pd.DataFrame(), [read, Relation("rfm_scores", "v2"), "no table"])
    spec = dg.AssetSpec("charts", deps=["invoice_amounts", "rfm_scores"])
    assert versions_read(spec, made) == {"invoice_amounts": "v1", "rfm_scores": "v2"}


def test_a_file_that_code_depends_on_must_exist(tmp_path: Path) -> None:
    """A path that is out of date would leave the version the same for good."""
    with pytest.raises(FileNotFoundError):
        code_version("segments", tmp_path / "gone.py")
