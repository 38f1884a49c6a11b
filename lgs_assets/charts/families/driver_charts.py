"""Charts of what changed sales, and what of it is more than chance; doubled invoices count once in all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from lgs_assets.charts import style
from lgs_assets.charts.declaration import Family
from lgs_assets.charts.scales import in_pounds
from lgs_assets.charts.timeline import draw_bars, label_partial, month_axes, timeline_of
from lgs_assets.wording import change, month, p_value, short_pounds, signed_pounds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAMILY: Final = Family(__name__, part=8)

_EFFECTS: Final = {
    "customers_effect": "customers",
    "orders_effect": "orders a\ncustomer",
    "items_effect": "items an\norder",
    "price_effect": "price an\nitem",
    "guests_effect": "guests",
    "returns_effect": "returns",
}
_COMPARISONS: Final = ("month before", "year before")
_SALES: Final = "sales, doubled invoices once"
"""The series of `monthly_series` that compares over time."""
_NOT_TOLD: Final = ("sales", "new customers", "existing customers")
"""With second copies, or of customers who seem new since the data has a beginning: they move for that alone."""
_SEEM_NEW: Final = "Left out: new and existing ones (at first all seem new)."
_LEVEL: Final = 0.05
"""The usual level of significance."""
_ENOUGH_MONTHS: Final = 36
"""Fewer hold each month of the year twice at most, and a season of two values takes up chance as well."""
_SEASON: Final = "season: what recurs each year (STL)"
_REST: Final = "what is left after the trend: two years cannot tell season from chance"


@FAMILY.chart(
    "What changed sales in the last whole month",
    sales_drivers=(
        "invoice_month", "comparison", "compared_month", "is_partial", "net_sales", "net_sales_before", "change",
        *_EFFECTS,
    ),
    monthly_metrics=("invoice_month", "is_partial"),
)  # fmt: skip
def sales_changes(sales_drivers: pd.DataFrame, monthly_metrics: pd.DataFrame) -> Figure:
    """Waterfalls of the change on the month before and on the year before."""
    whole = sales_drivers[~sales_drivers["is_partial"].astype(bool)]
    latest = whole[whole["invoice_month"] == whole["invoice_month"].max()].set_index("comparison")
    if latest.empty:
        return style.message("There are no two whole months yet to compare.")
    shown = whole["invoice_month"].max()
    last = monthly_metrics.loc[~monthly_metrics["is_partial"].astype(bool), "invoice_month"].max()
    skipped = f"{month(last)} has no month to compare with: this is {month(shown)}." if last > shown else ""
    figure = style.sheet(
        "Sales to customers = customers × orders a customer × items an order × price an item; "
        "each bar is the part of one of them, in £"
    )
    style.note(
        figure,
        "Net sales: after cancellations and refunds; doubled invoices once. The parts add up to the change (LMDI). "
        f"{skipped or 'Guests include adjustments.'}",
    )
    panels = style.grid(figure, 1, 2, top=0.765, bottom=0.215, wspace=0.17)
    for place, comparison in enumerate(_COMPARISONS):
        axes = figure.add_subplot(panels[place])
        if comparison in latest.index:
            _waterfall(axes, latest.loc[comparison])
        else:
            axes.text(0.5, 0.5, f"There is no {comparison}.", ha="center", transform=axes.transAxes)
            axes.set_axis_off()
        axes.set_title(f"On the {comparison}", loc="left", pad=22)
        axes.set_xlabel("What changed")
        axes.set_ylabel("Change of net sales, in £" if place == 0 else "")
    return figure


@FAMILY.chart(
    "Sales with their trend, and what it leaves",
    monthly_metrics=("invoice_month", "last_invoice_at", "is_partial", "sales_once"),
    seasonality=("series", "invoice_month", "trend", "season"),
    trend_statistics=("series", "method", "months", "change_pct", "holm_p", "reason"),
    may_be_empty=("seasonality",),
)
def sales_trend(monthly_metrics: pd.DataFrame, seasonality: pd.DataFrame, trend_statistics: pd.DataFrame) -> Figure:
    """Monthly sales with the slow part and, below, the part that recurs; and what of the change may be chance."""
    parts = seasonality[seasonality["series"] == _SALES]
    known = monthly_metrics.merge(parts.drop(columns="series"), on="invoice_month", how="left")
    timeline = timeline_of(known)
    statistics = trend_statistics[trend_statistics["method"] == "year on year"].set_index("series")
    figure = style.sheet(_verdict(statistics))
    style.note(figure, _others(statistics))
    right = 0.885 if timeline.is_partial.any() else 0.975
    ratios = [2] if parts.empty else [2, 1]
    panels = style.grid(figure, len(ratios), 1, top=0.8, bottom=0.195, right=right, hspace=0.3, height_ratios=ratios)
    rows = [figure.add_subplot(panels[place]) for place in range(len(ratios))]
    above, below = rows[0], rows[-1]
    draw_bars(above, timeline, timeline.values["sales_once"], style.SKY)
    label_partial(above, timeline, timeline.values["sales_once"] / 2)
    above.set_ylabel("Net sales a month, in £")
    keys = [style.swatch(style.SKY, "sales, doubled invoices once")]
    for axes in rows:
        month_axes(axes, timeline)
        in_pounds(axes.yaxis)
    if not parts.empty:
        above.plot(timeline.at, timeline.values["trend"], color=style.INK, linewidth=2)
        above.set_xlabel("")
        above.tick_params(labelbottom=False)
        draw_bars(below, timeline, timeline.values["season"], style.ORANGE)
        below.axhline(0, color=style.INK, linewidth=0.9)
        is_told = len(parts) >= _ENOUGH_MONTHS
        below.set_ylabel("Season, in £" if is_told else "The rest, in £")
        keys.append(style.stroke(color=style.INK, linewidth=2, label="trend"))
        keys.append(style.swatch(style.ORANGE, _SEASON if is_told else _REST))
    style.legend(above, keys)
    return figure


def _waterfall(axes: Axes, drivers: pd.Series) -> None:
    effects = np.array([float(drivers[effect]) for effect in _EFFECTS])
    ends = effects.cumsum()
    bottoms = ends - effects
    places = np.arange(len(effects) + 1)
    colours = [style.BLUE if effect >= 0 else style.ORANGE for effect in effects]
    total = float(drivers["change"])
    axes.bar(places, [*effects, total], 0.7, bottom=[*bottoms, 0], color=[*colours, style.MUTED])
    for place, end in enumerate(ends):
        axes.plot([place + 0.35, place + 0.65], [end, end], color=style.MUTED, linewidth=0.8)
    for place, (effect, bottom) in enumerate(zip([*effects, total], [*bottoms, 0], strict=True)):
        axes.annotate(
            signed_pounds(effect, 3),
            (place, max(bottom, bottom + effect)),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            size=style.SMALL - 0.5,
            bbox=style.UNCROSSED,
        )
    axes.axhline(0, color=style.INK, linewidth=0.9)
    axes.set_xticks(places, [*_EFFECTS.values(), "change"])
    axes.tick_params(axis="x", labelsize=style.SMALL - 0.5)
    reached = [0.0, total, *ends]
    room = 0.09 * (max(reached) - min(reached) or 1)
    axes.set_ylim(min(reached) - (room if min(reached) < 0 else 0), max(reached) + room)
    in_pounds(axes.yaxis)
    before, now = float(drivers["net_sales_before"]), float(drivers["net_sales"])
    ratio = f", {change(100 * (now / before - 1))}" if before > 0 else ""
    axes.text(
        0, 1.035, f"{month(drivers['compared_month'])} {short_pounds(before)}, {month(drivers['invoice_month'])} "
        f"{short_pounds(now)}{ratio}", transform=axes.transAxes, size=style.SMALL + 0.5, color=style.MUTED,
    )  # fmt: skip


def _verdict(statistics: pd.DataFrame) -> str:
    """What the last twelve whole months say against the twelve before, and whether that may be chance, by Holm."""
    if _SALES not in statistics.index:
        return "The trend of sales has not been judged"
    sales: Any = statistics.loc[_SALES]
    if isinstance(sales["reason"], str):
        return f"The trend of sales cannot be judged: {sales['reason']}"
    found = (
        f"Sales in the last 12 whole months: {change(sales['change_pct'])} on the 12 before "
        f"(Holm's p {p_value(sales['holm_p'])})"
    )
    verdict = "more than chance" if sales["holm_p"] < _LEVEL else "no significant trend"
    years = int(sales["months"]) // 12
    doubt = (
        "Two years cannot tell a slope from a step" if years == 2 else f"This compares the last two of {years} years"
    )
    return f"{found}: {verdict}. {doubt}"


def _others(statistics: pd.DataFrame) -> str:
    """The same of the other series, by their p-values corrected for the number of all."""
    judged = statistics[statistics["reason"].isna()].drop(index=[_SALES, *_NOT_TOLD], errors="ignore")
    found = [(f"{series} {change(row['change_pct'])}", row["holm_p"] < _LEVEL) for series, row in judged.iterrows()]
    others = "not" if any(is_significant for _, is_significant in found) else "none is significant"
    said = [
        f"{verdict}: {', '.join(text for text, is_significant in found if is_significant == wanted)}"
        for wanted, verdict in ((True, "significant"), (False, others))
        if any(is_significant == wanted for _, is_significant in found)
    ]
    return f"By Holm's p, {'; '.join(said)}. {_SEEM_NEW}" if said else ""
