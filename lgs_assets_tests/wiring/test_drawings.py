"""Charts that are drawn before their steps: a step takes those of its tables as it has read them, and no others."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from lgs_assets.charts import side_by_side
from lgs_assets.charts.report import ORIGIN, families, render
from lgs_assets.charts.style import load_matplotlib
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.refresh import publish_model
from lgs_assets.warehouse.tables import PostgresTables
from lgs_assets.wiring import drawings
from lgs_assets.wiring.drawings import Drawings
from lgs_assets.wiring.versions import read_frame
from lgs_assets_tests.builders import SHOP, UNVERSIONED, build_tables, built_for, load_lines, model

(FAMILY,) = (family for family in families() if family.table == "month_charts")
SHOWN = set(FAMILY.reads)
CHANGED = "monthly_metrics"
PATIENCE_SECONDS = 60

pytestmark = pytest.mark.skipif(side_by_side.cores() < 2, reason="with one core, nothing is drawn ahead")


@pytest.fixture
def shop(warehouse: Warehouse, tmp_path: Path) -> PostgresTables:
    load_lines(warehouse, tmp_path, SHOP)
    build_tables(warehouse, *built_for(*SHOWN))
    return PostgresTables(warehouse)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Each time that a family was drawn: ahead or by its step, and of which version of a table."""
    found: list[tuple[str, str]] = []

    def noting(when: str, draw: Callable[..., pd.DataFrame]) -> Callable[..., pd.DataFrame]:
        def noted(*given: object, **named: object) -> pd.DataFrame:
            tables = given[-1]
            assert isinstance(tables, dict)
            found.append((when, tables[CHANGED].attrs["version"]))
            return draw(*given, **named)

        return noted

    monkeypatch.setattr(drawings, "rendered_by", noting("ahead", side_by_side.rendered_by))
    monkeypatch.setattr(drawings, "rendered", noting("by its step", side_by_side.rendered))
    return found


@pytest.fixture
def work(shop: PostgresTables, tmp_path: Path) -> Iterator[Drawings]:
    """The drawings of a run that is to write what the family shows, and the family."""
    work = Drawings(shop, tmp_path / "matplotlib", {*SHOWN, FAMILY.table})
    yield work
    work.end()


def read(shop: PostgresTables) -> dict[str, pd.DataFrame]:
    """What a step of the family is given."""
    return {table: read_frame(shop, table, columns) for table, columns in FAMILY.reads.items()}


def wait_for(drawn: list[tuple[str, str]]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not drawn:  # noted once its tables have been read
        assert time.monotonic() < deadline
        time.sleep(0.01)  # nothing tells that it has begun


def test_a_step_takes_what_was_drawn_before_it(
    shop: PostgresTables, work: Drawings, drawn: list[tuple[str, str]], tmp_path: Path
) -> None:
    for table in sorted(SHOWN):
        assert not drawn
        work.written(table)
    wait_for(drawn)
    charts = work.of(FAMILY, read(shop))
    assert drawn == [("ahead", UNVERSIONED.version)]
    load_matplotlib(tmp_path / "matplotlib")
    pd.testing.assert_frame_equal(charts, render(FAMILY.charts, read(shop), origin=ORIGIN))


def test_a_table_that_has_changed_since_is_drawn_as_it_is_now(
    shop: PostgresTables, work: Drawings, drawn: list[tuple[str, str]]
) -> None:
    for table in SHOWN:
        work.written(table)
    wait_for(drawn)
    publish_model(shop.warehouse, CHANGED, model(CHANGED), replace(UNVERSIONED, version="1" * 64))
    assert len(work.of(FAMILY, read(shop))) == len(FAMILY.charts)
    assert drawn == [("ahead", UNVERSIONED.version), ("by its step", "1" * 64)]


def test_nothing_is_drawn_that_the_run_does_not_write(
    shop: PostgresTables, tmp_path: Path, drawn: list[tuple[str, str]]
) -> None:
    work = Drawings(shop, tmp_path / "matplotlib", {*SHOWN, "products"})
    for table in SHOWN:
        work.written(table)
    work.end()
    assert not drawn


def test_a_step_draws_what_could_not_be_drawn_before_it(
    shop: PostgresTables, work: Drawings, drawn: list[tuple[str, str]]
) -> None:
    tables = read(shop)
    with shop.warehouse.transaction() as connection:
        connection.execute(sa.text(f"alter table {CHANGED} rename to away"))
    for table in SHOWN:
        work.written(table)
    assert len(work.of(FAMILY, tables)) == len(FAMILY.charts)
    assert drawn == [("by its step", UNVERSIONED.version)]


def test_what_no_step_has_asked_for_ends_with_the_run(work: Drawings, drawn: list[tuple[str, str]]) -> None:
    """Also while it is being drawn: a run that fails does not wait for its charts, nor does one that is broken off."""
    for table in SHOWN:
        work.written(table)
    wait_for(drawn)
    work.end()
    assert not multiprocessing.active_children()
