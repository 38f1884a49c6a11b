"""The types of a page: `Page` declares one, `View` is what it reads, `Shown` what its template gets. Shows nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from lgs_assets import wording
from lgs_assets.dashboard.bar import chips
from lgs_assets.dashboard.content import Figure, Link, Table
from lgs_assets.dashboard.filters import PICKING, Filters
from lgs_assets.dashboard.queries import Built, Choices, Reading, Row, month_before, months_between

Files = dict[str, Table | Figure]
"""The downloads of a page, by name."""


@dataclass(frozen=True)
class View:
    """What a page is given: the filters, the tables, and the part of the path that names one of many."""

    filters: Filters
    reading: Reading
    item: str = ""
    whole: bool = False
    """All rows of a list, not a page of them: for a file."""

    @property
    def built(self) -> Built:
        """What is built, and of which dumps."""
        return self.reading.built

    @property
    def built_at(self) -> datetime | None:
        """When the latest of the tables behind the page was built."""
        return self.built.at(self.reading.tables)

    @property
    def choices(self) -> Choices:
        """What the filters offer."""
        return self.reading.choices

    @property
    def as_of(self) -> date:
        """The month at whose end the customers are looked at."""
        return self.reading.as_of(self.filters)

    def month(self, month: date | None = None) -> str:
        """`Nov 2011`, or `Dec 2011, to 9 Dec` for a month that the data does not fill: of what happened in it."""
        not_over = self.not_over(month)
        return wording.month(month or self.as_of) + (f", {not_over}" if not_over else "")

    def moment(self, month: date | None = None) -> str:
        """`Nov 2011`, or `9 Dec 2011` for a month that the data does not fill: of what was at its end."""
        last = self._last_day(month)
        return wording.day(last) if last else wording.month(month or self.as_of)

    def end(self, month: date | None = None) -> str:
        """Until when the customers are looked at: `the end of Nov 2011`, or the day on which the data ends."""
        return self.moment(month) if self._last_day(month) else f"the end of {self.moment(month)}"

    def not_over(self, month: date | None = None) -> str:
        """`to 9 Dec` for a month that the data does not fill; else nothing."""
        last = self._last_day(month)
        return f"to {wording.day_of_year(last)}" if last else ""

    def _last_day(self, month: date | None) -> date | None:
        """On which the data ends, of a month that it does not fill."""
        known = self.choices.months.get(month or self.as_of)
        return known.last_invoice_at if known and known.is_partial else None

    @property
    def segments(self) -> list[str]:
        """The segments that the filters pick, best first; all if they pick none."""
        return [name for name in self.choices.segments if not self.filters.segments or name in self.filters.segments]

    @property
    def is_compared(self) -> bool:
        """Whether there is a snapshot one step earlier."""
        return self.month_before in self.choices.snapshots

    @property
    def month_before(self) -> date:
        """The month one step earlier."""
        return month_before(self.as_of, self.filters.step)

    @property
    def steps(self) -> dict[int, str]:
        """What the moment can be compared with, by months before it: the usual, then every other month end."""
        found = {1: "a month before", 3: "three months before", 12: "a year before"}
        for month in sorted(self.choices.snapshots, reverse=True):
            if month < self.as_of:
                found.setdefault(months_between(month, self.as_of), f"the end of {wording.month(month)}")
        found.setdefault(self.filters.step, f"{self.filters.step} months before")
        return found

    @property
    def year_before(self) -> date:
        """The same month a year before."""
        return month_before(self.as_of, 12)

    def rows(self, query: str, **parameters: Any) -> Sequence[Row]:
        """The rows of a query that no filter reaches but those given."""
        return self.reading.rows(query, **parameters)

    def matched(self, query: str, *, filters: Filters | None = None, **parameters: Any) -> Sequence[Row]:
        """The rows of a query on the customers whom the filters pick."""
        return self.reading.matched(query, filters or self.filters, **parameters)

    def unfollowed(self, *followed: str) -> str:
        """What to say below a figure that can follow some filters only: those that are on and change nothing in it."""
        rest = [chip.text for chip in chips(self.filters, "") if chip.key not in (*followed, "step")]
        return f" Not narrowed by these filters: {', '.join(rest)}." if rest else ""

    def link(self, path: str, **changes: Any) -> str:
        """A path with the filters of this page, some of them changed."""
        return self.filters.customers_only().url(path, **changes)

    def link_customer(self, customer_id: int) -> Link:
        """A customer's number, which leads to their page."""
        return Link(customer_id, self.link(f"/customers/{customer_id}"))

    def link_list(self, **picks: Any) -> str:
        """The list of those whom this page is of and these filters pick: a number that leads to it counts no others.

        Empty if there is nobody whom both can pick.
        """
        narrowed = self.filters.customers_only().narrowed(**picks)
        return narrowed.url("/customers") if narrowed else ""

    def link_segment(self, segment: str) -> str:
        """The page of a segment, from which the way back has all filters of this page."""
        return self.link(f"/segments/{self.choices.segments[segment].slug}")


@dataclass(frozen=True)
class Shown:
    """A page as it is now: what its template reads, and what can be downloaded."""

    title: str
    content: dict[str, Any]
    files: Files = field(default_factory=dict)
    picked: int | None = None
    """How many customers the filters pick, where a page counts them."""


class NothingThereError(Exception):
    """There is no such segment, customer or invoice; its text says which."""


@dataclass(frozen=True)
class Page:
    """A page, or as many as there are segments, customers or invoices."""

    path: str
    template: str
    tables: tuple[str, ...]
    """Those that it cannot be shown without, besides those of the filters."""
    show: Callable[[View], Shown]
    label: str = ""
    """Its name in the navigation; empty if it is not there."""
    wished: tuple[str, ...] = ()
    """Tables that it shows once they are built."""
    honours: frozenset[str] = PICKING
    """The filters that its figures follow."""
    refusal: str = ""
    """Why it cannot follow the others."""
    compares: bool = False
    """Whether it shows changes, and so lets one choose since when."""
    is_live: bool = False
    """Whether it shows tables that change between builds: then only its content tells whether it is still the same."""
