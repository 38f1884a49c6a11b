"""How a ledger is written: as a script of pg_dump, with the rows in COPY's text format."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lgs_assets.demo.arrays import Ints, Texts, texts
from lgs_assets.demo.catalogue import Catalogue
from lgs_assets.demo.customers import COUNTRIES, HOME_COUNTRY, Customers
from lgs_assets.demo.ledger import GUEST, PREFIXES, Ledger
from lgs_assets.demo.season import Season

_HEAD = """\
-- Synthetic data, made by the lgs demo generator: every customer, product and invoice in it is invented.
-- It has the anatomy of the UCI data set Online Retail II, and none of its rows.
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;

CREATE TABLE public.retail (
    invoice_no text,
    stock_code text,
    description text,
    quantity integer,
    invoice_date timestamp without time zone,
    unit_price real,
    customer_id real,
    country text
);

COPY public.retail (invoice_no, stock_code, description, quantity, invoice_date, unit_price, customer_id, country) \
FROM stdin;
"""
_TAIL = "\\.\n"
_NULL = "\\N"

# The UCI data ends with invoice 581587: no demo invoice can be mistaken for a UCI one.
_FIRST_INVOICE = 600_001
_WITH_POINT_SHARE = 0.2  # of the invoices: their customer is written as 20001.0
_LINES_AT_ONCE = 1 << 16  # so that memory for text does not grow with the dump


class _InvoiceTexts(NamedTuple):
    """What all lines of an invoice share, with the tabs and line breaks around it. One element per invoice."""

    number: Texts
    date: Texts
    buyer: Texts


def script(
    rng: np.random.Generator, *, ledger: Ledger, season: Season, catalogue: Catalogue, customers: Customers
) -> Iterator[bytes]:
    """The dump, piece by piece."""
    yield _HEAD.encode()
    shared = _InvoiceTexts(_numbers(ledger), _dates(ledger, season), _buyers(rng, ledger, customers))
    for start in range(0, len(ledger.invoices), _LINES_AT_ONCE):
        yield _rows(ledger, catalogue, shared, slice(start, start + _LINES_AT_ONCE)).encode()
    yield _TAIL.encode()


def _rows(ledger: Ledger, catalogue: Catalogue, shared: _InvoiceTexts, lines: slice) -> str:
    invoices = ledger.invoices[lines]
    rows: Texts = (
        shared.number[invoices]
        + catalogue.wordings[ledger.wordings[lines], ledger.products[lines]]
        + _written(ledger.quantities[lines], decimals=0)
        + shared.date[invoices]
        + _written(ledger.mills[lines], decimals=3)
        + shared.buyer[invoices]
    )
    return "".join(rows)


def _written(units: Ints, *, decimals: int) -> Texts:
    """Whole numbers of the smallest unit as exact decimal text, without trailing zeros."""
    distinct, place = np.unique(units, return_inverse=True)
    return texts([_decimal(int(value), decimals) for value in distinct])[place]


def _decimal(units: int, decimals: int) -> str:
    whole, part = divmod(abs(units), 10**decimals)
    sign = "-" if units < 0 else ""
    return f"{sign}{whole}" + (f".{part:0{decimals}}".rstrip("0") if part else "")


def _numbers(ledger: Ledger) -> Texts:
    numbers = zip(ledger.kinds.tolist(), range(_FIRST_INVOICE, _FIRST_INVOICE + len(ledger.kinds)), strict=True)
    return texts([f"{PREFIXES[kind]}{number}\t" for kind, number in numbers])


def _dates(ledger: Ledger, season: Season) -> Texts:
    dates = np.datetime_as_string(season.minutes[ledger.minutes], unit="s").tolist()
    return texts([f"\t{date.replace('T', ' ')}\t" for date in dates])


def _buyers(rng: np.random.Generator, ledger: Ledger, customers: Customers) -> Texts:
    """The customer and the country. A guest's place, -1, is that of the last element."""
    ids = texts([*map(str, customers.ids.tolist()), _NULL])[ledger.customers]
    countries = np.append(customers.countries, HOME_COUNTRY)[ledger.customers]
    has_point = (rng.random(len(ids)) < _WITH_POINT_SHARE) & (ledger.customers != GUEST)
    buyers: Texts = (
        "\t" + ids + np.where(has_point, texts([".0"]), "") + "\t" + texts(list(COUNTRIES))[countries] + "\n"
    )
    return buyers
