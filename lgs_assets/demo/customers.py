"""Who buys from the demo shop, and when: kinds of customers, how long each stays, and when they order."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lgs_assets.demo.arrays import Floats, Ints, split, stratified

# The UCI data has one customer per 180 lines. The demo has more, so that even a small dump fills every segment.
_LINES_A_CUSTOMER = 96
# Five digits, as in the UCI data, and above all of its numbers: no demo customer has the number of a UCI customer.
_FIRST_ID = 20_001

_HOME = "United Kingdom"
_FOREIGN_SHARE = 0.085  # of the customers, near that of the UCI data; the countries below are each a share of these
_FOREIGN = {
    **{"Germany": 0.24, "France": 0.22, "EIRE": 0.12, "Belgium": 0.09, "Spain": 0.08, "Netherlands": 0.07},
    **{"Switzerland": 0.06, "Portugal": 0.05, "Norway": 0.04, "Italy": 0.03},
}
COUNTRIES = (_HOME, *_FOREIGN)
HOME_COUNTRY = 0  # position in COUNTRIES


class _Kind(NamedTuple):
    """A kind of customers. Times are in lengths of the data: 1 is all of it.

    A customer's stay starts anywhere from `earliest` to the end, even before the data begins. So at any time about as
    many leave as arrive, and revenue stays flat.
    """

    share: float  # of all customers
    earliest: float
    stay: float  # 0: they order once
    orders: float  # in a stay as long as the data, at the median
    spread: float  # of the orders among customers
    lines: float  # in an order, relative to others
    packs: float  # how much larger their quantities are, in steps of the pack sizes


_KINDS = (
    _Kind(share=0.025, earliest=-2.2, stay=2.2, orders=40, spread=0.5, lines=1.7, packs=3.0),  # wholesalers
    _Kind(share=0.015, earliest=-0.6, stay=0.6, orders=40, spread=0.2, lines=1.2, packs=1.0),  # keen, for a year or so
    _Kind(share=0.420, earliest=-1.3, stay=1.3, orders=11, spread=0.5, lines=1.0, packs=0.0),  # regulars
    _Kind(share=0.290, earliest=-0.4, stay=0.4, orders=14, spread=0.5, lines=0.9, packs=0.0),  # for a season or two
    _Kind(share=0.220, earliest=0.0, stay=0.0, orders=1, spread=0.0, lines=0.8, packs=0.0),  # once
    _Kind(share=0.030, earliest=0.85, stay=0.0, orders=1, spread=0.0, lines=0.8, packs=0.0),  # once, this autumn
)


@dataclass(frozen=True)
class Customers:
    """One element a customer, grouped by kind."""

    ids: Ints
    countries: Ints  # positions in COUNTRIES
    kinds: Ints  # positions in _KINDS


@dataclass(frozen=True)
class Orders:
    """One element an order."""

    customers: Ints  # positions in Customers
    moments: Floats
    lines: Floats  # how many, relative to other orders
    packs: Floats


def draw_customers(rng: np.random.Generator, *, lines: int) -> Customers:
    """The customers of a dump with this many lines; some of every kind."""
    count = max(len(_KINDS), round(lines / _LINES_A_CUSTOMER))
    sizes = split(count, np.array([kind.share for kind in _KINDS]))
    is_foreign = rng.permutation(count) < np.ceil(_FOREIGN_SHARE * count)
    foreign = 1 + rng.choice(len(_FOREIGN), count, p=list(_FOREIGN.values()))
    return Customers(
        ids=_FIRST_ID + rng.permutation(count),
        countries=np.where(is_foreign, foreign, HOME_COUNTRY),
        kinds=np.repeat(np.arange(len(_KINDS)), sizes),
    )


def draw_orders(rng: np.random.Generator, customers: Customers) -> Orders:
    """Everything that the customers order: at least one order each, spread over the part of their stay in the data."""
    _, earliest, stay, orders, spread, lines, packs = np.array(_KINDS)[customers.kinds].T
    start = earliest + (1 - earliest) * stratified(rng, np.bincount(customers.kinds))
    seen_from, seen_to = np.maximum(start, 0), np.minimum(start + stay, 1)
    drawn = orders * rng.lognormal(0, spread) * (seen_to - seen_from)
    counts = np.maximum(1, np.rint(drawn)).astype(np.int64)
    buyer = np.repeat(np.arange(len(start)), counts)
    return Orders(
        customers=buyer,
        moments=seen_from[buyer] + (seen_to - seen_from)[buyer] * stratified(rng, counts),
        lines=lines[buyer],
        packs=packs[buyer],
    )
