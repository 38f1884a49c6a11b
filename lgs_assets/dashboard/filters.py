"""What a URL asks for: one frozen value, read from the query and written back in one canonical order.

The same value feeds the figure, the table under it, its files and every link on from there, so that no filter is lost
on the way. What cannot be read is dropped with a notice, never silently.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import partial
from typing import Any, Final, Self
from urllib.parse import urlencode

LONGEST: Final = 100
"""Characters of a value; countries and segments have no more."""
MOST: Final = 60
"""Values of one filter."""
LARGEST: Final = 10**9
BANDS: Final = ("high", "medium", "low")
"""Of the risk that a customer stays away."""
MOST_STEPS: Final = 1200
"""Months between two moments that are compared: of no use beyond what a shop remembers."""
AREAS: Final = ("customers", "sales")
COLUMNS: Final = (
    "customer_id", "country", "segment", "segment_before", "recency_days", "frequency",
    "sales_before_returns", "net_revenue", "typical_order", "first_sale_at",
    "last_invoice_at", "value", "risk_band", "expected_next_day",
)  # fmt: skip
"""The columns of a list of customers: each can be shown or not, and sorted by."""

PICKING: Final = frozenset({
    "as_of", "country", "segment", "first_bought", "from", "step", "r", "f", "within", "absent", "orders", "orders_to",
    "spent", "spent_below", "risk", "tenth", "customer",
})  # fmt: skip
"""The keys of an address that say which customers, as of when, and since when they are compared."""

_QUARTER = re.compile(r"(?:19|20)\d\d-Q[1-4]")
_MONTH = re.compile(r"((?:19|20)\d\d)-(0[1-9]|1[0-2])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Filters:
    """Which customers, as of when, and how a list of them is laid out. Empty means all."""

    as_of: date | None = None
    """First day of the month at whose end the customers are looked at. None: the last whole one."""
    countries: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    cohorts: tuple[str, ...] = ()
    """Quarters of the first purchase, such as 2010-Q1."""
    came_from: tuple[str, ...] = ()
    """Segments in which the customers were `step` months before."""
    step: int = 1
    r_score: int | None = None
    f_score: int | None = None
    recency_to: int | None = None
    """At most so many days since the last purchase."""
    recency_from: int | None = None
    orders_from: int | None = None
    orders_to: int | None = None
    spent_from: int | None = None
    """At least so many pounds of sales."""
    spent_below: int | None = None
    risks: tuple[str, ...] = ()
    """Bands of the risk that they stay away, as it is predicted now, whenever they are looked at."""
    tenth: int | None = None
    """Of all customers by the sales expected of them, as they are predicted now; 1 is the highest."""
    search: int | None = None
    """A customer's number."""
    area: str = "customers"
    """What the areas of the segments are: customers, or sales."""
    columns: tuple[str, ...] = ()
    """The columns of a list of customers. Empty: all."""
    sort: str = "sales_before_returns"
    ascending: bool = False
    page: int = 1

    @classmethod
    def parse(cls, pairs: Iterable[tuple[str, str]]) -> tuple[Self, list[str]]:
        """The filters of a query, and a notice on each value that is none. Never raises."""
        values: dict[str, Any] = {}
        notices: list[str] = []
        for key, text in pairs:
            text = text.strip()
            if not text:
                continue  # a form sends its empty fields, too
            name = _NAMES.get(key)
            value = _READERS[name](text) if name and not _CONTROL.search(text) and len(text) <= LONGEST else None
            if name is None:
                notices.append(f"{_shown(key)} is not a filter of these pages and was left out.")
            elif value is None or (name in _MANY and len(values.get(name, ())) >= MOST):
                notices.append(f"{_shown(key)}: {_shown(text)} cannot be used and was left out.")
            elif name in _MANY:
                values.setdefault(name, set()).add(value)
            else:
                values[name] = value
        values |= {name: tuple(sorted(values[name])) for name in _MANY & values.keys()}
        return cls(**values), notices

    def query(self) -> str:
        """The canonical query: defaults left out, in one order. Empty if all is default."""
        pairs: list[tuple[str, str]] = []
        for key, name in _NAMES.items():
            value = getattr(self, name)
            if name in _MANY:
                pairs += [(key, item) for item in value]
            elif value != DEFAULTS[name]:
                pairs.append((key, _written(value)))
        return urlencode(pairs)

    def url(self, path: str, **changes: Any) -> str:
        """The path with these filters, some of them changed."""
        query = (replace(self, **changes) if changes else self).query()
        return f"{path}?{query}" if query else path

    def without(self, keys: Iterable[str]) -> Self:
        """These filters but for those of some keys of an address."""
        defaults: dict[str, Any] = {_NAMES[key]: DEFAULTS[_NAMES[key]] for key in keys}
        return replace(self, **defaults)

    def customers_only(self) -> Self:
        """Without how a list is laid out."""
        return replace(self, columns=(), sort="sales_before_returns", ascending=False, page=1)

    def narrowed(self, **picks: Any) -> Self | None:
        """These filters and others, for who is picked by both; None where no value of a filter picks them."""
        both = {name: self._both(name, value) for name, value in picks.items() if value is not None}
        return None if None in both.values() else replace(self, **both)

    def _both(self, name: str, value: Any) -> Any:
        own = getattr(self, name)
        if own == DEFAULTS[name]:
            return value
        if name in _MANY:
            return tuple(item for item in own if item in value) or None
        if name in _LOWEST:
            return max(own, value)
        if name in _HIGHEST:
            return min(own, value)
        return own if own == value else None

    @property
    def names_customers(self) -> bool:
        """Whether some customers are left out."""
        return self._names_others_than(*_LAYOUT)

    @property
    def picks_cohorts(self) -> bool:
        """Whether they leave out whole cohorts of countries only: cohort_months is enough."""
        return not self._names_others_than(*_LAYOUT, *_OF_COHORTS)

    @property
    def picks_groups(self) -> bool:
        """Whether they leave out whole groups only, and compare with the month before: customer_groups is enough."""
        return self.step == Filters.step and not self._names_others_than(*_LAYOUT, *_OF_COHORTS, *_OF_GROUPS)

    def _names_others_than(self, *names: str) -> bool:
        return any(getattr(self, name) != DEFAULTS[name] for name in DEFAULTS if name not in names)


def quarter_of(day: date) -> str:
    """`2010-Q1`."""
    return f"{day.year}-Q{(day.month + 2) // 3}"


def _month(text: str) -> date | None:
    found = _MONTH.fullmatch(text)
    return date(int(found[1]), int(found[2]), 1) if found else None


def _quarter(text: str) -> str | None:
    return text if _QUARTER.fullmatch(text) else None


def _whole(text: str, low: int = 0, high: int = LARGEST) -> int | None:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST)) else -1
    return number if low <= number <= high else None


def _one_of(values: Iterable[str]) -> Callable[[str], str | None]:
    return {value: value for value in values}.get


def _ascending(text: str) -> bool | None:
    return {"up": True, "down": False}.get(text)


def _shown(text: str) -> str:
    """Of what was found, enough to know it again."""
    return "".join(c if c.isprintable() else "�" for c in text[:40]) + ("…" if len(text) > 40 else "")


def _written(value: object) -> str:
    if isinstance(value, date):
        return f"{value:%Y-%m}"
    return {True: "up", False: "down"}[value] if isinstance(value, bool) else str(value)


_NAMES: Final = {
    "as_of": "as_of", "country": "countries", "segment": "segments", "first_bought": "cohorts", "from": "came_from",
    "step": "step", "r": "r_score", "f": "f_score", "within": "recency_to", "absent": "recency_from",
    "orders": "orders_from", "orders_to": "orders_to", "spent": "spent_from", "spent_below": "spent_below",
    "risk": "risks", "tenth": "tenth", "customer": "search", "area": "area", "column": "columns", "sort": "sort",
    "order": "ascending", "page": "page",
}  # fmt: skip
"""The field of each key of a query."""
_MANY: Final = {"countries", "segments", "cohorts", "came_from", "risks", "columns"}
_LOWEST: Final = {"recency_from", "orders_from", "spent_from"}
"""The filters of which the larger value picks fewer customers."""
_HIGHEST: Final = {"recency_to", "orders_to", "spent_below"}
"""Those of which the smaller one does."""
_LAYOUT: Final = ("as_of", "step", "area", "columns", "sort", "ascending", "page")
"""The fields that leave nobody out."""
_OF_COHORTS: Final = ("countries", "cohorts")
_OF_GROUPS: Final = ("segments", "came_from", "r_score", "f_score")
_SCORE: Final = partial(_whole, low=1, high=5)
_COLUMN: Final = _one_of(COLUMNS)
_READERS: Final[dict[str, Any]] = {
    "as_of": _month, "countries": str, "segments": str, "cohorts": _quarter, "came_from": str,
    "step": partial(_whole, low=1, high=MOST_STEPS),
    "r_score": _SCORE, "f_score": _SCORE, "recency_to": _whole, "recency_from": _whole, "orders_from": _whole,
    "orders_to": _whole, "spent_from": _whole, "spent_below": _whole, "risks": _one_of(BANDS),
    "tenth": partial(_whole, low=1, high=10), "search": _whole, "area": _one_of(AREAS), "columns": _COLUMN,
    "sort": _COLUMN, "ascending": _ascending, "page": partial(_whole, low=1),
}  # fmt: skip
DEFAULTS: Final = {field.name: field.default for field in fields(Filters)}
