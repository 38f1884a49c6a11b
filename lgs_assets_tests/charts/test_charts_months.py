"""The charts by month: a partial month is marked and not a trend, and short or broken histories can be drawn."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lgs_assets_tests.charts.conftest import Draw, Frames, MakeFrames, Texts

MONTHLY = [
    "monthly_orders",
    "monthly_sales",
    "monthly_sales_growth",
    "monthly_active_users",
    "new_and_existing_users",
]
BARS = [name for name in MONTHLY if name != "monthly_active_users"]


def hatched(figure: Any) -> list[Any]:
    return [bar for bar in figure.axes[0].patches if bar.get_hatch()]


@pytest.mark.parametrize("name", MONTHLY)
def test_a_partial_month_is_marked(name: str, frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """Nine days of December are not a fall in sales: the label says where the data ends."""
    assert any(text.endswith("partial: to 9 Dec") for text in texts(draw(name, frames())))


@pytest.mark.parametrize("name", MONTHLY)
def test_a_whole_last_month_is_not_marked(name: str, frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """The mark means something only if a complete month has none."""
    figure = draw(name, frames(partial=False))
    assert not any("partial" in text for text in texts(figure))
    assert not hatched(figure)


@pytest.mark.parametrize("name", MONTHLY)
def test_a_partial_first_month_is_marked_in_its_place(name: str, frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """The mark of the last stays what it is, and so does a single month's."""
    given = frames()
    given["monthly_metrics"].loc[0, "is_partial"] = True
    given["monthly_metrics"].loc[1, "sales_growth_pct"] = np.nan
    shown = texts(draw(name, given))
    assert "partial" in shown
    assert any(text.endswith("partial: to 9 Dec") for text in shown)
    given["monthly_metrics"].loc[24, "is_partial"] = False
    figure = draw(name, given)
    assert "partial" in texts(figure)
    assert not any("to 9 Dec" in text for text in texts(figure))
    assert {round(bar.get_x() + bar.get_width() / 2) for bar in hatched(figure)} <= {0}


@pytest.mark.parametrize("name", BARS)
def test_only_the_bars_of_the_partial_month_are_hatched(name: str, frames: MakeFrames, draw: Draw) -> None:
    """Hatching survives grey printing; it is at the last month and nowhere else."""
    figure = draw(name, frames(months=14))
    assert {round(bar.get_x() + bar.get_width() / 2) for bar in hatched(figure)} == {13}


def test_the_line_of_active_users_ends_with_the_last_whole_month(frames: MakeFrames, draw: Draw) -> None:
    """A line into the partial month would be drawn as a fall; the month is a hollow point by itself."""
    line, point = draw("monthly_active_users", frames(months=14)).axes[0].lines
    assert np.flatnonzero(~np.isnan(line.get_ydata())).tolist() == list(range(13))
    assert np.flatnonzero(~np.isnan(point.get_ydata())).tolist() == [13]
    assert point.get_markerfacecolor() == "white"
    assert point.get_linestyle() == "None"


def test_a_month_between_gaps_is_a_point(frames: MakeFrames, draw: Draw) -> None:
    """A line needs two months; one alone is seen by its marker."""
    line = draw("monthly_active_users", frames(months=1, partial=False)).axes[0].lines[0]
    assert (line.get_marker(), len(line.get_xdata())) == ("o", 1)


def test_the_growth_of_a_partial_month_is_not_comparable(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """The figure is there for those who look for it, with the warning beside it."""
    given = frames()
    given["monthly_metrics"].loc[13, "sales_growth_pct"] = -70.33
    assert "−70.3 % not comparable, partial: to 9 Dec" in texts(draw("monthly_sales_growth", given))


def test_the_highest_month_is_a_whole_one(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """A partial month sets no record."""
    given = frames()
    given["monthly_metrics"]["sales"] = [*range(1, 14), 99e6]
    written = texts(draw("monthly_sales", given))
    assert "£13" in written
    assert "£99m" not in written


@pytest.mark.parametrize("partial", [True, False])
@pytest.mark.parametrize("name", MONTHLY)
def test_one_month_is_enough(name: str, partial: bool, frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """The first month of a retailer has a chart; growth says why there is none."""
    figure = draw(name, frames(months=1, partial=partial))
    if name == "monthly_sales_growth":
        assert "No month has a month before it to compare with." in texts(figure)
    else:
        assert "Month of the invoice, Nov 2010" in texts(figure)


def test_a_month_without_invoices_is_a_gap(frames: MakeFrames, draw: Draw) -> None:
    """A month that the table lacks keeps its place, and the line does not run across it."""
    given = frames(months=8)
    for table in ("monthly_metrics", "user_activity"):
        given[table] = given[table].drop(index=4)
    line = draw("monthly_active_users", given).axes[0].lines[0]
    assert np.flatnonzero(np.isnan(line.get_ydata())).tolist() == [4, 7]


def test_a_month_of_guests_has_no_active_user(frames: MakeFrames, draw: Draw) -> None:
    """user_activity has no row for a month without customers; the month had invoices, so this is a 0."""
    given = frames(months=8)
    given["user_activity"] = given["user_activity"].drop(index=4)
    assert draw("monthly_active_users", given).axes[0].lines[0].get_ydata()[4] == 0


def test_new_and_existing_customers_add_up_to_the_active_ones(frames: MakeFrames, draw: Draw) -> None:
    """The height of a stack is the number of active customers."""
    given = frames(partial=False)
    bars = draw("new_and_existing_users", given).axes[0].patches
    tops = pd.Series([bar.get_y() + bar.get_height() for bar in bars]).groupby([round(bar.get_x()) for bar in bars])
    assert tops.max().tolist() == given["user_activity"]["active_users"].tolist()


@pytest.mark.parametrize("months", [2, 26, 27, 75, 300])
def test_the_names_of_months_fit_side_by_side(months: int, frames: MakeFrames, draw: Draw) -> None:
    """Decades of months are named in steps, at most 26 of them."""
    ticks = draw("monthly_sales", frames(months=months)).axes[0].get_xticks()
    assert 1 <= len(ticks) <= 26


def with_doubled_december(given: Frames) -> Frames:
    """November to February; of December's sales of £1,126,445, £377,488 are second copies."""
    months = given["monthly_metrics"]
    months.loc[:3, "sales"] = [1422000.0, 1126445.47, 560000.0, 500000.0]
    months.loc[:3, "sales_once"] = [1421990.0, 748957.02, 560000.0, 500000.0]
    months.loc[:1, "doubled_orders"] = [2, 1088]
    return given


@pytest.mark.parametrize(
    ("name", "remark"),
    [
        ("monthly_orders", "each is one order here"),
        ("monthly_sales", "£748,957.02 counted once, without the pale part"),
        ("monthly_sales_growth", "counted once: Dec −47.3 %, Jan −25.2 %"),
    ],
)
def test_a_month_that_holds_invoices_twice_says_so(
    name: str, remark: str, frames: MakeFrames, draw: Draw, texts: Texts
) -> None:
    """How many, and what the month is counted once; where it is too little to be seen, the months are counted."""
    written = texts(draw(name, with_doubled_december(frames())))
    expected = f"Held twice in full by their dump: 1,088 invoices of Dec 2010 ({remark}); 2 invoices of 1 other month."
    assert expected in written


def test_of_many_doubled_months_the_worst_are_named(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """A dump that holds everything twice does not fill the sheet with names."""
    given = frames(months=5, partial=False)
    given["monthly_metrics"]["doubled_orders"] = 100
    given["monthly_metrics"]["sales"] = [2.0, 8.0, 4.0, 6.0, 2.0]
    given["monthly_metrics"]["sales_once"] = [1.0, 4.0, 2.0, 3.0, 1.0]
    (said,) = (text for text in texts(draw("monthly_orders", given)) if "twice" in text)
    assert said.count("100 invoices of") == 2
    assert all(part in said for part in ("Dec 2010", "Feb 2011", "300 invoices of 3 other months"))


@pytest.mark.parametrize("name", MONTHLY)
def test_nothing_is_said_where_nothing_is_doubled(name: str, frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """A warning that is always there is not a warning."""
    assert not any("twice" in text for text in texts(draw(name, frames())))


def test_what_second_copies_add_is_pale(frames: MakeFrames, draw: Draw) -> None:
    """From the sales counted once up to the sales, in the bars of whole months."""
    bars = draw("monthly_sales", with_doubled_december(frames(partial=False))).axes[0].patches
    heights = [(bar.get_height(), bar.get_facecolor()) for bar in bars if round(bar.get_x() + bar.get_width() / 2) == 1]
    (whole, pale), (once, dark) = heights
    assert (whole, once) == (1126445.47, 748957.02)
    assert sum(pale[:3]) > sum(dark[:3])


def test_a_doubled_first_month_has_no_growth_to_restate(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """Its successor has."""
    given = frames(months=2, partial=False)
    given["monthly_metrics"]["sales"] = [200.0, 150.0]
    given["monthly_metrics"]["sales_once"] = [100.0, 150.0]
    given["monthly_metrics"]["doubled_orders"] = [5, 0]
    written = texts(draw("monthly_sales_growth", given))
    assert "Held twice in full by their dump: 5 invoices of Nov 2010 (counted once: Dec +50.0 %)." in written
