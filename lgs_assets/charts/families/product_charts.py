"""Charts of what sells, what comes back and what is bought together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from lgs_assets.charts import style
from lgs_assets.charts.declaration import Family
from lgs_assets.charts.doubled import counted_twice
from lgs_assets.charts.ranking import ranking, write_beside
from lgs_assets.charts.scales import at_round_numbers, in_counts, in_pounds, label_ticks
from lgs_assets.wording import count, counted, percent, short, short_pounds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAMILY: Final = Family(__name__, part=6)

_PRODUCT: Final = ("code", "description")
_DOUBLED: Final = ("doubled_orders", "sales", "sales_once")

_TOP: Final = 20
_NAME: Final = 34
"""Letters of a product's name beside its bar."""
_NAME_IN_PAIR: Final = 26
_WHOLE: Final = 100
_LEAST_SALES: Final = 1000.0
"""Pounds that a product must have sold for its return rate to say something: of fewer, one parcel decides."""
_LEAST_RETURNS: Final = 5
"""Lines of returns, likewise."""
_CLASSES: Final = (("A", style.BLUE), ("B", style.SKY), ("C", style.GRID))


@FAMILY.chart(
    "How few products make most of the sales",
    products=("sales_rank", "sales", "cumulative_share", "abc_class"),
    monthly_metrics=_DOUBLED,
)
def product_pareto(products: pd.DataFrame, monthly_metrics: pd.DataFrame) -> Figure:
    """The running share of sales over the products, best first, with the classes A, B and C."""
    sold = products.dropna(subset="sales_rank").sort_values("sales_rank")
    if sold.empty:
        return style.message("No product has been sold.")
    figure = style.sheet(
        f"{counted(len(sold), 'product')} sold for {short_pounds(sold['sales'].sum())} before returns, best first: "
        "their running share. A up to 80 %, B up to 95 %, then C"
    )
    style.note(figure, counted_twice(monthly_metrics))
    axes = figure.add_subplot(style.grid(figure, bottom=0.195)[0])
    ranks = np.concatenate([[0.0], sold["sales_rank"].to_numpy(dtype=float)])
    shares = 100 * np.concatenate([[0.0], sold["cumulative_share"].to_numpy(dtype=float)])
    for name, colour in _CLASSES:
        members = np.flatnonzero(sold["abc_class"].to_numpy() == name)
        if members.size:
            places = slice(members[0], members[-1] + 2)
            axes.fill_between(ranks[places], 0, shares[places], facecolor=colour, edgecolor="none")
            first, last = ranks[places][0], ranks[places][-1]
            share = shares[places][-1] - shares[places][0]
            axes.annotate(
                f"{name}: {counted(len(members), 'product')},\n{percent(share)} of sales",
                ((first + last) / 2, 8),
                ha="center",
                size=style.TEXT,
                color=style.ink_on(colour),
            )
    axes.plot(ranks, shares, color=style.INK, linewidth=1.4)
    axes.set(xlim=(0, ranks[-1]), ylim=(0, 102))
    in_counts(axes.xaxis, 8)
    label_ticks(axes.yaxis, lambda value: percent(value, 0))
    axes.set_xlabel("Products, by their sales")
    axes.set_ylabel("Running share of sales, in %")
    return figure


@FAMILY.chart(
    "The products that sell most",
    products=(*_PRODUCT, "sales_rank", "sales", "returned", "units_sold", "return_rate_sales"),
    monthly_metrics=_DOUBLED,
)
def top_products(products: pd.DataFrame, monthly_metrics: pd.DataFrame) -> Figure:
    """The products with the highest sales; what came back is the pale end of a bar."""
    top = products.dropna(subset="sales_rank").sort_values("sales_rank").head(_TOP)
    if top.empty:
        return style.message("No product has been sold.")
    figure = style.sheet(
        f"The {len(top)} products with the highest sales before returns; the pale end of a bar was given back"
    )
    style.note(figure, counted_twice(monthly_metrics))
    axes = ranking(figure, [_name(*product, _NAME) for product in _named(top)], what="Product")
    sales = top["sales"].to_numpy(dtype=float)
    kept = np.clip(sales - top["returned"].to_numpy(dtype=float), 0, None)
    places = np.arange(len(top))
    axes.barh(places, sales, color=style.lighter(style.BLUE), edgecolor=style.BLUE, linewidth=0.8)
    axes.barh(places, kept, color=style.BLUE)
    labels = [
        f"{short_pounds(product['sales'], 3)}, {counted(product['units_sold'], 'unit')}, "
        f"{percent(100 * product['return_rate_sales'])} given back"
        for product in top.to_dict("records")
    ]
    write_beside(axes, sales, labels)
    axes.set_xlim(0, max(sales.max(), 1) * 1.62)
    at_round_numbers(axes.xaxis, 5)
    in_pounds(axes.xaxis)
    axes.set_xlabel("Sales before returns, in £, guests included")
    return figure


@FAMILY.chart(
    "The products that come back most",
    products=(
        *_PRODUCT, "sales", "units_sold", "return_lines", "units_returned", "returned", "return_rate_sales",
    ),
    monthly_metrics=_DOUBLED,
)  # fmt: skip
def top_returned_products(products: pd.DataFrame, monthly_metrics: pd.DataFrame) -> Figure:
    """The products with the highest share of sales given back, among those with enough of both to tell."""
    enough = products[(products["sales"] >= _LEAST_SALES) & (products["return_lines"] >= _LEAST_RETURNS)]
    minimum = f"at least {short_pounds(_LEAST_SALES)} of sales and {_LEAST_RETURNS} lines of returns"
    if enough.empty:
        return style.message(f"No product has {minimum}.")
    top = enough.sort_values(["return_rate_sales", "code"], ascending=[False, True]).head(_TOP)
    figure = style.sheet(
        f"The highest shares of sales given back, of the {counted(len(enough), 'product')} with {minimum}"
    )
    style.note(figure, f"Returns at their own price. {counted_twice(monthly_metrics)}")
    axes = ranking(figure, [_name(*product, _NAME) for product in _named(top)], what="Product")
    rates = 100 * top["return_rate_sales"].to_numpy(dtype=float)
    axes.barh(np.arange(len(top)), rates, color=style.ORANGE)
    labels = [
        f"{percent(100 * product['return_rate_sales'])}: {short_pounds(product['returned'], 3)} of "
        f"{short_pounds(product['sales'], 3)}, {counted(product['return_lines'], 'return line')}"
        for product in top.to_dict("records")
    ]
    write_beside(axes, rates, labels)
    axes.set_xlim(0, max(rates.max(), 1) * 1.62)
    _in_shares(axes, rates)
    axes.set_xlabel("Given back, in % of sales before returns")
    return figure


@FAMILY.chart(
    "The products that are bought together",
    product_pairs=("code", "other_code", "baskets", "all_baskets", "lift", "kulczynski"),
    products=_PRODUCT,
)
def product_pairs(product_pairs: pd.DataFrame, products: pd.DataFrame) -> Figure:
    """The pairs that most reliably go together, by Kulczynski's measure."""
    order = ["kulczynski", "baskets", "code", "other_code"]
    top = product_pairs.sort_values(order, ascending=[False, False, True, True]).head(_TOP)
    descriptions = products.set_index("code")["description"]
    figure = style.sheet(
        f"Of {counted(len(product_pairs), 'pair')} that share at least {count(product_pairs['baskets'].min())} of "
        f"{counted(product_pairs['all_baskets'].iloc[0], 'basket')}, those that go together most reliably"
    )
    style.note(
        figure,
        "The mean of two shares: of the baskets with the one, how many hold the other, and the reverse. "
        "Lift: how many times as often as by chance. A basket counts once.",
    )
    names = [
        " + ".join(_name(code, descriptions.get(code), _NAME_IN_PAIR) for code in (pair["code"], pair["other_code"]))
        for pair in top.to_dict("records")
    ]
    axes = ranking(figure, names, what="Pair of products", left=0.56)
    shares = 100 * top["kulczynski"].to_numpy(dtype=float)
    axes.barh(np.arange(len(top)), shares, color=style.BLUE)
    labels = [
        f"{percent(share, 0)}: {counted(baskets, 'basket')}, lift {count(lift)}"
        for share, baskets, lift in zip(shares, top["baskets"], top["lift"], strict=True)
    ]
    write_beside(axes, shares, labels)
    axes.set_xlim(0, max(shares.max(), 1) * 1.75)
    _in_shares(axes, shares)
    axes.set_xlabel("Mean share of baskets with the other product")
    return figure


def _in_shares(axes: Axes, shares: np.ndarray) -> None:
    """Marks an axis of shares in percent; beyond the whole only if a share is."""
    at_round_numbers(axes.xaxis, 6)
    if shares.max() <= _WHOLE:
        end = axes.get_xlim()[1]
        axes.set_xticks([tick for tick in axes.get_xticks() if tick <= min(end, _WHOLE)])
    label_ticks(axes.xaxis, lambda value: percent(value, 0))


def _named(products: pd.DataFrame) -> zip[tuple[str, object]]:
    return zip(products["code"], products["description"], strict=True)


def _name(code: str, description: object, letters: int) -> str:
    """The name of a product, or its code where it has none."""
    return short(description, letters) if isinstance(description, str) and description.strip() else short(code, letters)
