"""The chart of recency, frequency and monetary value: every customer is in a bar, and the quintile cuts are shown."""

import numpy as np
import pytest

from lgs_assets_tests.charts.conftest import Draw, MakeFrames, Texts


def test_each_panel_holds_every_customer(frames: MakeFrames, draw: Draw) -> None:
    """No customer is outside the bars, at either end of any scale."""
    given = frames(customers=700)
    for axes in draw("rfm_distributions", given).axes:
        assert axes.patches[0].get_data().values.sum() == 700


def test_the_cuts_are_the_quintiles_of_the_values(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """Lines and figures are at the 20, 40, 60 and 80 % quantiles, as the definitions cut them."""
    given = frames()
    given["rfm_scores"]["frequency"] = np.repeat([1, 2, 4, 8], 100)
    given["rfm_scores"]["f_score"] = np.repeat([1, 2, 3, 5], 100)
    figure = draw("rfm_distributions", given)
    assert [line.get_xdata()[0] for line in figure.axes[1].lines] == [1, 2, 4, 8]
    written = texts(figure)
    assert any(text.endswith("cut at 1, 2, 4, 8") for text in written)
    assert "Customers with equally many orders have the same frequency score." in written


def test_where_ties_are_split_no_cut_is_drawn(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """A line would have customers of both scores on either side: the rule is said, with the orders of each score."""
    given = frames()
    given["rfm_scores"]["frequency"] = np.repeat([1, 2, 4, 8], 100)
    given["rfm_scores"]["f_score"] = np.repeat([1, 2, 3, 4, 5], 80)
    figure = draw("rfm_distributions", given)
    recency, frequency, monetary = figure.axes
    assert [len(axes.lines) for axes in (recency, frequency, monetary)] == [4, 0, 4]
    assert [len(axes.texts) > 0 for axes in (recency, frequency, monetary)] == [True, False, True]
    (said,) = (text for text in texts(figure) if "customer_id" in text)
    assert said.endswith("Orders by score: 1: 1, 2: 1 – 2, 3: 2 – 4, 4: 4 – 8, 5: 8.")


def test_a_bar_of_orders_ends_with_its_power_of_two(frames: MakeFrames, draw: Draw) -> None:
    """Like a quintile, a bar includes its right end: 4 orders are in the bar from 3 to 4."""
    given = frames(customers=5)
    given["rfm_scores"]["frequency"] = [1, 2, 3, 4, 5]
    assert draw("rfm_distributions", given).axes[1].patches[0].get_data().values.tolist() == [1, 1, 2, 1]


def test_recency_scores_run_the_other_way(frames: MakeFrames, draw: Draw) -> None:
    """Fewest days are the best score: 5 is on the left for recency, on the right for the others."""
    scores = [[text.get_text() for text in axes.texts] for axes in draw("rfm_distributions", frames()).axes]
    assert scores[0] == sorted(scores[0], reverse=True)
    assert scores[1:] == [sorted(scores[1]), sorted(scores[2])]


@pytest.mark.parametrize(("days", "orders", "pounds"), [(0, 1, 0.01), (700, 500_000, 6e8)])
def test_one_customer_is_enough(
    days: int, orders: int, pounds: float, frames: MakeFrames, draw: Draw, texts: Texts
) -> None:
    """The first customer of a retailer has a chart, however little or much they bought."""
    given = frames(customers=1)
    given["rfm_scores"] = given["rfm_scores"].assign(recency_days=days, frequency=orders, monetary=pounds)
    figure = draw("rfm_distributions", given)
    assert [axes.patches[0].get_data().values.sum() for axes in figure.axes] == [1, 1, 1]
    assert any(text.startswith("1 customer.") for text in texts(figure))
