"""What the Dagster UI is told of the platform, and the whole lineage as one job on a small dump."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from lgs_assets import project
from lgs_assets.configuration import Settings
from lgs_assets.contracts.model import Model, Relation
from lgs_assets.definitions import build_definitions, defs
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.errors import LgsError
from lgs_assets.warehouse.ledger import loaded_dumps
from lgs_assets.wiring.versions import built_from, code_version, published_versions, versions_read
from lgs_assets_tests.builders import Line, write_dump

LINEAGE = {
    "raw_invoices": set(),
    "clean_invoices": {"raw_invoices"},
    "invoice_totals": {"clean_invoices"},
    "monthly_metrics": {"invoice_totals"},
    "user_activity": {"invoice_totals"},
    "invoice_amounts": {"invoice_totals"},
    "invoice_amount_statistics": {"invoice_amounts"},
    "rfm_scores": {"invoice_totals"},
    "segment_playbook": set(),
    "segments": {"rfm_scores", "segment_playbook"},
    "segment_summary": {"segments", "segment_playbook"},
    "charts": {
        "invoice_amounts", "invoice_amount_statistics", "monthly_metrics", "user_activity", "rfm_scores",
        "segment_playbook", "segment_summary",
    },
}  # fmt: skip
SPECS = {spec.key.path[-1]: spec for spec in defs.resolve_all_asset_specs()}


def test_definitions_load() -> None:
    """Every job, schedule, sensor, asset and check resolves against the others."""
    dg.Definitions.validate_loadable(defs)


def test_the_lineage_is_the_one_of_the_readme() -> None:
    """Each table is built from those that the picture says."""
    assert {name: {dep.asset_key.path[-1] for dep in spec.deps} for name, spec in SPECS.items()} == LINEAGE


@pytest.mark.parametrize("name", LINEAGE)
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


def run_lineage(instance: dg.DagsterInstance, dump: str, **overrides: object) -> dg.ExecuteInProcessResult:
    instance.add_dynamic_partitions("dumps", [dump])
    job = build_definitions(**overrides).resolve_job_def("lineage")
    return job.execute_in_process(instance=instance, partition_key=dump)


def test_the_job_builds_every_table_and_runs_every_check(warehouse, instance: dg.DagsterInstance, inbox: Path) -> None:
    """One run from dump to charts; what it records of each table is what the UI shows."""
    result = run_lineage(instance, "march.sql")
    assert result.success
    assert {check.check_name for check in result.get_asset_check_evaluations() if not check.passed} == set()
    assert len(result.get_asset_check_evaluations()) == 19
    for name in LINEAGE:
        (event,) = result.asset_materializations_for_node(name)
        metadata = event.metadata
        assert metadata["dagster/row_count"].value > 0
        assert metadata["dagster/table_name"].value == f"lgs.{name}"
        columns = metadata["dagster/column_schema"].value.columns
        assert columns and all(column.description for column in columns)
        assert "|" in metadata["preview"].value or "data:image/png;base64," in metadata["preview"].value
        assert len(metadata["preview"].value) < 400_000
        is_model = (project.SQL / "models" / f"{name}.sql").exists()
        assert ("dagster/column_lineage" in metadata) == is_model
    segments = result.asset_materializations_for_node("segments")[0].metadata["dagster/column_lineage"].value
    assert segments.deps_by_column["strategy"] == [dg.TableColumnDep(dg.AssetKey("segment_playbook"), "strategy")]
    clean = result.asset_materializations_for_node("clean_invoices")[0].metadata["dagster/column_lineage"].value
    assert {dep.column_name for dep in clean.deps_by_column["line_total"]} == {"quantity", "unit_price"}


@pytest.mark.usefixtures("one_chart")
def test_assets_load_by_name(warehouse, instance: dg.DagsterInstance, inbox: Path) -> None:
    """What a notebook does: a DataFrame by the name of the asset, of a partitioned one as well; or a relation."""
    run_lineage(instance, "march.sql")
    definitions = build_definitions()
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
    write_dump(project.state() / "demo" / DEMO_DUMP, [Line(customer_id=1)])
    run_lineage(instance, DEMO_DUMP)
    assert [dump.dump for dump in loaded_dumps(warehouse)] == [DEMO_DUMP]
    run_lineage(instance, "march.sql")
    assert [dump.dump for dump in loaded_dumps(warehouse)] == ["march.sql"]
    assert warehouse.rows("select distinct dump from clean_invoices") == [{"dump": "march.sql"}]


@pytest.mark.usefixtures("one_chart")
def test_settings_reach_the_tables(warehouse, instance: dg.DagsterInstance, inbox: Path) -> None:
    """A setting changes the figures and is recorded with them."""
    run_lineage(instance, "march.sql", settings=Settings(snapshot_date="2012-01-01", ties="together"))
    assert warehouse.rows("select distinct snapshot_date::text from rfm_scores") == [
        {"snapshot_date": "2012-01-01 00:00:00"}
    ]
    assert warehouse.rows("select distinct settings ->> 'ties' as ties from publications") == [{"ties": "together"}]


@pytest.mark.usefixtures("one_chart")
def test_settings_can_be_given_in_the_launchpad(warehouse, instance: dg.DagsterInstance, inbox: Path) -> None:
    """Run configuration under resources, as the UI's launchpad writes it; a wrong value is refused before the run."""
    instance.add_dynamic_partitions("dumps", ["march.sql"])
    job = build_definitions().resolve_job_def("lineage")
    config = {"resources": {"settings": {"config": {"snapshot_date": "2011-06-01", "chart_cutoff": 0.5}}}}
    assert job.execute_in_process(instance=instance, partition_key="march.sql", run_config=config).success
    assert warehouse.rows("select distinct settings ->> 'snapshot_date' as day from publications") == [
        {"day": "2011-06-01"}
    ]
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
