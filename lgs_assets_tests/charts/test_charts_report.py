"""The report as a whole: which charts it has, what every one of them says, and that equal tables make equal bytes."""

import io
import re
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ET

import matplotlib
import pandas as pd
import pytest
from PIL import Image

from lgs_assets.charts import render_all
from lgs_assets.charts.report import CHARTS
from lgs_assets.errors import ContractError, LgsError
from lgs_assets_tests.charts.conftest import Draw, MakeFrames, Texts

NAMES = [chart.name for chart in CHARTS]


@pytest.fixture(scope="module")
def report(frames: MakeFrames) -> pd.DataFrame:
    """The full report, rendered once; a warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return render_all(**frames())


def test_the_report_has_every_chart_of_the_definitions(report: pd.DataFrame) -> None:
    """No chart that the definitions promise is missing, and their order is the report's."""
    assert list(report["name"]) == [
        "invoice_amounts_all",
        "invoice_amounts_positive",
        "invoice_amounts_all_cut",
        "invoice_amounts_positive_cut",
        "invoice_amount_density",
        "monthly_orders",
        "monthly_sales",
        "monthly_sales_growth",
        "monthly_active_users",
        "new_and_existing_users",
        "rfm_distributions",
        "segment_sizes",
        "segment_treemap",
        "segment_grid",
    ]


def test_the_rows_keep_the_contract_of_the_table(report: pd.DataFrame) -> None:
    """The frame can be written as it is: columns, slugs, positions from 1, a title and bytes everywhere."""
    assert list(report.columns) == ["name", "position", "title", "png", "svg"]
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in report["name"])
    assert list(report["position"]) == list(range(1, len(CHARTS) + 1))
    assert report["title"].is_unique
    assert all(isinstance(png, bytes) for png in report["png"])
    assert all(isinstance(svg, str) for svg in report["svg"])


def test_png_files_are_large_enough_to_print(report: pd.DataFrame) -> None:
    """Every PNG opens and has the pixels of a sheet of 10 by 5.6 inches at 160 dots an inch."""
    for png in report["png"]:
        with Image.open(io.BytesIO(png)) as image:
            assert image.size == (1600, 896)


def test_svg_files_are_well_formed_and_small(report: pd.DataFrame) -> None:
    """A browser can open every SVG, and a page can hold all of them."""
    for name, svg in zip(report["name"], report["svg"], strict=True):
        assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg", name
        assert len(svg.encode()) < 300_000, name


def test_the_order_of_rows_changes_no_byte(frames: MakeFrames, report: pd.DataFrame) -> None:
    """A table has no order: its rows shuffled make the same PNG and the same SVG."""
    shuffled = {table: frame.sample(frac=1, random_state=3) for table, frame in frames().items()}
    pd.testing.assert_frame_equal(render_all(**shuffled), report)


def test_the_settings_of_the_machine_change_no_byte(frames: MakeFrames, report: pd.DataFrame) -> None:
    """A chart looks the same beside another's matplotlib settings, and leaves them alone."""
    with matplotlib.rc_context({"font.size": 31, "axes.facecolor": "red", "savefig.dpi": 50}):
        before = dict(matplotlib.rcParams)
        again = render_all(**frames(), names=["segment_grid"])
        assert dict(matplotlib.rcParams) == before
    assert again["png"][0] == report["png"].iloc[-1]


def test_no_file_says_when_or_by_what_it_was_made(report: pd.DataFrame) -> None:
    """A date or a version in a file would make each run's bytes differ."""
    assert all(b"Software" not in png and b"tIME" not in png for png in report["png"])
    assert not any("<dc:date>" in svg or "Matplotlib v" in svg for svg in report["svg"])


@pytest.mark.parametrize("name", NAMES)
def test_every_chart_says_what_it_shows_and_where_from(name: str, frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """A printed sheet stands alone: title, source and dates; the axes say what they measure."""
    figure = draw(name, frames())
    written = texts(figure)
    (chart,) = (chart for chart in CHARTS if chart.name == name)
    assert chart.title in written
    (source,) = (text for text in written if text.startswith("Source:"))
    assert "1 Nov 2010 \N{EN DASH} 9 Dec 2011" in source
    assert ("RFM snapshot: 1 Jan 2012" in source) == name.startswith(("rfm", "segment"))
    if name != "segment_treemap":
        assert any(axes.get_xlabel() for axes in figure.axes)
        assert any(axes.get_ylabel() for axes in figure.axes) or name == "segment_sizes"


def test_named_charts_keep_their_place(frames: MakeFrames) -> None:
    """One chart can be rendered alone, and is the same row as in the full report."""
    chosen = render_all(**frames(), names=["segment_grid", "monthly_sales"])
    assert list(zip(chosen["name"], chosen["position"], strict=True)) == [("monthly_sales", 7), ("segment_grid", 14)]


def test_an_unknown_chart_is_refused_with_the_names_there_are(frames: MakeFrames) -> None:
    """A typo in a name is answered by the names, not by an empty report."""
    with pytest.raises(LgsError, match=r"no chart monthly_sale; there are .*monthly_sales,"):
        render_all(**frames(), names=["monthly_sale"])


def test_a_missing_column_is_named(frames: MakeFrames) -> None:
    """A frame that lacks a column is refused with the table and the column."""
    given = frames()
    given["monthly_metrics"] = given["monthly_metrics"].drop(columns="is_partial")
    with pytest.raises(ContractError, match="column is_partial of monthly_metrics"):
        render_all(**given)


def test_tables_of_different_segments_are_refused(frames: MakeFrames) -> None:
    """A playbook newer than its summary is not drawn as if they agreed."""
    given = frames()
    given["segment_playbook"] = given["segment_playbook"].replace({"segment": {"Champions": "Heroes"}})
    with pytest.raises(ContractError, match=r"Only in segment_playbook: Heroes\. Only in segment_summary: Champions"):
        render_all(**given)


def test_empty_tables_make_a_report_that_says_so(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """Before the first dump there is a sheet for each chart, not a failure."""
    empty = {table: frame.iloc[:0] for table, frame in frames().items()}
    for name in NAMES:
        assert "No data yet." in texts(draw(name, empty))


def test_rendering_needs_no_pyplot() -> None:
    """Pyplot would choose a GUI backend and keep every figure in memory."""
    code = "import sys, lgs_assets.charts; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
