"""What happens in the demo shop: sales, cancellations, adjustments, and each oddity of the UCI data."""

from typing import NamedTuple

import numpy as np

from lgs_assets.demo.arrays import Floats, Ints, places, split, stratified
from lgs_assets.demo.catalogue import (
    AS_LISTED,
    BAD_DEBT,
    DISCOUNT,
    FIRST_NOTE,
    MANUAL,
    NOTES,
    POSTAGE,
    PRODUCTS,
    UNDESCRIBED,
    Catalogue,
)
from lgs_assets.demo.customers import HOME_COUNTRY, Customers, draw_orders
from lgs_assets.demo.ledger import CANCELLATION, DEBT, PLAIN, Book, Ledger
from lgs_assets.demo.season import Season

# Shares of all lines, near those of the UCI data; the rest are goods that customers buy.
_SHARES = {
    "guest goods": 0.213,
    "cancelled": 0.018,
    "undescribed": 0.0041,
    "noted": 0.0016,
    "repeats": 0.012,  # in the UCI data, outside the days that both of its sheets hold
    "manual": 0.001,
    "discounts": 0.0002,
    "gifts": 0.0002,
}
_ODD_CANCELLATIONS = 1  # exactly one with a positive quantity, as in the UCI data
_DEBTS = 6  # as in the UCI data: five, and one of them put back
_DEBT_RANGE = (0.0004, 0.0012)  # of what customers buy in all: around 2 % of a month's sales

_SIZE_SPREAD = 0.85  # of the numbers of lines on invoices
_GUEST_INVOICE_LINES = 90  # at the mean: the web shop books many small sales on one invoice
_GUEST_PRICE_PCT = 170  # guests pay shop prices, customers trade prices

_PACKS = np.array([1, 2, 3, 4, 6, 8, 10, 12, 20, 24, 36, 48, 72, 96, 144, 288, 432, 576, 864, 1152])
_CUSTOMER_PACK, _GUEST_PACK = 4.2, 0.0  # the usual step in _PACKS, for a product of _USUAL_MILLS
_USUAL_MILLS = 2000
_STEPS_AT_HALF_PRICE = 1.1  # people take more of what is cheap
_PACK_SPREAD = 2.5
_BULK_QUANTITY, _BULK_PRICE_PCT = 72, 85

_LAST_LINE_CHANCE = 0.42  # of ending a cancellation with a line: some two lines each, as in the UCI data
_CANCELLED_WHOLE = 0.6  # share of the lines that are taken back whole
_TIME_TO_CANCEL = 0.02  # as a share of all demand: about two weeks


class _Goods(NamedTuple):
    """Lines of goods in the order of their invoices, one element each."""

    invoices: Ints
    products: Ints
    quantities: Ints
    mills: Ints


class _Sales(NamedTuple):
    """The orders of customers, one element each, and their goods."""

    customers: Ints
    moments: Floats
    minutes: Ints
    sizes: Ints  # in lines of goods
    goods: _Goods


def draw_ledger(
    rng: np.random.Generator, *, lines: int, season: Season, catalogue: Catalogue, customers: Customers
) -> Ledger:
    """Two years of trade, in exactly this many lines."""
    book = Book()
    count = {name: max(1, round(share * lines)) for name, share in _SHARES.items()}
    orders = draw_orders(rng, customers)
    minutes = _spanning(season, orders.moments)
    invoices = book.open(PLAIN, minutes, orders.customers)
    abroad = invoices[customers.countries[orders.customers] != HOME_COUNTRY]
    rest = lines - sum(count.values()) - len(abroad) - _ODD_CANCELLATIONS - _DEBTS

    sizes = split(rest, orders.lines * rng.lognormal(0, _SIZE_SPREAD, len(invoices)))
    goods = _sold(rng, catalogue, invoices, sizes, _CUSTOMER_PACK + orders.packs)
    book.write(goods.invoices, goods.products, AS_LISTED, goods.quantities, goods.mills)
    guest_goods = _write_guest_goods(rng, book, season, catalogue, count["guest goods"])
    _write_repeats(rng, book, (goods, guest_goods), count["repeats"])
    _write_charges(rng, book, invoices, abroad, count["manual"], count["discounts"])
    _write_gifts(rng, book, invoices, count["gifts"])
    sales = _Sales(orders.customers, orders.moments, minutes, sizes, goods)
    _write_cancellations(rng, book, season, sales, count["cancelled"])
    _write_odd_cancellations(rng, book, season)
    _write_stock_adjustments(rng, book, season, count["undescribed"], count["noted"])
    _write_debts(rng, book, season, int(np.sum(goods.quantities * goods.mills)))
    return book.closed()


def _anytime(rng: np.random.Generator, season: Season, count: int) -> Ints:
    """This many minutes, spread over the season."""
    return season.at(stratified(rng, np.array([count])))


def _spanning(season: Season, moments: Floats) -> Ints:
    """The minutes of the moments; the first and the last of them open and close the season, at any size of the dump."""
    minutes = season.at(moments)
    minutes[np.argmin(moments)] = 0
    minutes[np.argmax(moments)] = season.last
    return minutes


def _sold(rng: np.random.Generator, catalogue: Catalogue, invoices: Ints, sizes: Ints, packs: Floats) -> _Goods:
    """Goods for each invoice, at list prices or below: as many lines as its size, and hardly any product twice."""
    products = np.searchsorted(catalogue.popularity, stratified(rng, sizes))
    mills = catalogue.mills[products]
    cheapness = _STEPS_AT_HALF_PRICE * np.log2(_USUAL_MILLS / mills)
    steps = np.rint(rng.normal(np.repeat(packs, sizes) + cheapness, _PACK_SPREAD)).astype(np.int64)
    quantities = _PACKS[np.clip(steps, 0, len(_PACKS) - 1)]
    return _Goods(
        invoices=np.repeat(invoices, sizes),
        products=products,
        quantities=quantities,
        mills=np.where(quantities >= _BULK_QUANTITY, _percent_of(mills, _BULK_PRICE_PCT), mills),
    )


def _percent_of(mills: Ints, percent: int) -> Ints:
    """The given percentage of the prices, in whole pence and at least one."""
    return np.maximum(10, mills * percent // 1000 * 10)


def _write_guest_goods(
    rng: np.random.Generator, book: Book, season: Season, catalogue: Catalogue, count: int
) -> _Goods:
    invoices = book.open(PLAIN, _anytime(rng, season, max(1, count // _GUEST_INVOICE_LINES)))
    sizes = split(count, rng.lognormal(0, _SIZE_SPREAD, len(invoices)))
    goods = _sold(rng, catalogue, invoices, sizes, np.full(len(invoices), _GUEST_PACK))
    goods = goods._replace(mills=_percent_of(catalogue.mills[goods.products], _GUEST_PRICE_PCT))
    book.write(goods.invoices, goods.products, AS_LISTED, goods.quantities, goods.mills)
    return goods


def _write_repeats(rng: np.random.Generator, book: Book, sold: tuple[_Goods, ...], count: int) -> None:
    """Lines that were keyed in twice."""
    goods = _Goods(*(np.concatenate(columns) for columns in zip(*sold, strict=True)))
    keyed_twice = rng.choice(len(goods.invoices), count, replace=False)
    invoices, products, quantities, mills = (column[keyed_twice] for column in goods)
    book.write(invoices, products, AS_LISTED, quantities, mills)


def _write_charges(
    rng: np.random.Generator, book: Book, invoices: Ints, abroad: Ints, manual: int, discounts: int
) -> None:
    """Postage on every order from abroad; on a few others a manual entry, or a discount reversed."""
    book.write(abroad, POSTAGE, AS_LISTED, 1, rng.integers(30, 90, size=len(abroad)) * 500)
    for product, count, usual_pounds in ((MANUAL, manual, 9.0), (DISCOUNT, discounts, 4.0)):
        pence = np.rint(rng.lognormal(np.log(usual_pounds * 100), 1.0, count)).astype(np.int64)
        book.write(rng.choice(invoices, count), product, AS_LISTED, 1, pence * 10)


def _write_gifts(rng: np.random.Generator, book: Book, invoices: Ints, count: int) -> None:
    """One of something for nothing, added to an order."""
    book.write(rng.choice(invoices, count), rng.integers(PRODUCTS, size=count), AS_LISTED, 1, 0)


def _write_cancellations(rng: np.random.Generator, book: Book, season: Season, sales: _Sales, count: int) -> None:
    """Takes back `count` lines of goods, whole or in part: neighbouring lines of an order, later than the order."""
    orders, taken = _orders_to_cancel(rng, season, sales, count)
    moments = sales.moments[orders]
    wait = np.minimum(rng.exponential(_TIME_TO_CANCEL, len(orders)), (1 - moments) * rng.random(len(orders)))
    minutes = np.maximum(season.at(moments + wait), sales.minutes[orders] + 1)
    invoices = book.open(CANCELLATION, minutes, sales.customers[orders])

    first = (np.cumsum(sales.sizes) - sales.sizes)[orders] + rng.integers(sales.sizes[orders] - taken + 1)
    lines = np.repeat(first, taken) + places(taken)
    part = np.where(rng.random(count) < _CANCELLED_WHOLE, 1.0, rng.random(count))
    quantities = -np.maximum(1, np.ceil(sales.goods.quantities[lines] * part)).astype(np.int64)
    book.write(np.repeat(invoices, taken), sales.goods.products[lines], AS_LISTED, quantities, sales.goods.mills[lines])


def _orders_to_cancel(rng: np.random.Generator, season: Season, sales: _Sales, count: int) -> tuple[Ints, Ints]:
    """Orders, each once, and how many lines of each are taken back: together `count`."""
    orders = rng.permutation(np.flatnonzero(sales.minutes < season.last))
    taken = np.minimum(sales.sizes[orders], rng.geometric(_LAST_LINE_CHANCE, len(orders)))
    enough = int(np.searchsorted(np.cumsum(taken), count)) + 1
    orders, taken = orders[:enough], taken[:enough]
    taken[-1] -= np.sum(taken) - count
    return orders, taken


def _write_odd_cancellations(rng: np.random.Generator, book: Book, season: Season) -> None:
    """Cancellations with a positive quantity, entered by hand and without a customer."""
    invoices = book.open(CANCELLATION, _anytime(rng, season, _ODD_CANCELLATIONS))
    book.write(invoices, MANUAL, AS_LISTED, 1, rng.integers(500, 10_000, size=_ODD_CANCELLATIONS) * 10)


def _write_stock_adjustments(
    rng: np.random.Generator, book: Book, season: Season, undescribed: int, noted: int
) -> None:
    """Goods that left the stock without a sale: no customer, no price, and a note or nothing for a description."""
    count = undescribed + noted
    invoices = book.open(PLAIN, rng.permutation(_anytime(rng, season, count)))
    notes = rng.integers(FIRST_NOTE, FIRST_NOTE + len(NOTES), size=count)
    wordings = np.where(np.arange(count) < undescribed, UNDESCRIBED, notes)
    book.write(invoices, rng.integers(PRODUCTS, size=count), wordings, -rng.choice(_PACKS, count), 0)


def _write_debts(rng: np.random.Generator, book: Book, season: Season, sales_mills: int) -> None:
    """Debts that nobody will pay, written off at negative prices; the last was an error and is reversed."""
    mills = -np.rint(sales_mills * rng.uniform(*_DEBT_RANGE, _DEBTS) / 10).astype(np.int64) * 10
    mills[-1] = -mills[-2]
    book.write(book.open(DEBT, _anytime(rng, season, _DEBTS)), BAD_DEBT, AS_LISTED, 1, mills)
