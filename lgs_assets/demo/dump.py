"""The demo dump as a file: generated, compressed, and put in place complete or not at all."""

import gzip
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from lgs_assets.demo.catalogue import draw_catalogue
from lgs_assets.demo.customers import draw_customers
from lgs_assets.demo.script import script
from lgs_assets.demo.season import open_season
from lgs_assets.demo.trade import draw_ledger
from lgs_assets.errors import LgsError

_DEFAULT_LINES = 100_000
_DEFAULT_SEED = 2009  # any other number gives as good a dump
# Fewer lines leave no room for every oddity; with more, invoice numbers would need a seventh digit.
_FEWEST_LINES, _MOST_LINES = 1_000, 5_000_000
_COMPRESSION = 6  # the gzip program's default: level 9 takes twice the time for a file 2 % smaller


@dataclass(frozen=True)
class DemoSummary:
    """What a demo dump holds."""

    lines: int
    customers: int


def write_demo_dump(path: Path, *, lines: int = _DEFAULT_LINES, seed: int = _DEFAULT_SEED) -> DemoSummary:
    """Writes a synthetic dump of exactly `lines` lines, gzipped if the name ends in .gz. Creates the folder if need be.

    An existing file is replaced in one step. Raises LgsError if `lines` is out of range.
    """
    if not _FEWEST_LINES <= lines <= _MOST_LINES:
        raise LgsError(f"A demo dump can have {_FEWEST_LINES:,} to {_MOST_LINES:,} lines, not {lines:,}.")
    rng = np.random.default_rng(seed)
    season = open_season()
    catalogue = draw_catalogue(rng)
    customers = draw_customers(rng, lines=lines)
    ledger = draw_ledger(rng, lines=lines, season=season, catalogue=catalogue, customers=customers)
    with _replacing(path) as file:
        for piece in script(rng, ledger=ledger, season=season, catalogue=catalogue, customers=customers):
            file.write(piece)
    return DemoSummary(len(ledger.invoices), len(customers.ids))


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which replaces `path` at the end of the block, or vanishes if the block fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        with ExitStack() as stack:
            file: BinaryIO = stack.enter_context(unfinished.open("wb"))
            if path.suffix == ".gz":
                # Neither name nor time goes into the file: they would make equal dumps differ.
                packed = gzip.GzipFile(filename="", mode="wb", compresslevel=_COMPRESSION, fileobj=file, mtime=0)
                file = cast(BinaryIO, stack.enter_context(packed))
            yield file
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
