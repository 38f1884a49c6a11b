"""The vertical axis of a figure: round ticks, and where a value is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lgs_assets.charts import style
from lgs_assets.dashboard.figures.shapes import Line, Shape, Text

MARGIN = 52.0
"""Pixels left of the drawing, for the labels of the axis."""


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`, between two heights in pixels."""

    low: float
    high: float
    top: float
    bottom: float
    step: float

    @classmethod
    def over(cls, values: Sequence[float], *, top: float, bottom: float, ticks: int = 4) -> Axis:
        """An axis from 0, or below, to a round number that covers the values."""
        low, high = min(0.0, *values, 0.0), max(0.0, *values, 0.0)
        span = (high - low) or 1.0
        unit = 10.0 ** math.floor(math.log10(span / ticks))
        step = next(unit * times for times in (1, 2, 2.5, 5, 10) if unit * times * ticks >= span * 0.999)
        return cls(math.floor(low / step) * step, math.ceil(high / step - 1e-9) * step or step, top, bottom, step)

    def at(self, value: float) -> float:
        """The height of a value, in pixels from the top."""
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)

    def shapes(self, written: Callable[[float], str]) -> list[Shape]:
        """Grid lines with their labels."""
        count = round((self.high - self.low) / self.step)
        values = [self.low + number * self.step for number in range(count + 1)]
        lines: list[Shape] = [
            Line(0, self.at(v), 100, self.at(v), stroke=style.MUTED if abs(v) < 1e-9 else style.GRID) for v in values
        ]
        return lines + [Text(0, self.at(v) + 4, written(v), anchor="end", dx=-6) for v in values]
