"""The notebooks run as they are stored, on the demo data, and say what the tables say."""

import base64
import sys
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import nbformat
import pandas as pd
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from lgs_assets import places
from lgs_assets.configuration import Configuration
from lgs_assets.definitions import build_definitions
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import read_frame
from lgs_assets_tests.builders import MakeDatabase
from lgs_assets_tests.conftest import own_environment

NOTEBOOKS = sorted((places.ROOT / "notebooks").glob("*.ipynb"))
FRAMES = {
    "customer_segments": ("segments", "summary", "calls", "moved"),
    "did_it_work": ("customers", "answer", "rates"),
}


class ThisInterpreter(AsyncKernelManager):
    """Starts the Python that runs the tests as kernel, whichever kernels the machine knows."""

    kernel_spec = KernelSpec(
        argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"], language="python"
    )


@dataclass(frozen=True)
class Executed:
    """A notebook after its run, frames of its own by name, and the warehouse that it read."""

    notebook: NotebookNode
    frames: dict[str, pd.DataFrame]
    warehouse: Warehouse


@pytest.fixture(scope="module")
def all_executed(demo: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Executed]:
    """The notebooks by name, executed outside the checkout, on the demo shop."""
    folder = tmp_path_factory.mktemp("notebook")
    with own_environment(folder / "lgs", demo.url) as environment:
        environment.setenv("PYTHONPATH", str(places.ROOT))
        environment.setenv("IPYTHONDIR", str(folder / "ipython"))
        environment.setenv("JUPYTER_RUNTIME_DIR", str(folder / "jupyter"))
        return {path.stem: execute(path, folder, demo) for path in NOTEBOOKS}


@pytest.fixture
def executed(all_executed: dict[str, Executed]) -> Executed:
    """customer_segments.ipynb."""
    return all_executed["customer_segments"]


def execute(path: Path, folder: Path, warehouse: Warehouse) -> Executed:
    notebook = nbformat.read(path, as_version=4)
    kept = {name: folder / f"{path.stem}-{name}" for name in FRAMES[path.stem]}
    keep = "\n".join(f"{name}.to_pickle({str(file)!r})" for name, file in kept.items())
    notebook.cells.append(new_code_cell(keep))
    NotebookClient(
        notebook,
        kernel_manager_class=ThisInterpreter,
        allow_errors=True,  # a failed cell is a failed test, not a broken fixture
        timeout=60,
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    frames = {name: pd.read_pickle(file) for name, file in kept.items() if file.exists()}
    return Executed(notebook, frames, warehouse)


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_clean(path: Path) -> None:
    """No outputs, no counts, stable ids: a change of a notebook is a change of what it says."""
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert not outputs(notebook)
    assert all(cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code")
    assert not any(cell.metadata for cell in notebook.cells)


@pytest.mark.parametrize("name", FRAMES)
def test_every_cell_runs_without_a_complaint(all_executed: dict[str, Executed], name: str) -> None:
    """No cell fails, and none writes a warning."""
    executed = all_executed[name]
    errors = [
        f"{output.ename}: {output.evalue}" for output in outputs(executed.notebook) if output.output_type == "error"
    ]
    warnings = [output.text for output in outputs(executed.notebook) if output.get("name") == "stderr"]
    assert (errors, warnings) == ([], [])


def test_every_chart_of_the_report_is_shown(executed: Executed) -> None:
    """The pictures are those that the asset holds, and none is missing."""
    data = [output.data for output in outputs(executed.notebook) if "data" in output]
    shown = {base64.b64decode(item["image/png"]) for item in data if "image/png" in item}
    charts = read_frame(executed.warehouse, "charts").set_index("name")["png"]
    assert [name for name, png in charts.items() if png not in shown] == []


def test_the_summary_has_the_customers_of_the_table(executed: Executed) -> None:
    """Segment by segment, and in the order of reports."""
    rows = executed.warehouse.rows("select segment, count(*) as customers from segments group by segment")
    summary = executed.frames["summary"]["customers"]
    assert summary[summary > 0].to_dict() == {row.segment: row.customers for row in rows}
    assert summary.index.tolist() == [
        row.segment for row in executed.warehouse.rows("select segment from segment_playbook order by position")
    ]


def test_the_call_list_is_net_of_cancellations(executed: Executed) -> None:
    """The customers of the segment who spent most, each with what they kept."""
    rows = executed.warehouse.rows(
        "select customer_id, monetary, sum(line_total) as net from segments join clean_invoices using (customer_id) "
        "where segment = 'Can''t Lose' group by customer_id order by monetary desc limit 15"
    )
    calls = executed.frames["calls"]
    assert len(rows) > 0
    assert calls["monetary"].to_dict() == pytest.approx({row.customer_id: float(row.monetary) for row in rows})
    assert calls["net_revenue"].to_dict() == pytest.approx({row.customer_id: float(row.net) for row in rows})


def test_invoices_that_are_held_twice_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Of each month whose sales they raise by 1 % or more, what it comes to without them. The demo shop has none."""
    notebook = nbformat.read(places.ROOT / "notebooks" / "customer_segments.ipynb", as_version=4)
    (cell,) = (cell for cell in notebook.cells if cell.get("id") == "months-doubled")
    months = pd.DataFrame(
        {
            "doubled_orders": [12, 1],
            "total_orders": [40, 50],
            "sales": [1500.5, 1000.0],
            "sales_once": [1000.25, 995.0],
        },
        index=pd.to_datetime(["2010-12-01", "2011-01-01"]),
    )
    exec(cell.source, {"months": months})
    assert capsys.readouterr().out == (
        "December 2010 holds 12 of its 40 invoices twice: counted once, its sales are £1,000.25, not £1,500.50.\n"
    )


def test_the_what_if_is_what_the_setting_does(
    executed: Executed, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who would move are those who move when the tables are rebuilt with ties together."""
    executed.warehouse.engine.dispose()
    again = Warehouse(make_database(template=executed.warehouse.url))
    monkeypatch.setenv("LGS_DATABASE_URL", again.url)
    definitions = build_definitions(Configuration.read(ties="together"))
    with dg.DagsterInstance.ephemeral() as instance:
        tables = [dg.AssetKey("rfm_history"), dg.AssetKey("rfm_scores"), dg.AssetKey("segments")]
        definitions.resolve_job_def("refresh").execute_in_process(instance=instance, asset_selection=tables)
    before = executed.frames["segments"].set_index("customer_id")["segment"]
    rebuilt = read_frame(again, "segments").set_index("customer_id")["segment"]
    moved = executed.frames["moved"].set_index("customer_id")["segment_together"]
    assert 0 < len(moved) < len(before)
    assert moved.to_dict() == rebuilt[rebuilt != before].to_dict()
    again.engine.dispose()


def test_the_campaign_whose_lift_is_known_is_found(all_executed: dict[str, Executed]) -> None:
    """Of what customers really bought; a claim is far off the truth, and the interval holds it as often as it says."""
    frames, warehouse = all_executed["did_it_work"].frames, all_executed["did_it_work"].warehouse
    customers, (answer,), rates = frames["customers"], frames["answer"].to_dict().values(), frames["rates"]
    bought = warehouse.rows(
        "select count(distinct customer_id) as customers from clean_invoices "
        "where is_sale and customer_id = any (:customers) and invoice_date >= '2011-09-01' "
        "and invoice_date < '2011-11-30'",
        customers=customers["customer_id"].tolist(),
    )
    assert customers["bought_within"].sum() == bought[0].customers > 0
    assert answer["at least"] <= answer["the truth"] <= answer["at most"]
    assert answer["claimed without a control group"] > answer["the truth"] + 5
    assert 0.9 <= rates["the interval holds the truth"] <= 0.99
    assert 0.02 <= rates["an effect shows though there is none"] <= 0.09
