"""The charts of invoice amounts: the statistics shown are the table's, and every amount is drawn or accounted for."""

import numpy as np
import pytest

from lgs_assets_tests.charts.conftest import Draw, MakeFrames, Texts

WHOLE_AND_CUT = [
    ("invoice_amounts_all", "all", False),
    ("invoice_amounts_positive", "positive", False),
    ("invoice_amounts_all_cut", "all", True),
    ("invoice_amounts_positive_cut", "positive", True),
    ("invoice_amount_density", "positive", True),
]


@pytest.mark.parametrize(("name", "population", "is_cut"), WHOLE_AND_CUT)
def test_the_statistics_are_those_of_the_table(
    name: str, population: str, is_cut: bool, frames: MakeFrames, draw: Draw, texts: Texts
) -> None:
    """The five figures are read from their row of invoice_amount_statistics, never worked out a second time."""
    given = frames()
    statistics = given["invoice_amount_statistics"]
    row = (statistics["population"] == population) & (statistics["is_cut"] == is_cut)
    statistics.loc[row, ["minimum", "mode", "median", "mean", "maximum"]] = [1.005, 222.22, 333.33, 444.44, 1234567.8]
    assert {"min £1.01", "mode £222.22", "median £333.33", "mean £444.44", "max £1,234,567.80"} <= set(
        texts(draw(name, given))
    )


@pytest.mark.parametrize("name", ["invoice_amounts_all_cut", "invoice_amounts_positive_cut", "invoice_amount_density"])
def test_the_cut_off_is_named_by_its_quantile(name: str, frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """The setting chart_cutoff may change: the label follows the table."""
    given = frames()
    given["invoice_amount_statistics"]["cutoff_quantile"] = 0.925
    assert any("up to the 92.5th percentile, £" in text for text in texts(draw(name, given)))


@pytest.mark.parametrize(("doubled", "said"), [(1088, True), (0, False)])
@pytest.mark.parametrize("name", [name for name, *_ in WHOLE_AND_CUT])
def test_invoices_that_count_double_are_told(
    name: str, doubled: int, said: bool, frames: MakeFrames, draw: Draw, texts: Texts
) -> None:
    """Twice the lines are twice the amount: a thousand such invoices move the mean."""
    given = frames()
    given["monthly_metrics"]["doubled_orders"] = [doubled, *[0] * (len(given["monthly_metrics"]) - 1)]
    told = [
        text
        for text in texts(draw(name, given))
        if text.endswith("of all invoices 1,088 count double, as their dump holds them twice")
    ]
    assert bool(told) == said


@pytest.mark.parametrize("name", ["invoice_amounts_all", "invoice_amounts_positive"])
def test_whole_distributions_draw_every_invoice(name: str, frames: MakeFrames, draw: Draw) -> None:
    """The bars of the histogram add up to the invoices, from the largest refund to the largest sale."""
    given = frames()
    amounts = given["invoice_amounts"]["amount"]
    bars = draw(name, given).axes[0].patches[0].get_data().values
    assert bars.sum() == len(amounts if name.endswith("all") else amounts[amounts > 0])


def test_a_few_large_refunds_are_told_in_words(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """They would press all other invoices into one bar, and are not dropped in silence either."""
    figure = draw("invoice_amounts_all_cut", frames(amounts=[*np.arange(1.0, 1001), -50_000, -168_469.6]))
    bars = figure.axes[0].patches[0].get_data().values
    (told,) = (text for text in texts(figure) if "not drawn" in text)
    assert told.endswith("down to −£168,469.60")
    assert int(bars.sum()) + int(told.split("drawn: ")[1].split()[0]) == 851  # of 1,002, up to the quantile 0.85


def test_dots_of_the_box_are_thinned(frames: MakeFrames, draw: Draw) -> None:
    """Fifty thousand outliers make a file that no browser opens."""
    amounts = np.concatenate([np.full(1000, 10.0), np.geomspace(100, 1e6, 20_000)])
    figure = draw("invoice_amounts_all", frames(amounts=amounts))
    assert max(len(line.get_xdata()) for line in figure.axes[1].lines) <= 251


@pytest.mark.parametrize("amounts", [[25.0], [25.0] * 9, [0.0] * 3, [-5.0, -20.5, -300.0], [0.01, 1e9]])
@pytest.mark.parametrize("name", [name for name, *_ in WHOLE_AND_CUT])
def test_the_least_of_invoices_can_be_drawn(
    name: str, amounts: list[float], frames: MakeFrames, draw: Draw, texts: Texts
) -> None:
    """One invoice, equal ones, only refunds, extremes: a chart or a plain reason why there is none."""
    figure = draw(name, frames(amounts=amounts))
    reasons = ("No such invoices.", "Every invoice comes to")
    assert figure.axes or any(text.startswith(reasons) for text in texts(figure))
