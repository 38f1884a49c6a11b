"""The last words of `lgs run` and `lgs status`: who moved since the month before."""

from pathlib import Path

import pytest
from rich.console import Console

from lgs_assets.command.terminal import movement_lines
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.builders import SHOP, build_tables, built_for, load_lines
from lgs_assets_tests.command.test_cli import lgs

MOVES = [
    ("Can't Lose", "At Risk", "down", "boundary", 2, 1_500),
    ("Champions", "At Risk", "down", "boundary", 9, 900),
    ("Champions", "At Risk", "down", "ageing", 5, 500),
    ("Champions", "Champions", None, "stayed", 78, 9_000),
    ("Hibernating", "Champions", "up", "purchase", 3, 30),
    ("About to Sleep", "At Risk", "neither", "ageing and boundary", 1, 10),
    ("(not yet a customer)", "New Customers", None, "first purchase", 7, 0),
]
"""From, to, direction, cause, customers and what they had spent."""


@pytest.fixture
def moved(warehouse: Warehouse, tmp_path: Path) -> Warehouse:
    """A warehouse whose last whole month is June 2011, with MOVES, before a partial one."""
    load_lines(warehouse, tmp_path, SHOP)
    build_tables(warehouse, *built_for("segment_migrations"))
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("delete from segment_migrations")
        for ends, is_partial in (("2011-07-01", False), ("2011-08-01", True)):
            for was, is_now, direction, cause, customers, spent in MOVES:
                connection.exec_driver_sql(
                    "insert into segment_migrations "
                    "values (1, %s::timestamp - interval '1 month', %s, %s, %s, %s, %s, %s, %s, 1, 1, %s)",
                    (ends, ends, was, is_now, direction, cause, customers * (1 + is_partial), spent, is_partial),
                )
    return warehouse


def said(warehouse: Warehouse) -> str:
    screen = Console(width=200)
    with screen.capture() as capture:
        screen.print(*movement_lines(warehouse), sep="\n")
    return capture.get()


def test_the_last_whole_month_is_told(moved: Warehouse) -> None:
    """Those who slipped, who rose and who did neither, the most valuable first; and how many by the boundary alone."""
    assert said(moved).splitlines() == [
        "In 2011-06, 20 of 98 customers moved to another segment, 7 bought for the first time:",
        "  ↓ 2 Can't Lose slipped to At Risk; 2 by the boundary alone",
        "  ↓ 14 Champions slipped to At Risk; 9 by the boundary alone",
        "  ↑ 3 Hibernating rose to Champions",
        "  → 1 About to Sleep moved to At Risk",
        "  Moves with most past sales come first. Segments are relative to the other customers of that month.",
    ]


def test_a_shop_of_one_month_is_told_nothing(moved: Warehouse) -> None:
    """There is no month before, so there is no line."""
    with moved.transaction() as connection:
        connection.exec_driver_sql("delete from segment_migrations where not is_partial")
    assert said(moved).strip() == ""


def test_names_of_segments_are_plain_text(moved: Warehouse) -> None:
    """The map is data: what is markup or commands a terminal is shown as it is written."""
    odd = "[red]\x1b[2JHeroes"
    with moved.transaction() as connection:
        connection.exec_driver_sql("update segment_playbook set segment = %s where segment = 'At Risk'", (odd,))
        connection.exec_driver_sql("update segment_migrations set segment_to = %s where segment_to = 'At Risk'", (odd,))
    assert r"14 Champions slipped to [red]\x1b[2JHeroes; 9 by the boundary" in said(moved)


def test_status_tells_who_moved(built: Warehouse) -> None:
    """Between the tables and the checks."""
    output = lgs("status").output
    assert "customers moved to another segment" in output
    assert output.index("moved to another segment") < output.index("Checks: ")
