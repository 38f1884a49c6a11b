"""Charts that are drawn before their steps: a step takes those of its tables as it has read them, and no others."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from lgs_assets.charts.declaration import Chart
from lgs_assets.charts.report import ORIGIN, families, render
from lgs_assets.charts.side_by_side import rendered
from lgs_assets.charts.style import load_matplotlib
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.refresh import publish_model
from lgs_assets.warehouse.tables import PostgresTables
from lgs_assets.wiring import drawings
from lgs_assets.wiring.drawings import Drawings
from lgs_assets.wiring.versions import read_frame
from lgs_assets_tests.builders import SHOP, UNVERSIONED, build_tables, built_for, load_lines, model

(FAMILY,) = (family for family in families() if family.table == "country_charts")
SHOWN = set(FAMILY.reads)
CHANGED = "monthly_metrics"
PATIENCE_SECONDS = 30


@pytest.fixture
def shop(warehouse: Warehouse, tmp_path: Path) -> PostgresTables:
    load_lines(warehouse, tmp_path, SHOP)
    build_tables(warehouse, *built_for(*SHOWN))
    return PostgresTables(warehouse)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The versions of the tables of each family that was drawn, as often as one was."""
    found: list[dict[str, str]] = []

    def noted(charts: Sequence[Chart], tables: Mapping[str, pd.DataFrame], *, origin: str, cache: Path) -> pd.DataFrame:
        found.append({table: frame.attrs["version"] for table, frame in tables.items()})
        return rendered(charts, tables, origin=origin, cache=cache)

    monkeypatch.setattr(drawings, "rendered", noted)
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


def test_a_step_takes_what_was_drawn_before_it(
    shop: PostgresTables, work: Drawings, drawn: list[dict[str, str]], tmp_path: Path
) -> None:
    for table in sorted(SHOWN):
        assert not drawn
        work.written(table)
    charts = work.of(FAMILY, read(shop))
    assert len(drawn) == 1
    load_matplotlib(tmp_path / "matplotlib")
    pd.testing.assert_frame_equal(charts, render(FAMILY.charts, read(shop), origin=ORIGIN))


def test_a_table_that_has_changed_since_is_drawn_as_it_is_now(
    shop: PostgresTables, work: Drawings, drawn: list[dict[str, str]]
) -> None:
    for table in SHOWN:
        work.written(table)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not drawn:  # noted once its tables have been read
        assert time.monotonic() < deadline
        time.sleep(0.01)
    publish_model(shop.warehouse, CHANGED, model(CHANGED), replace(UNVERSIONED, version="1" * 64))
    tables = read(shop)
    assert len(work.of(FAMILY, tables)) == len(FAMILY.charts)
    assert [versions[CHANGED] for versions in drawn] == [UNVERSIONED.version, "1" * 64]


def test_nothing_is_drawn_that_the_run_does_not_write(
    shop: PostgresTables, tmp_path: Path, drawn: list[object]
) -> None:
    work = Drawings(shop, tmp_path / "matplotlib", {*SHOWN})
    for table in SHOWN:
        work.written(table)
    work.end()
    assert not drawn


def test_a_step_draws_what_could_not_be_drawn_before_it(
    shop: PostgresTables, work: Drawings, drawn: list[object]
) -> None:
    tables = read(shop)
    with shop.warehouse.transaction() as connection:
        connection.execute(sa.text("alter table monthly_metrics rename to away"))
    for table in SHOWN:
        work.written(table)
    assert len(work.of(FAMILY, tables)) == len(FAMILY.charts) == len(drawn)
