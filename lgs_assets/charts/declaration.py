"""How a chart declares its title and the columns it reads, and the family of charts it is drawn with. Draws nothing."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Draw = TypeVar("Draw", bound="Callable[..., Figure]")

Reads = dict[str, tuple[str, ...]]
"""Columns by table."""

SPAN: Final[Reads] = {"monthly_metrics": ("invoice_month", "last_invoice_at", "is_partial")}
"""What every footer reads, to say from when to when the data is."""
REASON: Final[Reads] = {"prediction_terms": ("unavailable_because",)}
"""What a chart of predictions reads as well, to say why there are none."""
SNAPSHOT: Final[Reads] = {"rfm_scores": ("snapshot_date",)}
"""What the footer of a chart on customers' scores reads as well."""

EMPTY: Final = {
    "user_activity": "No invoice is of a known customer yet.",
    "rfm_scores": "No known customer has bought anything yet.",
    "cohort_retention": "No known customer has bought anything yet.",
    "segment_migrations": "There are no two month ends yet between which customers could have moved.",
    "segment_survival": "No customer has changed their segment by a whole month end yet.",
    "cohort_retention_pooled": "Every month in which customers first bought is partial: none can be compared.",
    "products": "No line is of a product yet: there are charges only.",
    "product_pairs": "No two products share as many baskets as LGS_PAIR_SUPPORT asks for: 100, unless it is set.",
    "sales_drivers": "No month has a month before it, or the same month of the year before, to compare with.",
    "churn_risk": "No customer has bought in the last 365 days.",
    "value_backtests": "No past day lies far enough back to judge what would have been predicted on it.",
    "risk_backtests": "No past day lies far enough back to judge what would have been predicted on it.",
    "forecast_backtests": "No past day lies far enough back to judge what would have been forecast on it.",
}
"""Why a table may have no rows although there are invoices: what a chart of it says instead. Causes before effects."""


@dataclass(frozen=True)
class Chart:
    """A chart of the report. Its name is that of the function that draws it."""

    name: str
    title: str
    draw: Callable[..., Figure]
    """Takes the frame of each table by the table's name."""
    reads: Reads
    """What `draw` is given: its rows are sorted by these columns, so that the same rows make the same bytes."""
    has_snapshot: bool
    """Whether the footer gives the date that recency looks back from."""
    is_of_predictions: bool
    """Whether it shows what is predicted, and says why nothing is."""
    may_be_empty: tuple[str, ...] = ()
    """The tables without which there is still something to draw."""

    @property
    def drawn_from(self) -> Reads:
        """All tables behind it, those of its footer and of the reason for an empty sheet included."""
        snapshot, reason = SNAPSHOT if self.has_snapshot else {}, REASON if self.is_of_predictions else {}
        return union([SPAN, reason, self.reads, snapshot])


@dataclass
class Family:
    """Charts that are drawn together because they show the same tables. Each family module has one, called FAMILY."""

    module: str
    """Its last part is the name of the table that holds the charts."""
    part: int
    """The family's place in the report. Gaps are allowed, so that another family can come in between."""
    is_of_predictions: bool = False
    """Whether its charts show what is predicted."""
    charts: list[Chart] = field(default_factory=list)
    """In the order of their definition, which is that of the report."""

    @property
    def table(self) -> str:
        """The table that holds the charts."""
        return self.module.rpartition(".")[2]

    @property
    def file(self) -> Path:
        """The module that draws the charts."""
        return Path(inspect.getfile(sys.modules[self.module]))

    @property
    def description(self) -> str:
        """The first line of the module's docstring, and what a row is."""
        return f"{(sys.modules[self.module].__doc__ or '').partition(chr(10))[0]} One row per chart."

    @property
    def reads(self) -> Reads:
        """The columns that the family is drawn from, footers included."""
        return union([SPAN, *(chart.drawn_from for chart in self.charts)])

    def chart(
        self, title: str, /, *, has_snapshot: bool = False, may_be_empty: Sequence[str] = (), **reads: Sequence[str]
    ) -> Callable[[Draw], Draw]:
        """Makes a function a chart of the family; `reads` names the columns of each table that it takes.

        Where a table has no rows, the sheet says why instead, but for those that `may_be_empty`.

        Raises TypeError if the function does not take exactly these tables.
        """

        def declare(draw: Draw) -> Draw:
            if (taken := set(inspect.signature(draw).parameters)) != set(reads):
                raise TypeError(f"{draw.__name__} takes {sorted(taken)}, but declares {sorted(reads)}")
            columns = {table: tuple(names) for table, names in reads.items()}
            self.charts.append(
                Chart(draw.__name__, title, draw, columns, has_snapshot, self.is_of_predictions, tuple(may_be_empty))
            )
            return draw

        return declare


def union(several: Iterable[Mapping[str, Sequence[str]]]) -> Reads:
    """The columns of all, by table."""
    columns: dict[str, dict[str, None]] = {}
    for reads in several:
        for table, names in reads.items():
            columns.setdefault(table, {}).update(dict.fromkeys(names))
    return {table: tuple(names) for table, names in columns.items()}
