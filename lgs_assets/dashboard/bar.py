"""The filter bar in words: what is on, and the address without it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lgs_assets import wording
from lgs_assets.dashboard.filters import Filters
from lgs_assets.dashboard.queries import NOT_YET


@dataclass(frozen=True)
class Chip:
    """A filter that is on. `key` is its name in an address."""

    key: str
    text: str
    without: str


def chips(filters: Filters, path: str) -> list[Chip]:
    """The filters that are on, each with the address that leaves it out."""
    filters = replace(filters, page=1)
    found = []
    if filters.as_of:
        found.append(Chip("as_of", f"As of {wording.month(filters.as_of)}", filters.url(path, as_of=None)))
    for key, name, label in _MANY:
        values = getattr(filters, name)
        for value in values:
            shown = "first order" if value == NOT_YET else value
            shown = value.replace("-", " ") if name == "cohorts" else value.capitalize() if name == "risks" else shown
            rest = tuple(other for other in values if other != value)
            found.append(Chip(key, label.format(shown), filters.url(path, **{name: rest})))
    if filters.step != 1:
        since = "a year" if filters.step == 12 else wording.counted(filters.step, "month")
        found.append(Chip("step", f"Compared with {since} before", filters.url(path, step=1)))
    for key, name, label in _ONE:
        value = getattr(filters, name)
        if value is not None:
            found.append(
                Chip(
                    key,
                    label.format(value if name in ("r_score", "f_score", "search") else f"{value:,}"),
                    filters.url(path, **{name: None}),
                )
            )
    return found


def idle(filters: Filters, path: str, honours: frozenset[str]) -> list[Chip]:
    """Those that change nothing on a page that honours so many."""
    moves = filters.came_from and "from" in honours  # and so `step` says since when
    return [chip for chip in chips(filters, path) if chip.key not in honours and not (chip.key == "step" and moves)]


def picking(filters: Filters, path: str, honours: frozenset[str]) -> list[Chip]:
    """Those that say which customers a page is of, and as of when."""
    return [chip for chip in chips(filters, path) if chip.key in honours - {"step"}]


def narrowing(filters: Filters, honours: frozenset[str]) -> list[str]:
    """What leaves customers out of a page, in words."""
    return [chip.text for chip in picking(filters, "", honours - {"as_of"})]


_MANY = (
    ("country", "countries", "{}"),
    ("segment", "segments", "{}"),
    ("first_bought", "cohorts", "First bought {}"),
    ("from", "came_from", "From {}"),
    ("risk", "risks", "{} risk"),
)
_ONE = (
    ("r", "r_score", "R {}"),
    ("f", "f_score", "F {}"),
    ("within", "recency_to", "Ordered within {} days"),
    ("absent", "recency_from", "No order for {} days"),
    ("orders", "orders_from", "{} orders or more"),
    ("orders_to", "orders_to", "{} orders or fewer"),
    ("spent", "spent_from", "£{} or more before returns"),
    ("spent_below", "spent_below", "Under £{} before returns"),
    ("tenth", "tenth", "Tenth {} by expected sales"),
    ("customer", "search", "Customer {}"),
)
