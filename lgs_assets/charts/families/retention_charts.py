"""Charts of whether customers come back: by cohort, on the whole, and month by month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from lgs_assets.charts import style
from lgs_assets.charts.cells import draw_cells
from lgs_assets.charts.declaration import Family
from lgs_assets.charts.scales import in_counts, label_ticks
from lgs_assets.charts.timeline import draw_bars, label, label_partial, month_sheet, timeline_of
from lgs_assets.wording import count, counted, month, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAMILY: Final = Family(__name__, part=5)

_COHORTS: Final = 25
"""Cohorts whose rows can still be read; of more, the latest are shown."""
_LABELLED: Final = (1, 3, 6, 12)
"""Months of the curve whose value is written."""
_FEW: Final = 3
"""A share of fewer cohorts is drawn dotted."""


@FAMILY.chart(
    "Customers who come back, by the month of their first purchase",
    cohort_retention=(
        "cohort_month", "months_since", "customers", "retention_pct", "is_left_censored", "is_partial",
    ),
)  # fmt: skip
def cohort_triangle(cohort_retention: pd.DataFrame) -> Figure:
    """The retention triangle: a row a cohort, a column a month since, partial months outlined only."""
    cohorts = sorted(cohort_retention["cohort_month"].unique())[-_COHORTS:]
    shown = cohort_retention[cohort_retention["cohort_month"].isin(cohorts) & (cohort_retention["months_since"] > 0)]
    if shown.empty:
        return style.message("No month has passed since the first purchases.")
    table = shown.pivot_table(index="cohort_month", columns="months_since", values="retention_pct").reindex(cohorts)
    marks = shown.assign(is_partial=shown["is_partial"].astype(float)).pivot_table(
        index="cohort_month", columns="months_since", values="is_partial"
    )
    is_partial = marks.reindex(cohorts).fillna(0).to_numpy(dtype=bool)
    shares = table.to_numpy(dtype=float)
    first = cohort_retention.drop_duplicates("cohort_month").set_index("cohort_month")
    figure = style.sheet("The percentage of each month's new customers who bought again, by months since")
    says = (
        ["* The month that the data begins with: it also holds older customers."]
        if first.loc[cohorts, "is_left_censored"].any()
        else []
    )
    says += ["Outlined: a partial month, not comparable."] if is_partial.any() else []
    style.note(figure, " ".join(says))
    axes = figure.add_subplot(style.grid(figure, left=0.165, top=0.825, bottom=0.15)[0])
    texts = [["" if np.isnan(share) else f"{share:.0f}" for share in row] for row in shares]
    # Half of a cohort coming back in a month is the darkest shade: few do, and differences should show.
    draw_cells(axes, np.minimum(shares / 50, 1), texts, size=style.SMALL - 0.5, is_pale=is_partial)
    rows = [
        f"{month(cohort)}{'*' * int(first.loc[cohort, 'is_left_censored'])}, {count(first.loc[cohort, 'customers'])}"
        for cohort in cohorts
    ]
    axes.set_yticks([row + 0.5 for row in range(len(rows))], rows)
    axes.tick_params(axis="y", labelsize=style.SMALL)
    axes.set_xticks([place + 0.5 for place in range(shares.shape[1])], [str(since) for since in table.columns])
    axes.set_xlabel("Months since the first purchase", labelpad=2)
    axes.set_ylabel("Month of the first purchase, customers")
    if first.loc[cohorts[0], "is_left_censored"] and len(cohorts) > 1:
        axes.axhline(1, color=style.INK, linewidth=0.9)
    return figure


@FAMILY.chart(
    "Customers and sales that come back, all cohorts together",
    cohort_retention_pooled=(
        "with_left_censored", "months_since", "cohorts", "retention_pct", "revenue_retention_once_pct",
    ),
    cohort_retention=(
        "cohort_month", "months_since", "retention_pct", "revenue_retention_once_pct", "is_left_censored", "is_partial",
    ),
)  # fmt: skip
def retention_curve(cohort_retention_pooled: pd.DataFrame, cohort_retention: pd.DataFrame) -> Figure:
    """The curve of new customers, and apart from it that of the first month of the data."""
    pooled = cohort_retention_pooled
    pooled = pooled[~pooled["with_left_censored"].astype(bool) & (pooled["months_since"] > 0)]
    if pooled.empty:
        return style.message("No whole month has passed since a first purchase that is known to be one.")
    censored = cohort_retention[
        cohort_retention["is_left_censored"].astype(bool)
        & ~cohort_retention["is_partial"].astype(bool)
        & (cohort_retention["months_since"] > 0)
    ]
    figure = style.sheet("Of customers and of the sales of their first month, the percentage by months since")
    style.note(
        figure,
        "Whole months only. The first month of the data also holds older customers: it is drawn separately. "
        f"Dotted: fewer than {counted(_FEW, 'cohort')}. Sales before returns, doubled invoices once.",
    )
    panels = style.grid(figure, 1, 2, bottom=0.195, top=0.76, wspace=0.16)
    for place, (column, title) in enumerate((("retention_pct", "Customers"), ("revenue_retention_once_pct", "Sales"))):
        axes = figure.add_subplot(panels[place])
        axes.set_title(title, loc="left", pad=18)
        _draw_curve(axes, pooled, column)
        if not censored.empty:
            axes.plot(
                censored["months_since"], censored[column], color=style.ORANGE, linewidth=1.6, linestyle=(0, (4, 2))
            )
        axes.set_ylim(0, None)
        in_counts(axes.xaxis, 12)
        label_ticks(axes.yaxis, lambda value: percent(value, 0))
        axes.set_xlabel("Months since the first purchase")
        axes.set_ylabel(f"{title} of the first month, in %")
        if place == 0:
            keys = [style.stroke(color=style.BLUE, marker="o", markersize=4, label="new customers")]
            if not censored.empty:
                name = f"first seen in {month(censored['cohort_month'].iloc[0])}"
                keys.append(style.stroke(color=style.ORANGE, linestyle=(0, (4, 2)), label=name))
            style.legend(axes, keys)
    return figure


@FAMILY.chart(
    "New, retained, reactivated and lapsed customers",
    customer_flow=(
        "invoice_month", "new_customers", "retained_customers", "reactivated_customers", "lapsed_customers",
        "is_left_censored", "is_partial",
    ),
    monthly_metrics=("invoice_month", "last_invoice_at"),
)  # fmt: skip
def customer_flow(customer_flow: pd.DataFrame, monthly_metrics: pd.DataFrame) -> Figure:
    """Active customers of each month by where they come from, above the line; below it, those who did not buy."""
    known = customer_flow.assign(last_invoice_at=monthly_metrics["last_invoice_at"].max())
    timeline = timeline_of(known)
    figure, axes = month_sheet(
        timeline,
        "Customers with a sale in the month, and below the line those of the month before without one",
        note="In the month that the data begins with, everybody seems new. Of the lapsed, many come back later. "
        "Doubled invoices count no customer twice.",
    )
    new, retained, back, lapsed = (
        timeline.values[f"{kind}_customers"] for kind in ("new", "retained", "reactivated", "lapsed")
    )
    draw_bars(axes, timeline, retained, style.BLUE)
    draw_bars(axes, timeline, back, style.SKY, base=retained)
    draw_bars(axes, timeline, new, style.ORANGE, base=retained + back)
    draw_bars(axes, timeline, -lapsed, style.MUTED)
    label_partial(axes, timeline, (retained + back + new) / 2)
    whole = ~timeline.is_partial
    for at, value in zip(timeline.at[whole], lapsed[whole], strict=True):
        if value > 0 and len(timeline.at) <= _COHORTS + 1:
            label(axes, at, -value, count(value), style.SMALL - 1)
    axes.axhline(0, color=style.INK, linewidth=0.9)
    axes.margins(y=0.06)
    in_counts(axes.yaxis)
    label_ticks(axes.yaxis, lambda value: count(abs(value)))
    axes.set_ylabel("Customers, the lapsed below the line")
    kinds = (
        ("retained", style.BLUE),
        ("reactivated", style.SKY),
        ("new", style.ORANGE),
        ("lapsed: did not buy this month", style.MUTED),
    )
    style.legend(axes, [style.swatch(colour, name) for name, colour in kinds])
    return figure


def _draw_curve(axes: Axes, pooled: pd.DataFrame, column: str) -> None:
    months, values = pooled["months_since"].to_numpy(), pooled[column].to_numpy(dtype=float)
    is_firm = pooled["cohorts"].to_numpy() >= _FEW
    last_firm = int(np.flatnonzero(is_firm)[-1]) if is_firm.any() else 0
    look: dict[str, Any] = {"color": style.BLUE, "markersize": 4}
    axes.plot(months[: last_firm + 1], values[: last_firm + 1], "-o", linewidth=2, **look)
    axes.plot(months[last_firm:], values[last_firm:], ":o", linewidth=1.2, markerfacecolor="white", **look)
    for since, value in zip(months, values, strict=True):
        if since in _LABELLED:
            above = since > _LABELLED[0]  # else it would cover the start of the line, or the axis
            axes.annotate(
                percent(value),
                (since, value),
                xytext=(0, 5) if above else (-3, -5),
                textcoords="offset points",
                ha="center" if above else "left",
                va="bottom" if above else "top",
                size=style.SMALL,
                bbox=style.UNCROSSED,
            )
