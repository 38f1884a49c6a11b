"""Charts of how customers move between the segments: how large these become, who went where, and who stays."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from lgs_assets.charts import style
from lgs_assets.charts.cells import draw_cells
from lgs_assets.charts.declaration import Family
from lgs_assets.charts.fit import spread
from lgs_assets.charts.scales import in_counts
from lgs_assets.wording import as_of, count, counted, day_of_year, month, percent, signed_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAMILY: Final = Family(__name__, part=4)

_STEPS: Final = ("step", "snapshot_from", "snapshot_to", "segment_from", "segment_to", "customers", "is_partial")
_ORDER: Final = ("position", "segment")

_NEWCOMERS: Final = "(not yet a customer)"
_CAUSES: Final = {
    "purchase": "purchase",
    "ageing": "ageing",
    "boundary": "boundary alone",
    "purchase and boundary": "purchase and boundary",
    "ageing and boundary": "ageing and boundary",
}
_RELATIVE: Final = "Scores are relative to the other customers of the moment."

# Letters of a segment's name on one line beside a row, and above a column.
_BESIDE: Final = 22
_ABOVE: Final = 11

_LONGEST: Final = 12
"""Months of survival that are shown."""
_FEWEST: Final = 30
"""A share of fewer entries would be chance."""


@FAMILY.chart(
    "Segments over time",
    segment_migrations=_STEPS,
    segment_playbook=_ORDER,
    monthly_metrics=("last_invoice_at",),
    has_snapshot=True,
)
def segment_sizes_over_time(
    segment_migrations: pd.DataFrame, segment_playbook: pd.DataFrame, monthly_metrics: pd.DataFrame
) -> Figure:
    """Customers in each segment at each month end, stacked, the best on top."""
    steps = segment_migrations[segment_migrations["step"] == 1]
    first = steps[steps["snapshot_from"] == steps["snapshot_from"].min()]
    begin = first[first["segment_from"] != _NEWCOMERS].rename(
        columns={"snapshot_from": "at", "segment_from": "segment"}
    )
    later = steps.rename(columns={"snapshot_to": "at", "segment_to": "segment"})
    columns = ["at", "segment", "customers"]
    sizes = pd.concat([begin[columns], later[columns]]).pivot_table(
        index="at", columns="segment", values="customers", aggfunc="sum", fill_value=0
    )
    names = [name for name in _names(segment_playbook) if name in sizes]
    sizes = sizes[names[::-1]]
    figure = style.sheet("Customers in each segment at the end of each month: all who had bought until then")
    style.note(figure, _RELATIVE)
    axes = figure.add_subplot(style.grid(figure, right=0.755, bottom=0.195)[0])
    places = np.arange(len(sizes), dtype=float)
    tops = sizes.to_numpy(dtype=float).cumsum(axis=1)
    colours = dict(zip(_names(segment_playbook), style.ramp(len(segment_playbook)), strict=True))
    base = np.zeros(len(sizes))
    for name, top in zip(sizes, tops.T, strict=True):
        axes.fill_between(places, base, top, facecolor=colours[name], edgecolor="white", linewidth=0.6)
        base = top
    axes.set(xlim=(0, max(places[-1], 1)), ylim=(0, max(tops[-1, -1], 1) * 1.1))
    _name_areas(axes, sizes.iloc[-1], tops[-1])
    ends = [moment - pd.Timedelta(days=1) for moment in sizes.index]
    every = max(1, -(-len(ends) // 9))
    axes.set_xticks(places[::every], [month(end) for end in ends[::every]])
    axes.set_xlabel("End of the month")
    in_counts(axes.yaxis)
    axes.set_ylabel("Customers")
    partial = steps.loc[steps["is_partial"].astype(bool), "snapshot_from"]
    if len(partial):
        whole_until = places[sizes.index.get_loc(partial.min())]
        axes.axvline(whole_until, color=style.INK, linewidth=0.9, linestyle=(0, (3, 2)))
        ends_at = day_of_year(monthly_metrics["last_invoice_at"].max())
        axes.text(
            whole_until - 0.2, axes.get_ylim()[1] * 0.98, f"then partial: to {ends_at}", ha="right", va="top",
            size=style.SMALL,
        )  # fmt: skip
    return figure


@FAMILY.chart(
    "Who moved between segments in the last whole month",
    segment_migrations=(*_STEPS, "cause"),
    segment_playbook=_ORDER,
)
def segment_migration_month(segment_migrations: pd.DataFrame, segment_playbook: pd.DataFrame) -> Figure:
    """The matrix of a month: from the segment of the row to that of the column, and what each segment gained."""
    return _matrix(segment_migrations, segment_playbook, step=1)


@FAMILY.chart(
    "Who moved between segments in the last three whole months",
    segment_migrations=(*_STEPS, "cause"),
    segment_playbook=_ORDER,
)
def segment_migration_quarter(segment_migrations: pd.DataFrame, segment_playbook: pd.DataFrame) -> Figure:
    """The same of three months."""
    return _matrix(segment_migrations, segment_playbook, step=3)


@FAMILY.chart(
    "How long customers stay in a segment",
    segment_survival=("segment", "months", "entries", "remaining", "survival_pct"),
    segment_migrations=("step", "snapshot_to", "is_partial"),
    segment_playbook=_ORDER,
)
def segment_survival(
    segment_survival: pd.DataFrame, segment_migrations: pd.DataFrame, segment_playbook: pd.DataFrame
) -> Figure:
    """Of those who entered a segment, the share still in it month by month."""
    shown = segment_survival[segment_survival["months"] <= _LONGEST]
    names = [name for name in _names(segment_playbook) if name in set(shown["segment"])]
    months = range(1, int(shown["months"].max()) + 1)
    if not months:
        return style.message("No month has passed since customers first changed their segment.")
    table = shown.pivot_table(index="segment", columns="months", values="survival_pct").reindex(names)
    entries = shown.pivot_table(index="segment", columns="months", values="entries").reindex(names)
    shares = table.where(entries >= _FEWEST)[list(months)].to_numpy(dtype=float)
    whole = segment_migrations[(segment_migrations["step"] == 1) & ~segment_migrations["is_partial"].astype(bool)]
    figure = style.sheet(
        f"Until the {as_of(whole['snapshot_to'].max())}: of those who entered a segment at a month end, the percentage "
        "still in it that many months later, without a break"
    )
    style.note(
        figure,
        "Left out: who was there when the data began, partial months, and shares of fewer than "
        f"{_FEWEST} entries. {_RELATIVE}",
    )
    axes = figure.add_subplot(style.grid(figure, left=0.265, top=0.8, bottom=0.185)[0])
    texts = [["" if np.isnan(share) else percent(share, 0).removesuffix(" %") for share in row] for row in shares]
    draw_cells(axes, shares / 100, texts, size=style.TEXT)
    axes.set_xticks([number - 0.5 for number in months], [str(number) for number in months])
    entered = entries[0].fillna(0)
    axes.set_yticks(
        [row + 0.5 for row in range(len(names))],
        [f"{_broken(name, _BESIDE)}, {count(entered[name])} entries" for name in names],
    )
    axes.set_xlabel("Months since the customer entered the segment")
    axes.set_ylabel("Segment entered", labelpad=6)
    return figure


def _matrix(segment_migrations: pd.DataFrame, playbook: pd.DataFrame, *, step: int) -> Figure:
    steps = segment_migrations[(segment_migrations["step"] == step) & ~segment_migrations["is_partial"].astype(bool)]
    if steps.empty:
        return style.message(f"There are no two whole month ends yet that are {counted(step, 'month')} apart.")
    steps = steps[steps["snapshot_to"] == steps["snapshot_to"].max()]
    names = _names(playbook)
    table = (
        steps.pivot_table(index="segment_from", columns="segment_to", values="customers", aggfunc="sum")
        .reindex(index=[*names, _NEWCOMERS], columns=names)
        .fillna(0)
        .to_numpy(dtype=float)
    )
    known = table[:-1]
    stayed = np.trace(known)
    came, went = (as_of(steps[moment].iloc[0]) for moment in ("snapshot_to", "snapshot_from"))
    figure = style.sheet(
        f"From the {went} to the {came}: of {counted(known.sum(), 'customer')} {count(known.sum() - stayed)} moved, "
        f"{count(stayed)} stayed; {count(table[-1].sum())} bought for the first time"
    )
    by_cause = steps.groupby("cause")["customers"].sum()
    causes = [f"{name} {count(by_cause.get(cause, 0))}" for cause, name in _CAUSES.items()]
    figure.text(style.MARGIN, 0.852, f"By {', '.join(causes)}", va="center", color=style.MUTED)
    style.note(
        figure, f"Judged by the old boundaries first: another order would attribute some moves differently. {_RELATIVE}"
    )
    axes = figure.add_subplot(style.grid(figure, left=0.19, right=0.79, top=0.755, bottom=0.125)[0])
    rows = table.sum(axis=1, keepdims=True)
    shares = np.divide(table, rows, out=np.full_like(table, np.nan), where=table > 0)
    draw_cells(axes, shares, [[count(cell) if cell else "" for cell in row] for row in table], size=style.TEXT - 0.5)
    axes.set_yticks(
        [row + 0.5 for row in range(len(names) + 1)], [_broken(name, _BESIDE) for name in (*names, _NEWCOMERS)]
    )
    axes.xaxis.tick_top()
    axes.set_xticks([column + 0.5 for column in range(len(names))], [_broken(name, _ABOVE) for name in names])
    axes.tick_params(labelsize=style.SMALL - 1, axis="x")
    axes.axhline(len(names), color=style.MUTED, linewidth=0.9)
    axes.set_xlabel("To: cells shaded by their share of the row", labelpad=4)
    axes.set_ylabel("From", labelpad=4)
    _net_flows(axes, before=rows[:-1, 0], after=table.sum(axis=0), columns=len(names))
    return figure


def _net_flows(axes: Axes, *, before: Any, after: Any, columns: int) -> None:
    """Beside each row its segment before, after and the difference."""
    look: dict[str, Any] = {"size": style.TEXT - 0.5, "va": "center", "ha": "right", "clip_on": False}
    for place, title in ((1.1, "before"), (2.1, "after"), (3.1, "net")):
        axes.text(columns + place, -0.35, title, **(look | {"weight": "bold"}))
    for row, (was, is_now) in enumerate(zip(before, after, strict=True)):
        net = is_now - was
        colour = style.MUTED if net == 0 else style.BLUE if net > 0 else style.VERMILION
        for place, text, ink in (
            (1.1, count(was), style.INK), (2.1, count(is_now), style.INK), (3.1, signed_count(net), colour)
        ):  # fmt: skip
            axes.text(columns + place, row + 0.5, text, color=ink, **look)


def _name_areas(axes: Axes, sizes: pd.Series, tops: Any) -> None:
    """Beside the right end of each area its segment and size, moved apart where they would overlap."""
    middles = tops - sizes.to_numpy(dtype=float) / 2
    height = axes.get_ylim()[1]
    edge = axes.get_xlim()[1]
    for (name, size), middle, at in zip(sizes.items(), middles, spread(middles, gap=height * 0.052), strict=True):
        axes.annotate(
            f"{_broken(str(name), 30)}, {count(size)}",
            (edge, middle),
            xytext=(edge * 1.03, at),
            va="center",
            size=style.SMALL + 0.5,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": style.MUTED, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0},
        )


def _names(playbook: pd.DataFrame) -> list[str]:
    return [str(name) for name in playbook.sort_values("position")["segment"]]


def _broken(name: str, letters: int) -> str:
    return "\n".join(wrap(name, letters, max_lines=2, placeholder="…"))
