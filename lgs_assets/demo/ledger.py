"""The demo shop's invoices and their lines, as numbers only. Knows neither what happened nor how a dump writes it."""

from dataclasses import dataclass, field

import numpy as np

from lgs_assets.demo.arrays import Ints

GUEST = -1  # in place of a customer

# The kinds of invoices, and the beginnings of their numbers. Those of one minute are numbered in this order, so that
# the numbers rise both as numbers and as text.
PLAIN, DEBT, CANCELLATION = range(3)
PREFIXES = ("", "A", "C")


@dataclass(frozen=True)
class Ledger:
    """Invoices in the order of time and number, and lines in the order of their invoices."""

    # One element an invoice.
    kinds: Ints
    minutes: Ints  # positions in the season
    customers: Ints  # positions among the customers, or GUEST

    # One element a line.
    invoices: Ints  # position of the invoice
    products: Ints  # column of the catalogue's wordings
    wordings: Ints  # row of the catalogue's wordings
    quantities: Ints
    mills: Ints  # price of one, in tenths of a penny


@dataclass
class Book:
    """A ledger in the making: open invoices, then write lines on them, in any order."""

    _invoices: list[tuple[Ints, ...]] = field(default_factory=list)
    _lines: list[tuple[Ints, ...]] = field(default_factory=list)
    _opened: int = 0

    def open(self, kind: int, minutes: Ints, customers: Ints | int = GUEST) -> Ints:
        """Opens an invoice for each minute. Returns their positions in the book."""
        self._invoices.append(_columns(len(minutes), kind, minutes, customers))
        self._opened += len(minutes)
        return np.arange(self._opened - len(minutes), self._opened)

    def write(
        self, invoices: Ints, products: Ints | int, wordings: Ints | int, quantities: Ints | int, mills: Ints | int
    ) -> None:
        """Writes one line on each of these invoices."""
        self._lines.append(_columns(len(invoices), invoices, products, wordings, quantities, mills))

    def closed(self) -> Ledger:
        """Everything written, in order; lines of one invoice stay in the order of writing."""
        kinds, minutes, customers = (np.concatenate(parts) for parts in zip(*self._invoices, strict=True))
        invoices, *lines = (np.concatenate(parts) for parts in zip(*self._lines, strict=True))
        by_time = np.lexsort((kinds, minutes))
        position = np.empty_like(by_time)
        position[by_time] = np.arange(len(by_time))
        by_invoice = np.argsort(position[invoices], kind="stable")
        return Ledger(
            kinds[by_time],
            minutes[by_time],
            customers[by_time],
            position[invoices][by_invoice],
            *(column[by_invoice] for column in lines),
        )


def _columns(length: int, *values: Ints | int) -> tuple[Ints, ...]:
    return tuple(np.broadcast_to(np.asarray(value, dtype=np.int64), length) for value in values)
