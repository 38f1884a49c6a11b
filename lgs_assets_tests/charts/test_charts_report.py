"""The report as a whole: which charts it has, what every one of them says, and that equal tables make equal bytes."""

import io
import os
import re
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from lgs_assets.charts.declaration import EMPTY, Family
from lgs_assets.charts.families import customer_charts, month_charts
from lgs_assets.charts.report import ORIGIN, compose, families, render
from lgs_assets.charts.side_by_side import rendered
from lgs_assets.contracts.declaration import declared_types
from lgs_assets.errors import ContractError
from lgs_assets_tests.charts.conftest import Draw, Frames, MakeFrames, Texts

CHARTS = [chart for family in families() for chart in family.charts]
NAMES = [chart.name for chart in CHARTS]


def render_all(tables: Frames) -> pd.DataFrame:
    return compose({family.table: render(family.charts, tables) for family in families()})


@pytest.fixture(scope="module")
def report(frames: MakeFrames) -> pd.DataFrame:
    """The full report, rendered once; a warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return render_all(frames())


def test_the_report_is_its_families_one_after_another(report: pd.DataFrame) -> None:
    """Every declared chart is there once, family by family, in the order of definition."""
    assert list(report["name"]) == NAMES
    assert report["name"].is_unique
    assert list(report["position"]) == list(range(1, len(report) + 1))
    assert len({family.part for family in families()}) == len(families())


@pytest.mark.parametrize("family", families(), ids=lambda family: family.table)
def test_a_family_reads_columns_that_exist(family: Family) -> None:
    """Every table and column that a chart declares is in the contracts, and so is the family's own table."""
    declared = declared_types()
    assert set(declared[family.table]) == set(declared["charts"])
    for table, columns in family.reads.items():
        assert set(columns) <= set(declared[table])


def test_a_family_is_drawn_from_what_it_declares_alone(frames: MakeFrames, draw: Draw) -> None:
    """No chart reads a table or a column that only another family declares."""
    tables = frames()
    for family in families():
        given = {table: tables[table][list(columns)] for table, columns in family.reads.items()}
        for chart in family.charts:
            draw(chart.name, given)


def test_a_chart_is_declared_once() -> None:
    """A function that takes other tables than it declares is refused where it is defined."""
    with pytest.raises(TypeError, match=r"draw takes \['segments'\], but declares \['rfm_scores'\]"):

        @Family("some.trial_charts", part=9).chart("Trial", rfm_scores=["frequency"])
        def draw(segments: pd.DataFrame) -> Figure:
            raise NotImplementedError


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


def test_neither_the_order_of_rows_nor_the_process_changes_a_byte(
    frames: MakeFrames, report: pd.DataFrame, tmp_path: Path
) -> None:
    """A table has no order: its rows shuffled make the same PNG and the same SVG, also in processes side by side."""
    shuffled = {table: frame.sample(frac=1, random_state=3) for table, frame in frames().items()}
    parts = {family.table: rendered(family.charts, shuffled, origin=ORIGIN, cache=tmp_path) for family in families()}
    pd.testing.assert_frame_equal(compose(parts), report)


def test_the_settings_of_the_machine_change_no_byte(frames: MakeFrames, report: pd.DataFrame) -> None:
    """A chart looks the same beside another's matplotlib settings, and leaves them alone."""
    with matplotlib.rc_context({"font.size": 31, "axes.facecolor": "red", "savefig.dpi": 50}):
        before = dict(matplotlib.rcParams)
        again = render(customer_charts.FAMILY.charts[-1:], frames())
        assert dict(matplotlib.rcParams) == before
    assert again["png"][0] == report.set_index("name")["png"][again["name"][0]]


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
    assert ("RFM snapshot: 1 Jan 2012" in source) == chart.has_snapshot
    if name != "segment_treemap":
        assert any(axes.get_xlabel() for axes in figure.axes)
        # Where an axis has names, they say what they are.
        assert any(axes.get_ylabel() for axes in figure.axes) or name in ("segment_sizes", "models_against_baselines")


def test_a_missing_column_is_named(frames: MakeFrames) -> None:
    """A frame that lacks a column is refused with the table and the column."""
    given = frames()
    given["monthly_metrics"] = given["monthly_metrics"].drop(columns="is_partial")
    with pytest.raises(ContractError, match="column is_partial of monthly_metrics"):
        render(month_charts.FAMILY.charts, given)


def test_tables_of_different_segments_are_refused(frames: MakeFrames) -> None:
    """A playbook newer than its summary is not drawn as if they agreed."""
    given = frames()
    given["segment_playbook"] = given["segment_playbook"].replace({"segment": {"Champions": "Heroes"}})
    with pytest.raises(ContractError, match=r"Only in segment_playbook: Heroes\. Only in segment_summary: Champions"):
        render(customer_charts.FAMILY.charts, given)


@pytest.mark.parametrize(
    ("chart", "table", "reason"),
    [
        ("segment_migration_month", "segment_migrations", "There are no two month ends yet between which customers"),
        ("product_pairs", "product_pairs", "No two products share as many baskets as LGS_PAIR_SUPPORT asks for: 100"),
    ],
)
def test_a_chart_without_rows_says_why(
    chart: str, table: str, reason: str, frames: MakeFrames, draw: Draw, texts: Texts
) -> None:
    """The cause, in words for people who know no tables."""
    given = frames()
    given[table] = given[table].iloc[:0]
    assert any(text.startswith(reason) for text in texts(draw(chart, given)))


def test_reasons_are_of_tables_that_charts_read() -> None:
    """None is left of a table that no chart needs any more."""
    assert EMPTY.keys() <= {table for chart in CHARTS for table in chart.drawn_from.keys() - {*chart.may_be_empty}}


def test_a_first_month_that_is_partial_does_not_begin_on_its_first_day(
    frames: MakeFrames, draw: Draw, texts: Texts
) -> None:
    """The footer names the month, as long as the day is not known."""
    given = frames()
    given["monthly_metrics"].loc[0, "is_partial"] = True
    assert any(
        "Nov 2010 \N{EN DASH} 9 Dec 2011" in text and "1 Nov" not in text
        for text in texts(draw("monthly_sales", given))
    )


def test_empty_tables_make_a_report_that_says_so(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """Before the first dump there is a sheet for each chart, not a failure."""
    empty = {table: frame.iloc[:0] for table, frame in frames().items()}
    for name in NAMES:
        assert "No data yet." in texts(draw(name, empty))


def modules_after(code: str, **environment: str) -> set[str]:
    """The modules that a new interpreter has loaded once it has run the code."""
    script = f"import sys\n{code}\nprint(*sys.modules)"
    variables = {name: value for name, value in os.environ.items() if name != "MPLCONFIGDIR"} | environment
    return set(subprocess.check_output([sys.executable, "-c", script], text=True, env=variables).split())


def test_reading_the_declarations_loads_no_matplotlib() -> None:
    """The definitions need to know what charts read; only drawing takes the time and memory of matplotlib."""
    loaded = modules_after("import lgs_assets.definitions")
    assert "lgs_assets.charts.families.month_charts" in loaded
    assert not {"matplotlib", "PIL"} & loaded


def test_drawing_needs_no_pyplot_and_writes_nothing_to_the_home(tmp_path: Path) -> None:
    """Pyplot would choose a GUI backend and keep every figure in memory; fonts are cached where the caller says."""
    code = f"""
import os
from pathlib import Path
from lgs_assets.charts import image, style
before = dict(os.environ)
style.load_matplotlib(cache=Path({str(tmp_path / "cache")!r}))
assert dict(os.environ) == before
with style.style():
    image.png_of(style.message("Hello"), "Hello")
"""
    home = tmp_path / "home"
    home.mkdir()
    loaded = modules_after(code, HOME=str(home), XDG_CACHE_HOME="", XDG_CONFIG_HOME="")
    assert "matplotlib" in loaded and "matplotlib.pyplot" not in loaded
    assert list(home.iterdir()) == []
    assert list((tmp_path / "cache").glob("fontlist*"))
