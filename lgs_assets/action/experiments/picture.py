"""The picture of a result: how much the primary metric differs, for all and by segment, with intervals."""

from __future__ import annotations

from math import isfinite
from pathlib import Path

from lgs_assets.action.experiments.comparison import Result
from lgs_assets.action.experiments.declaration import ALL
from lgs_assets.action.experiments.results import Analysis
from lgs_assets.action.experiments.words import METRICS, signed
from lgs_assets.charts import style
from lgs_assets.charts.image import png_of

_BEYOND = 1.15
"""How far an interval without an end goes, in the largest end of the others."""


def picture(analysis: Analysis, *, cache: Path) -> bytes | None:
    """The picture as a PNG file; None while there is no figure to show. Fonts are listed in the folder `cache`."""
    shown = [result for result in analysis.results if result.role in ("primary", "by segment")]
    if not analysis.primary:
        shown = [analysis.look.result] if analysis.look else []
    if not shown:
        return None
    style.load_matplotlib(cache)
    metric = shown[0].metric
    title = f"What did it change of {METRICS[metric]}?"
    with style.style():
        figure = style.sheet("Dots: the best estimate. Lines: every effect that the data does not contradict.")
        axes = figure.add_subplot(style.grid(figure, left=0.3)[0])
        axes.axvline(0, color=style.MUTED, linewidth=1)
        axes.grid(visible=False)
        ends = _ends(shown)
        for place, result in enumerate(shown):
            colour = style.BLUE if result.segment == ALL else style.SKY
            axes.hlines(place, *ends[place], color=colour, linewidth=3)
            axes.plot(_unit(result, result.difference.estimate), place, "o", color=colour, markersize=9)
        names = ("All" if result.segment == ALL else result.segment for result in shown)
        labels = (
            f"{name}: {signed(metric, result.difference.estimate)}" for name, result in zip(names, shown, strict=True)
        )
        axes.set_yticks(range(len(shown)), list(labels))
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_xlabel("points" if metric == "bought_within" else METRICS[metric])
        name = analysis.state.declaration.name
        style.head_and_foot(figure, title, f"Experiment {name}. No verdict is given on a segment.")
        return png_of(figure, title)


def _unit(result: Result, value: float) -> float:
    return 100 * value if result.metric == "bought_within" else value


def _ends(shown: list[Result]) -> list[tuple[float, float]]:
    """Where each line begins and ends."""
    known = [value for result in shown for value in _figures(result) if isfinite(value)]
    widest = _BEYOND * max(map(abs, known))
    return [
        (max(_unit(result, result.difference.low), -widest), min(_unit(result, result.difference.high), widest))
        for result in shown
    ]


def _figures(result: Result) -> tuple[float, ...]:
    difference = result.difference
    return tuple(_unit(result, value) for value in (difference.low, difference.estimate, difference.high))
