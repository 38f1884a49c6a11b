"""Scales for amounts anywhere between pennies and a fortune: how they are divided into bars and ticked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from lgs_assets.wording import count, short_pounds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

Values = NDArray[np.float64]

_LINEAR_WITHIN: Final = 10.0
"""Pounds either side of 0 within which the scale of all amounts is linear: pennies do not deserve half the width."""

# A line at the end of an axis would coincide with the other axis.
_MARGIN: Final = 0.008

_FEW_TICKS: Final = 2


@dataclass(frozen=True)
class Scale:
    """A way to lay out amounts along an axis."""

    name: str
    """Matplotlib's."""
    label: str
    """What the axis says about it."""
    forward: Callable[[Values], Values]
    inverse: Callable[[Values], Values]
    options: dict[str, Any] = field(default_factory=dict)

    def bars(self, low: float, high: float, number: int) -> Values:
        """The edges of `number` bars of equal width on the axis, from `low` to `high`."""
        start, end = self.forward(np.array([low, high], dtype=float))
        if start == end:
            start, end = start - 0.5, end + 0.5
        edges = self.inverse(np.linspace(start, end, number + 1))
        # Converting back from the logarithm may move the ends inwards by a rounding error.
        edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
        return edges

    def lay(self, axes: Axes, low: float, high: float) -> None:
        """Puts the scale on the horizontal axis, in pounds."""
        axes.set_xscale(self.name, **self.options)
        start, end = self.forward(np.array([low, high], dtype=float))
        margin = _MARGIN * (end - start)
        axes.set_xlim(*self.inverse(np.array([start - margin, end + margin])))
        if self is not LINEAR:
            axes.set_xticks(_round_amounts(low, high))
            axes.minorticks_off()
        in_pounds(axes.xaxis)


LINEAR: Final = Scale("linear", "", np.positive, np.positive)
LOG: Final = Scale("log", "log scale", np.log10, lambda values: 10.0**values)
BOTH_SIDES: Final = Scale(
    "asinh",
    f"log scale either side of £0, linear within £{_LINEAR_WITHIN:g}",
    lambda values: np.arcsinh(values / _LINEAR_WITHIN),
    lambda values: np.sinh(values) * _LINEAR_WITHIN,
    {"linear_width": _LINEAR_WITHIN},
)


def even_bars(low: float, high: float, number: int) -> Values:
    """The edges of about `number` bars of a round width that cover `low` to `high`."""
    if low == high:
        low, high, number = low - 5, high + 5, 10
    rough = (high - low) / number
    unit = 10.0 ** np.floor(np.log10(rough))
    width = unit * min((1.0, 2.0, 5.0, 10.0), key=lambda step: abs(np.log(unit * step / rough)))
    first = np.floor(low / width)
    return np.asarray(width * np.arange(first, np.ceil(high / width) + 1))


def in_pounds(axis: Axis) -> None:
    """Labels the ticks of an axis like `£250k`."""
    label_ticks(axis, short_pounds)


def in_counts(axis: Axis, most: int = 6) -> None:
    """Puts at most `most` intervals on an axis, at whole numbers, and labels their ticks like `1,522`."""
    at_round_numbers(axis, most, integer=True)
    label_ticks(axis, count)


def at_round_numbers(axis: Axis, most: int, **options: Any) -> None:
    """Puts ticks at round numbers, at most `most` intervals of them."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(most, **options))


def label_ticks(axis: Axis, written: Callable[[float], str]) -> None:
    """Labels each tick of an axis with its value as `written` words it."""
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: written(value)))


def _round_amounts(low: float, high: float) -> list[float]:
    """The powers of ten within the limits, on both sides of 0, with multiples of them where they are few."""
    smallest = 0.01 if low > 0 else _LINEAR_WITHIN
    within: list[float] = []
    for multiples in ((1,), (1, 2, 5), range(1, 10)):
        sizes = [multiple * 10.0**power for power in range(-2, 13) for multiple in multiples]
        sizes = [size for size in sizes if size >= smallest]
        within = [value for value in (*(-size for size in sizes), 0.0, *sizes) if low <= value <= high]
        if len(within) > _FEW_TICKS:
            return within
    return within if len(within) > 1 else [low, high]
