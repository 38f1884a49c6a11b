"""The charts of what happened: the numbers in their cells and bars, what is marked, and what is left out and why."""

import numpy as np
import pandas as pd
import pytest

from lgs_assets.charts.fit import spread
from lgs_assets_tests.charts.conftest import PLAYBOOK, Draw, MakeFrames, Texts

HAPPENED = [
    *("segment_sizes_over_time", "segment_migration_month", "segment_migration_quarter", "segment_survival"),
    *("cohort_triangle", "retention_curve", "customer_flow"),
    *("product_pareto", "top_products", "top_returned_products", "product_pairs", "country_sales"),
    *("sales_changes", "sales_trend"),
]
SEASON = "season: what recurs each year (STL)"
LEFT = "what is left after the trend: two years cannot tell season from chance"


@pytest.mark.parametrize("name", HAPPENED)
def test_nothing_on_a_sheet_is_cut_off(name: str, frames: MakeFrames, draw: Draw) -> None:
    """Titles, notes, labels and numbers are within the sheet, and so are the names of rows."""
    figure = draw(name, frames())
    figure.draw_without_rendering()
    free = [
        *figure.texts,
        *(text for axes in figure.axes for text in (*axes.texts, axes.xaxis.label, axes.yaxis.label)),
    ]
    for text in filter(lambda text: text.get_text().strip(), free):
        box = text.get_window_extent()
        assert box.y0 >= 0 and box.y1 <= figure.bbox.y1 and box.x0 >= 0 and box.x1 <= figure.bbox.x1, text.get_text()
    assert all(label.get_window_extent().x0 >= 0 for axes in figure.axes for label in axes.get_yticklabels())


@pytest.mark.parametrize("months", [1, 2, 4])
@pytest.mark.parametrize("partial", [True, False])
def test_a_young_shop_gets_every_chart_or_the_reason(
    months: int, partial: bool, frames: MakeFrames, draw: Draw, texts: Texts
) -> None:
    """One month, or two with the last unfinished: no chart fails, and each says something."""
    for name in HAPPENED:
        assert len(texts(draw(name, frames(months=months, partial=partial)))) >= 3


def test_the_matrix_is_of_the_last_whole_step(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """The partial December is left out; the cells, the causes and the net flows are those of November."""
    written = texts(draw("segment_migration_month", frames()))
    assert any("From the end of Oct 2011 to the end of Nov 2011" in text for text in written)
    assert any("717 customers 117 moved, 600 stayed; 5 bought for the first time" in text for text in written)
    assert any("ageing 81, boundary alone 36" in text for text in written)
    assert written.count("13") == 9
    assert {"\N{MINUS SIGN}13", "+5", "+13", "before", "after", "net"} <= set(written)


def test_three_months_need_not_be_a_quarter(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """Its matrix begins three month ends before the last whole one."""
    written = texts(draw("segment_migration_quarter", frames()))
    assert "Who moved between segments in the last three whole months" in written
    assert any("From the end of Aug 2011 to the end of Nov 2011" in text for text in written)


def test_sizes_are_those_of_the_last_snapshot(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """Each segment is named with its customers, and from where on the month is partial."""
    written = texts(draw("segment_sizes_over_time", frames()))
    assert f"{PLAYBOOK[0][0]}, 60" in written
    assert f"{PLAYBOOK[3][0]}, 78" in written
    assert "then partial: to 9 Dec" in written


def test_survival_of_few_is_left_out(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """A share of fewer than thirty entries would be chance."""
    written = texts(draw("segment_survival", frames(months=16)))
    assert written.count("50") == len(PLAYBOOK)  # after a month
    assert "0" not in written


@pytest.mark.parametrize(("partial", "end"), [(True, "Nov"), (False, "Dec")])
def test_survival_is_dated_by_the_last_whole_month(
    partial: bool, end: str, frames: MakeFrames, draw: Draw, texts: Texts
) -> None:
    """Not by the snapshot of the scores, which is of the partial month that it leaves out."""
    written = texts(draw("segment_survival", frames(partial=partial)))
    assert any(text.startswith(f"Until the end of {end} 2011: of those who entered") for text in written)
    assert not any("RFM snapshot" in text for text in written)


def test_the_censored_cohort_and_partial_months_are_apart(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """The first month of the data has a mark and a line below it; the partial month is explained."""
    figure = draw("cohort_triangle", frames())
    written = texts(figure)
    assert "Nov 2010*, 200" in written and "Dec 2010, 200" in written
    assert any("also holds older customers. Outlined: a partial month" in text for text in written)
    assert len(figure.axes[0].lines) == 1


def test_the_curve_leaves_the_censored_cohort_out(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """It is a line of its own, and the months of the curve that marketing asks for are written."""
    figure = draw("retention_curve", frames())
    written = texts(figure)
    assert {"33.3 %", "20.0 %", "12.5 %", "first seen in Nov 2010"} <= set(written)
    assert len(figure.axes[0].lines) == 3


def test_those_who_did_not_buy_are_below_the_line(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """Active customers add up above it. The lapsed have not left for good, and nothing says that they have."""
    figure = draw("customer_flow", frames(months=3, partial=False))
    assert "lapsed: did not buy this month" in texts(figure)
    assert not any(" left" in text for text in texts(figure))
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert sum(height for height in heights if height > 0) == 300 + 2 * (40 + 120 + 70)
    assert sum(height for height in heights if height < 0) == -2 * 90


def test_classes_are_counted(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """Each class says how many products it has, and what share of sales."""
    given = frames()
    number = (given["products"]["abc_class"] == "A").sum()
    assert any(text.startswith(f"A: {number} products, 8") for text in texts(draw("product_pareto", given)))


def test_few_returns_say_nothing_of_a_product(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """One parcel does not make a return rate: the minimum is stated, and products below it do not appear."""
    written = texts(draw("top_returned_products", frames()))
    assert any("10 products with at least £1k of sales and 5 lines of returns" in text for text in written)
    assert "FELT ROBIN No 4" in written and "FELT ROBIN No 1" not in written


@pytest.mark.parametrize(("times", "last"), [(1, 100), (40, None)])
def test_an_axis_of_shares_ends_with_the_whole(frames: MakeFrames, draw: Draw, times: int, last: int | None) -> None:
    """Labels beside the bars need room, but no mark says 150 %; unless more was given back than sold."""
    given = frames()
    given["products"]["return_rate_sales"] *= times
    (axes,) = draw("top_returned_products", given).axes
    highest = max(axes.get_xticks())
    assert highest <= last if last else highest > 100


def test_doubled_invoices_are_said_where_they_count_twice(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """Products and countries count them as their dump does, and say how many."""
    given = frames()
    given["monthly_metrics"].loc[3, "doubled_orders"] = 12
    given["monthly_metrics"].loc[3, "sales_once"] -= 1234.5
    for name in ("product_pareto", "top_products", "top_returned_products", "country_sales"):
        assert any(
            "12 invoices, £1.234k net" in text or "12 invoices, £1.235k net" in text
            for text in texts(draw(name, given))
        )
        assert not any("Counted twice" in text for text in texts(draw(name, frames())))


def test_text_of_dumps_is_escaped_and_cut(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """A description or a country may hold anything; a picture shows it in one line."""
    given = frames()
    given["products"].loc[0, "description"] = "RED\x1b[2J $x^2$ " + "W" * 80
    given["countries"].loc[1, "country"] = "Nether\nlands"
    written = texts(draw("top_products", given))
    assert any(text.startswith(r"RED\x1b[2J $x^2$ WWW") and text.endswith("…") and len(text) == 34 for text in written)
    assert r"Nether\nlands" in texts(draw("country_sales", given))


def test_the_home_country_has_a_scale_of_its_own(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """Otherwise no other country would be more than a line; one without such a home has one scale."""
    figure = draw("country_sales", frames())
    assert [len(axes.get_yticks()) for axes in figure.axes] == [1, 4]
    given = frames()
    given["countries"] = given["countries"].iloc[1:].assign(net_sales_share=0.25)
    assert len(draw("country_sales", given).axes) == 1


def test_a_country_of_one_customer_is_marked(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """Hatched, and said, with what the share is of: the bar holds guests, too, who are not called customers."""
    figure = draw("country_sales", frames())
    written = texts(figure)
    assert any("23 buyers, one of them 95 % of their sales" in text for text in written)
    assert any("no known buyers" in text for text in written)
    assert len([bar for bar in figure.axes[1].patches if bar.get_hatch()]) == 2


def test_the_parts_of_the_waterfall_reach_the_change(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """Bars begin where the one before ends; the last is their sum, on both comparisons."""
    figure = draw("sales_changes", frames())
    for axes, change in zip(figure.axes, (1000, 12_000), strict=True):
        *parts, total = axes.patches
        assert sum(bar.get_height() for bar in parts) == pytest.approx(change)
        assert (total.get_y(), total.get_height()) == (0, change)
        tops = np.cumsum([bar.get_height() for bar in parts])
        assert [bar.get_y() + bar.get_height() for bar in parts] == pytest.approx(list(tops))
    assert "Oct 2011 £61k, Nov 2011 £62k, +1.6 %" in texts(figure)


def test_without_a_year_there_is_one_waterfall(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """And the other half says why it is empty."""
    assert "There is no year before." in texts(draw("sales_changes", frames(months=6)))


def test_what_is_not_significant_is_written_on_the_chart(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """Orders that seem to fall would not survive the correction; new customers fall for the data's beginning alone."""
    written = texts(draw("sales_trend", frames()))
    verdict = "Sales in the last 12 whole months: +1.7 % on the 12 before (Holm's p = 1.00): no significant"
    assert any(text.startswith(verdict) for text in written)
    (note,) = (text for text in written if text.startswith("By Holm"))
    assert note == (
        "By Holm's p, significant: active customers −12.5 %; not: placed orders −7.0 %, sales per buying "
        "customer −1.4 %. Left out: new and existing ones (at first all seem new)."
    )


@pytest.mark.parametrize(
    ("months", "said"),
    [(24, "Two years cannot tell a slope from a step"), (37, "This compares the last two of 3 years")],
)
def test_the_verdict_tells_how_many_years_there_are(
    months: int, said: str, frames: MakeFrames, draw: Draw, texts: Texts
) -> None:
    """Whatever the data holds, the last two years are compared."""
    given = frames()
    given["trend_statistics"] = given["trend_statistics"].assign(months=months)
    assert any(text.endswith(f"no significant trend. {said}") for text in texts(draw("sales_trend", given)))


def test_a_trend_that_cannot_be_judged_says_why(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """The reason of the table is the subtitle; without the season there are the sales of the months alone."""
    given = frames()
    reasons = pd.Series("needs 24 whole months; there are 13", index=given["trend_statistics"].index)
    given["trend_statistics"] = given["trend_statistics"].assign(reason=reasons)
    given["seasonality"] = given["seasonality"].iloc[:0]
    figure = draw("sales_trend", given)
    assert "The trend of sales cannot be judged: needs 24 whole months; there are 13" in texts(figure)
    (axes,) = figure.axes
    assert [bar.get_height() for bar in axes.patches] == list(given["monthly_metrics"]["sales_once"])
    assert not {SEASON, LEFT} & {*texts(figure)}


@pytest.mark.parametrize(("months", "said"), [(25, {LEFT}), (36, {LEFT}), (37, {SEASON})])
def test_what_two_years_leave_after_the_trend_is_not_called_a_season(
    months: int, said: set[str], frames: MakeFrames, draw: Draw, texts: Texts
) -> None:
    """Of two values a month, the season takes up whatever the trend leaves; the last month is partial."""
    assert {SEASON, LEFT} & {*texts(draw("sales_trend", frames(months=months)))} == said


def test_the_mark_of_the_first_month_is_explained_where_it_is(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """Of more cohorts than can be read, the first month is no longer shown: then nothing explains its mark."""
    assert not any("*" in text for text in texts(draw("cohort_triangle", frames(months=27))))


def test_sizes_are_partial_from_the_first_partial_month_on(frames: MakeFrames, draw: Draw) -> None:
    """With a snapshot long after the data several month ends are: the line is before all of them."""
    given = frames(months=6, partial=False)
    steps = given["segment_migrations"]
    steps["is_partial"] = steps["snapshot_to"] > pd.Timestamp("2011-03-01")
    (axes,) = draw("segment_sizes_over_time", given).axes
    assert [line.get_xdata()[0] for line in axes.lines] == [3]  # of the ends of November to April, that of February


def test_a_month_without_one_before_it_is_named(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """After a gap, the change shown is not that of the last whole month: the sheet says so."""
    given = frames()
    drivers = given["sales_drivers"]
    given["sales_drivers"] = drivers[drivers["invoice_month"] < "2011-11-01"]
    said = "Nov 2011 has no month to compare with: this is Oct 2011."
    assert any(said in text for text in texts(draw("sales_changes", given)))
    assert not any("no month to compare with" in text for text in texts(draw("sales_changes", frames())))


@pytest.mark.parametrize("places", [[], [1.0], [0, 0, 0, 0], [0, 10, 11, 12, 30], list(np.geomspace(1, 100, 12))])
def test_labels_are_moved_apart_in_their_order(places: list[float]) -> None:
    """No two are closer than the gap, and those that were not stay where they are."""
    apart = spread(places, gap=5)
    assert len(apart) == len(places)
    assert all(np.diff(apart) >= 5 - 1e-9)
    if len(places) > 1 and all(np.diff(places) >= 5):
        assert apart == list(places)
