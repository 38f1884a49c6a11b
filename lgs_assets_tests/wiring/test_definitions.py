"""What the Dagster UI is told about the platform, and what its jobs do on a small dump."""

import base64
import inspect
import logging
import re
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from matplotlib.figure import Figure

from lgs_assets import places
from lgs_assets.charts import image
from lgs_assets.charts.declaration import Family
from lgs_assets.charts.report import families
from lgs_assets.configuration import Acceptance, Configuration, Settings
from lgs_assets.contracts.check import CHECKS
from lgs_assets.contracts.contract import ledgers
from lgs_assets.contracts.model import Model, Relation
from lgs_assets.dashboard.app import PAGES
from lgs_assets.definitions import build_definitions, defs
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.errors import DumpError, LgsError
from lgs_assets.escaping import markdown
from lgs_assets.sources import Reject
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import loaded_dumps
from lgs_assets.warehouse.tables import PostgresTables
from lgs_assets.wiring import metadata
from lgs_assets.wiring.failures import StepFailure
from lgs_assets.wiring.instance import dagster_instance
from lgs_assets.wiring.jobs import load_dumps
from lgs_assets.wiring.lineage import built_specs
from lgs_assets.wiring.metadata import describe_table
from lgs_assets.wiring.resources import RunAcceptance, RunSettings
from lgs_assets.wiring.versions import built_from, code_version, published_versions, settings_used, versions_read
from lgs_assets_tests.builders import MODELS, SHOP, Line, build_tables, load_lines, resources, write_dump
from lgs_assets_tests.conftest import Built

SPECS = {spec.key.path[-1]: spec for spec in sorted(built_specs(), key=lambda spec: spec.key)}


def test_definitions_load() -> None:
    """Every job, schedule, sensor, asset and check resolves against the others."""
    dg.Definitions.validate_loadable(defs)


def test_every_table_of_the_lineage_has_an_asset() -> None:
    """A contract without an asset would be a table that nothing fills, except records of loads and builds."""
    contracts = {path.stem for path in (places.SQL / "tables").glob("*.sql")}
    assert contracts - SPECS.keys() == set(ledgers())
    assert SPECS.keys() <= contracts


@pytest.mark.parametrize("table", MODELS)
def test_an_asset_depends_on_what_its_model_reads(table: str) -> None:
    """Otherwise Dagster would build it too early, or not at all when an input has changed."""
    dependencies = {dep.asset_key.path[-1] for dep in SPECS[table].deps}
    assert dependencies == MODELS[table].reads.keys() & SPECS.keys()


def test_links_to_the_dashboard_lead_to_a_page() -> None:
    """Of those in its navigation."""
    assert {f"/{path}" for path in metadata._PAGES.values()} <= {page.path for page in PAGES if page.label}


@pytest.mark.parametrize("name", SPECS)
def test_an_asset_says_what_it_is(name: str) -> None:
    """Description, owner, group, kinds and code version are there for the UI, and a contract for the table."""
    spec = SPECS[name]
    assert spec.description and spec.description.endswith(".")
    assert spec.owners == ["team:analytics"]
    assert spec.group_name not in (None, "default")
    assert "postgres" in spec.kinds
    assert spec.code_version
    assert spec.freshness_policy
    assert (places.SQL / "tables" / f"{name}.sql").exists()


def test_no_place_can_be_given_to_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Users who start a run, in the launchpad or over GraphQL, cannot choose a file, table or address that it reads."""
    monkeypatch.setenv("LGS_SOURCE_URL", "postgresql://shop.example/sales")
    resources = build_definitions(Configuration.read()).resources or {}
    configurable = {name: value for name, value in resources.items() if isinstance(value, dg.ConfigurableResource)}
    fields = {name: set(type(value).model_fields) for name, value in configurable.items()}
    assert fields == {"settings": set(Settings.model_fields), "acceptance": set(Acceptance.model_fields)}
    assert {"inbox", "source", "warehouse"} <= resources.keys()


@pytest.fixture
def instance(built: Warehouse) -> Iterator[dg.DagsterInstance]:
    """The instance that knows how the tables came about."""
    with dagster_instance(Configuration.read()) as instance:
        yield instance


@pytest.fixture
def history(built_to_read: Built, monkeypatch: pytest.MonkeyPatch, one_chart: None) -> Iterator[dg.DagsterInstance]:
    """The same, only to be read: what the tables came from, beside the tables."""
    monkeypatch.setenv("LGS_HOME", str(built_to_read.home))
    monkeypatch.setenv("LGS_DATABASE_URL", built_to_read.database)
    with dagster_instance(Configuration.read()) as instance:
        yield instance


def run(
    instance: dg.DagsterInstance,
    job: str,
    *tables: str,
    dump: str | None = None,
    config: dict[str, Any] | None = None,
    raise_on_error: bool = True,
    **settings: Any,
) -> dg.ExecuteInProcessResult:
    """Runs a job, or what it does for some tables."""
    if dump:
        instance.add_dynamic_partitions("dumps", [dump])
    return (
        build_definitions(Configuration.read(**settings))
        .resolve_job_def(job)
        .execute_in_process(
            instance=instance,
            partition_key=dump,
            asset_selection=[dg.AssetKey(table) for table in tables] or None,
            run_config=config,
            raise_on_error=raise_on_error,
        )
    )


def metadata_of(instance: dg.DagsterInstance, table: str) -> dict[str, Any]:
    """What the last build of a table recorded, by name."""
    event = instance.get_latest_materialization_event(dg.AssetKey(table))
    assert event and event.asset_materialization
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def test_runs_build_every_table_and_execute_every_check(history: dg.DagsterInstance) -> None:
    """One check each, which holds."""
    runs = [record.dagster_run.run_id for record in history.get_run_records()]
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    events = [entry.get_dagster_event() for run_id in runs for entry in history.all_logs(run_id, of_type=kind)]
    evaluations = [event.asset_check_evaluation_data for event in events]
    checks = sorted((check.asset_key.path[-1], check.check_name) for check in evaluations)
    assert checks == sorted((check.table, check.name) for check in CHECKS)
    assert not [(check.asset_key.path[-1], check.check_name) for check in evaluations if not check.passed]


def test_segments_and_months_come_before_what_they_do_not_need(history: dg.DagsterInstance) -> None:
    """People wait for them; charts, products and predictions, all that takes long, come after."""
    (newest,) = history.get_run_records(limit=1)
    kind = dg.DagsterEventType.STEP_START
    entries = history.all_logs(newest.dagster_run.run_id, of_type=kind)
    begun = [entry.get_dagster_event().step_key for entry in entries]
    later = [begun.index(name) for name in SPECS if SPECS[name].group_name in {"products", "foresight", "report"}]
    assert max(begun.index("segment_summary"), begun.index("monthly_metrics")) < min(later)


@pytest.mark.parametrize("name", SPECS)
def test_what_a_build_records_is_what_the_ui_shows(history: dg.DagsterInstance, name: str) -> None:
    """For each table its rows, its columns, where they come from, and a preview."""
    metadata = metadata_of(history, name)
    assert metadata["dagster/row_count"] == resources().tables.extent(name).rows
    assert metadata["dagster/table_name"] == f"lgs.{name}"
    columns = metadata["dagster/column_schema"].columns
    assert columns and all(column.description for column in columns)
    assert metadata["preview"].startswith(f"| {markdown(columns[0].name)} ")
    assert len(metadata["preview"]) < 10_000
    assert ("dagster/column_lineage" in metadata) == ("column_origins" in metadata) == (name in MODELS)
    if name != "raw_invoices":
        assert metadata["version"] == published_versions(resources().warehouse)[name][:16]


@pytest.mark.parametrize("name", SPECS)
def test_the_page_of_a_table_shows_the_select_that_makes_it(name: str) -> None:
    """A figure that somebody doubts is explained where it is seen."""
    if name in MODELS:
        assert SPECS[name].metadata["sql"].value == f"```sql\n{MODELS[name].select}\n```"
    else:
        assert "sql" not in SPECS[name].metadata


def test_a_small_table_is_shown_whole_and_a_large_one_by_its_first_rows(instance: dg.DagsterInstance) -> None:
    """The segments in the order of reports, in pounds and pence; months by their days; of the lines, the first five."""
    segments = metadata_of(instance, "segment_summary")["preview"].splitlines()
    best = resources().warehouse.rows("select * from segment_summary where revenue > 0 order by position limit 1")[0]
    (row,) = [line for line in segments if line.startswith(f"| {markdown(best.segment)} |")]
    assert [line.split(" | ")[1] for line in segments[2:]] == [str(position) for position in range(1, 11)]
    assert f" | {best.revenue:,.2f} | " in row
    months = metadata_of(instance, "monthly_metrics")["preview"].splitlines()
    assert [line.split(" | ")[0] for line in months[2:]] == ["| 2011-03-01", "| 2011-04-01", "| 2011-05-01"]
    assert "00:00:00" not in metadata_of(instance, "rfm_scores")["preview"]
    more = [Line(str(number), unit_price="0.125", customer_id=f"{number}.0") for number in range(100, 200)]
    write_dump(Path(Configuration.read().inbox_location) / "a.sql", more)
    assert run(instance, "ingest", "raw_invoices", dump="a.sql").success
    lines = metadata_of(instance, "raw_invoices")["preview"].splitlines()
    assert [line.split(" | ")[7:9] for line in lines[2:]] == [["0.125", str(number)] for number in range(100, 105)]


def test_a_build_records_the_settings_that_made_it(instance: dg.DagsterInstance) -> None:
    """Those that the table depends on, as a person writes them, and no others."""
    assert run(instance, "refresh", "rfm_history", "segments", ties="together").success
    assert metadata_of(instance, "rfm_history")["settings"] == "snapshot_date unset, ties together"
    assert metadata_of(instance, "clean_invoices")["settings"] == "drop_repeats no, doubled_invoices twice"
    assert "settings" not in metadata_of(instance, "segments")


def test_the_launchpad_offers_every_setting_and_explains_it_to_its_reader() -> None:
    """Dagster leaves out what is null, and shows the docstrings of classes that it finds."""
    job = build_definitions(Configuration.read()).resolve_job_def("lineage")
    everything: Any = job.run_config_schema.config_type
    resources = everything.fields["resources"]
    offered = resources.default_value["settings"]["config"]
    assert offered == Settings().model_dump()
    assert None not in offered.values()
    fields = Settings.model_fields | Acceptance.model_fields
    ours = {field.description for field in fields.values()}
    ours |= {inspect.getdoc(RunSettings), inspect.getdoc(RunAcceptance), None}
    shown = {
        description
        for resource in resources.config_type.fields.values()
        for part in (resource, *resource.config_type.fields.values())
        for description in [
            part.description,
            *(field.description for field in getattr(part.config_type, "fields", {}).values()),
        ]
    }
    assert shown <= ours


@pytest.mark.parametrize("family", families(), ids=lambda family: family.table)
def test_the_charts_of_a_family_are_shown_with_it(history: dg.DagsterInstance, family: Family) -> None:
    """Pictures wide enough to read, and small enough for an event log that keeps them for ever."""
    pictures = metadata_of(history, family.table)["charts"]
    shown = re.findall(r"data:image/png;base64,([^)]+)", pictures)
    assert len(shown) == len(family.charts)
    for picture in shown:
        (width,) = struct.unpack_from(">I", base64.b64decode(picture), 16)  # where the header of a PNG has it
        assert width >= 800
    assert len(pictures) < 60_000 * len(family.charts)


@pytest.mark.parametrize(
    ("column", "sources"),
    [
        ("segments.strategy", {"segment_playbook.strategy"}),
        ("clean_invoices.line_total", {"raw_invoices.quantity", "raw_invoices.unit_price"}),
    ],
)
def test_a_column_knows_where_it_comes_from(history: dg.DagsterInstance, column: str, sources: set[str]) -> None:
    """Read from the SELECT: a value that is passed on, and one that is computed."""
    table, _, name = column.partition(".")
    lineage = metadata_of(history, table)["dagster/column_lineage"]
    assert {f"{dep.asset_key.path[-1]}.{dep.column_name}" for dep in lineage.deps_by_column[name]} == sources
    shown = markdown(", ".join(sorted(sources)))
    assert f"| {markdown(name)} | {shown} |" in metadata_of(history, table)["column_origins"].splitlines()


def test_a_chart_that_fails_takes_no_other_family(
    built: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other families are redrawn; of the failed one, and of the report, the last good charts stay."""
    drawn = [*(family.table for family in families()), "charts"]
    query = "select table_name, published_at from publications where table_name = any (:drawn)"
    before = {row.table_name: row.published_at for row in built.rows(query, drawn=drawn)}
    (customers,) = (family for family in families() if family.table == "customer_charts")

    def fail(**tables: Any) -> Figure:
        raise ZeroDivisionError

    monkeypatch.setattr(customers, "charts", [replace(customers.charts[0], draw=fail)])
    assert not run(instance, "refresh", *drawn, raise_on_error=False).success
    after = {row.table_name: row.published_at for row in built.rows(query, drawn=drawn)}
    assert {table for table in drawn if before[table] == after[table]} == {customers.table, "charts"}
    assert built.rows(f"select name from {customers.table}") == [{"name": "rfm_distributions"}]


def failure_of(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult, *, table: str) -> Any:
    """What Dagster records of the step of a table that failed; it was tried once."""
    (entry,) = instance.all_logs(result.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    assert instance.all_logs(result.run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY) == []
    event = entry.get_dagster_event()
    assert event.step_key == table
    return event.step_failure_data


def test_a_bad_dump_is_shown_with_its_reason_first(instance: dg.DagsterInstance) -> None:
    """Nothing of Dagster's own before it or around it; beside it what to do, and the rejected lines."""
    lines = [Line(str(number), quantity="seven" if number % 2 else 7) for number in range(20)]
    write_dump(Path(Configuration.read().inbox_location) / "bad.sql", lines)
    failure = failure_of(instance, run(instance, "ingest", dump="bad.sql", raise_on_error=False), table="raw_invoices")
    reason = "bad.sql: 10 of 20 lines cannot be read, more than 1.00%"
    assert reason in failure.user_failure_data.description.splitlines()[0]
    assert reason in failure.error.message.splitlines()[0]
    assert failure.error.cause is None
    metadata = failure.user_failure_data.metadata
    assert metadata["what to do"].value.endswith("lgs forget DUMP")
    records = metadata["first rejected lines"].records
    assert [record.data["line"] for record in records] == [*range(3, 22, 2)]
    assert {record.data["column"] for record in records} == {"quantity"}
    assert "seven" in records[0].data["text"]


def test_a_rejected_line_of_any_length_is_a_row_of_a_failure() -> None:
    """Its beginning: an event of megabytes would make the history of runs slow for ever."""
    rejects = [Reject(2, "x" * 10_000, None, "expected 8 fields, found 1"), Reject(3, "x\ty", None, "as before")]
    table = StepFailure(DumpError("a.csv: 2 of 2 lines", rejects=rejects)).metadata["first rejected lines"]
    assert isinstance(table, dg.TableMetadataValue)
    assert [record.data["text"] for record in table.records] == ["x" * 500 + "…", "x\\ty"]


@pytest.mark.parametrize(
    ("table", "dump", "settings", "reason"),
    [
        ("raw_invoices", "gone.sql", {}, "gone.sql"),
        ("rfm_history", None, {"snapshot_date": "2011-03-02"}, "rfm_history"),
    ],
)
def test_any_error_of_the_platform_is_shown_as_it_stands(
    instance: dg.DagsterInstance, table: str, dump: str | None, settings: dict[str, Any], reason: str
) -> None:
    """A file that has gone before it was read; rows that break the contract of their table."""
    job = "ingest" if dump else "refresh"
    failure = failure_of(instance, run(instance, job, table, dump=dump, raise_on_error=False, **settings), table=table)
    assert reason in failure.user_failure_data.description
    assert failure.error.message.partition(": ")[2].startswith(failure.user_failure_data.description)


def test_many_dumps_are_loaded_by_one_run(built: Warehouse, instance: dg.DagsterInstance) -> None:
    """Each is a partition as if it had been loaded alone, all are checked once, and a bad one is the run's failure."""
    dumps = {"a.sql": [Line("a")], "bad.sql": [Line(quantity="seven")], "c.sql": [Line("c"), Line("d")]}
    for name, lines in dumps.items():
        write_dump(Path(Configuration.read().inbox_location) / name, lines)
    config = {"ops": {load_dumps.name: {"config": {"dumps": list(dumps)}}}}
    result = run(instance, "ingest_many", config=config, raise_on_error=False)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "bad.sql: 1 of 1 lines cannot be read" in str(failure.step_failure_data.user_failure_data)
    made = [event.step_materialization_data.materialization for event in result.get_asset_materialization_events()]
    loaded_lines = {each.partition: each.metadata["dump_lines"].value for each in made}
    assert loaded_lines == {"a.sql": 1, "c.sql": 2}
    assert {loaded.dump for loaded in loaded_dumps(built) if loaded.run == result.run_id} == {"a.sql", "c.sql"}
    evaluations = result.get_asset_check_evaluations()
    assert [(check.check_name, check.passed) for check in evaluations] == [
        ("lines_match_ledger", True),
        ("no_line_is_rejected", True),
        ("prices_are_in_pounds", True),
    ]


def test_a_table_that_cannot_be_described_is_published_all_the_same(
    built: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows are there when its description fails: a warning, and the run goes on to its end."""

    def fail(*arguments: Any) -> str:
        raise OverflowError("date value out of range")

    monkeypatch.setattr(metadata, "markdown_table", fail)
    monkeypatch.setattr(image, "thumbnail", fail)
    april = [Line("a", customer_id=101, invoice_date="2011-04-04 10:00:00")]
    write_dump(Path(Configuration.read().inbox_location) / "april.sql", april)
    tables = ("raw_invoices", "clean_invoices", "rfm_scores", "month_charts")
    result = run(instance, "lineage", *tables, dump="april.sql")
    assert result.success
    reason = "published, but cannot be described: OverflowError: date value out of range"
    for table in tables:
        described = metadata_of(instance, table)
        assert reason in described["not described"]
        assert described["write_seconds"] >= 0
    warnings = [entry.user_message for entry in instance.all_logs(result.run_id) if entry.level == logging.WARNING]
    assert any(warning.startswith("rfm_scores is published") for warning in warnings)


def test_assets_load_by_name(instance: dg.DagsterInstance) -> None:
    """What a notebook does: a DataFrame by the name of the asset, of a partitioned one as well; or a relation."""
    load: Any = build_definitions(Configuration.read()).load_asset_value
    assert len(load("segments", instance=instance)) == len({line.customer_id for line in SHOP})
    write_dump(Path(Configuration.read().inbox_location) / "april.sql", [Line("a", invoice_date="2011-04-04 10:00:00")])
    assert run(instance, "ingest", dump="april.sql").success
    assert len(load("raw_invoices", instance=instance)) == len(SHOP) + 1
    assert len(load("raw_invoices", partition_key="april.sql", instance=instance)) == 1
    assert load("segments", python_type=Relation, instance=instance) == Relation(
        "segments", published_versions(resources().warehouse)["segments"]
    )


def test_a_real_dump_takes_the_place_of_the_demo(warehouse: Warehouse, tmp_path: Path) -> None:
    """Synthetic lines never add to real ones: with the first real dump they are gone, and none but they."""
    write_dump(Configuration.read().state / "demo" / DEMO_DUMP, [Line(customer_id=1)])
    write_dump(Path(Configuration.read().inbox_location) / "march.sql", SHOP)
    with dagster_instance(Configuration.read()) as instance:
        for dump in (DEMO_DUMP, "march.sql"):
            assert run(instance, "lineage", "raw_invoices", "clean_invoices", dump=dump).success
            assert [loaded.dump for loaded in loaded_dumps(warehouse)] == [dump]
            assert warehouse.rows("select distinct dump from clean_invoices") == [{"dump": dump}]


def test_settings_reach_the_tables(built: Warehouse, instance: dg.DagsterInstance) -> None:
    """A setting changes the figures and is recorded with them."""
    assert run(instance, "refresh", "rfm_history", "rfm_scores", snapshot_date="2012-01-01", ties="together").success
    assert built.rows("select distinct snapshot_date::text from rfm_scores") == [
        {"snapshot_date": "2012-01-01 00:00:00"}
    ]
    assert settings_used(built)["rfm_history"] == {"snapshot_date": "2012-01-01", "ties": "together"}


def test_settings_can_be_given_in_the_launchpad(built: Warehouse, instance: dg.DagsterInstance) -> None:
    """Run configuration under resources, as the UI's launchpad writes it; a wrong value is refused before the run."""

    def launch(**settings: object) -> dg.ExecuteInProcessResult:
        config = {"resources": {"settings": {"config": settings}}}
        return run(instance, "refresh", "rfm_history", "invoice_amount_statistics", config=config)

    assert launch(snapshot_date="2011-07-01", chart_cutoff=0.5).success
    used = settings_used(built)
    assert used["rfm_history"]["snapshot_date"] == "2011-07-01"
    assert used["invoice_amount_statistics"] == {"chart_cutoff": 0.5}
    for wrong in ({"ties": "never"}, {"chart_cutoff": "high"}, {"colour": "red"}):
        with pytest.raises(dg.DagsterInvalidConfigError):
            launch(**wrong)


def test_the_rows_of_a_table_and_of_its_partition_are_counted(instance: dg.DagsterInstance) -> None:
    """The second dump's own lines as the partition's; those of both as the table's."""
    write_dump(Path(Configuration.read().inbox_location) / "april.sql", [Line("a", invoice_date="2011-04-04 10:00:00")])
    result = run(instance, "ingest", dump="april.sql")
    (event,) = result.asset_materializations_for_node("raw_invoices")
    assert event.metadata["dagster/row_count"].value == len(SHOP) + 1
    assert event.metadata["dagster/partition_row_count"].value == 1


def test_an_input_that_the_model_is_not_told_of_is_an_error() -> None:
    """Otherwise its table would be built from a version that nobody knows."""
    spec = dg.AssetSpec("segments", deps=["rfm_scores", "segment_playbook"])
    made = Model("segments.sql", Relation("rfm_scores", "v1"))
    with pytest.raises(LgsError, match="segments is given segment_playbook, which its model does not name"):
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


def test_half_a_penny_is_rounded_as_everywhere_else(warehouse: Warehouse, tmp_path: Path) -> None:
    """The float nearest to this amount is above it; the decimal is shown, as in the command."""
    load_lines(warehouse, tmp_path, [Line(unit_price="9170522.425")])
    tables = PostgresTables(warehouse)
    build_tables(tables, "clean_invoices", "invoice_totals", "monthly_metrics")
    (month,) = warehouse.rows("select sales from monthly_metrics")
    shown = describe_table(tables, "monthly_metrics", model=None)["preview"].value
    assert f" | {month.sales:,.2f} | " in shown
