"""Charts of the countries that buy, the home country on a scale of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from lgs_assets.charts import style
from lgs_assets.charts.declaration import Family
from lgs_assets.charts.doubled import counted_twice
from lgs_assets.charts.ranking import name_rows, write_beside
from lgs_assets.charts.scales import at_round_numbers, in_pounds
from lgs_assets.charts.timeline import HATCH
from lgs_assets.wording import MOSTLY_ONE, counted, percent, short, short_pounds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAMILY: Final = Family(__name__, part=7)

_TOP: Final = 20
_NAME: Final = 24
_HOME: Final = 0.5
"""The share of net sales from which on a country would leave no room for the others."""


@FAMILY.chart(
    "Sales of each country",
    countries=("country", "net_sales", "net_sales_share", "sale_customers", "top_customer_share"),
    monthly_metrics=("doubled_orders", "sales", "sales_once"),
)
def country_sales(countries: pd.DataFrame, monthly_metrics: pd.DataFrame) -> Figure:
    """Net sales of the largest countries; those that are mostly one customer are hatched and say so."""
    ranked = countries.sort_values(["net_sales", "country"], ascending=[False, True])
    is_home = ranked["net_sales_share"].astype(float).to_numpy() > _HOME
    home, abroad = ranked[is_home], ranked[~is_home].head(_TOP)
    left_out = len(ranked) - len(home) - len(abroad)
    figure = style.sheet(
        f"{len(countries)} {'country' if len(countries) == 1 else 'countries'}, by net sales: after cancellations and "
        "refunds, guests included. Hatched: one buyer makes half of known buyers' sales or more"
    )
    scale = f"{short(home['country'].iloc[0], _NAME)} has a scale of its own. " if len(home) and len(abroad) else ""
    others = f"{left_out} smaller ones are left out. " if left_out else ""
    style.note(figure, f"{scale}{others}{counted_twice(monthly_metrics)}")
    parts = [part for part in (home, abroad) if len(part)]
    grid = style.grid(
        figure, len(parts), 1, left=0.19, top=0.855, bottom=0.175, hspace=0.22,
        height_ratios=[max(len(part), 1.6) for part in parts],
    )  # fmt: skip
    for place, part in enumerate(parts):
        axes = figure.add_subplot(grid[place])
        _draw(axes, part)
        axes.set_xlabel("Net sales, in £" if place == len(parts) - 1 else "")
    axes.set_ylabel("Country")
    return figure


def _draw(axes: Axes, countries: pd.DataFrame) -> None:
    sales = countries["net_sales"].to_numpy(dtype=float)
    is_one = countries["top_customer_share"].fillna(0).to_numpy(dtype=float) >= MOSTLY_ONE
    places = np.arange(len(countries))
    axes.barh(places[~is_one], sales[~is_one], color=style.BLUE)
    axes.barh(
        places[is_one], sales[is_one], facecolor=style.lighter(style.BLUE), edgecolor=style.BLUE, hatch=HATCH,
        linewidth=0.8,
    )  # fmt: skip
    marked = zip(countries.itertuples(), is_one, strict=True)
    write_beside(axes, sales, [_label(country, one_customer=bool(is_marked)) for country, is_marked in marked])
    name_rows(axes, [short(name, _NAME) for name in countries["country"]])
    axes.set_xlim(min(sales.min(), 0), max(sales.max(), 1) * 1.7)
    at_round_numbers(axes.xaxis, 6)
    in_pounds(axes.xaxis)


def _label(country: Any, *, one_customer: bool) -> str:
    """`£615.5k (3.2 %), 5 buyers, one of them 51 % of their sales`."""
    share = "" if pd.isna(country.net_sales_share) else f" ({percent(100 * country.net_sales_share)})"
    buyers = counted(country.sale_customers, "buyer") if country.sale_customers else "no known buyers"
    text = f"{short_pounds(country.net_sales)}{share}, {buyers}"
    if not one_customer or country.sale_customers == 1:
        return text
    return f"{text}, one of them {percent(100 * country.top_customer_share, 0)} of their sales"
