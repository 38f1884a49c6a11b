"""What can be said about a dump without loading it."""

import re
from dataclasses import dataclass
from pathlib import Path

from lgs_assets.sources.dates import DateOrder, iso
from lgs_assets.sources.dump import open_dump
from lgs_assets.sources.lines import Batch, Reject

SHOWN_REJECTS = 10


@dataclass(frozen=True)
class Inspection:
    """What a dump holds."""

    facts: dict[str, str]
    """Its form, as `Dump.facts` has it."""
    sha256: str
    lines: int
    """Good lines."""
    rejected: int
    first_rejects: list[Reject]
    first_invoice_at: str | None
    """The earliest invoice_date in ISO 8601, None without good lines."""
    last_invoice_at: str | None


def inspect_dump(path: Path, *, dates: DateOrder | None = None) -> Inspection:
    """Reads a dump to its end and stores none of it. Raises DumpError as `open_dump` does."""
    lines = rejected = 0
    rejects: list[Reject] = []
    moments: set[str] = set()
    with open_dump(path, dates=dates) as dump:
        for piece in dump.pieces:
            if isinstance(piece, Batch):
                lines += piece.lines
                moments |= set(_range(piece))
            else:
                rejected += 1
                rejects += [piece] if rejected <= SHOWN_REJECTS else []
        first, last = (min(moments), max(moments)) if moments else (None, None)
        return Inspection(dump.facts, dump.content.sha256, lines, rejected, rejects, first, last)


def _range(batch: Batch) -> tuple[str, str]:
    fields_before = rb"(?:[^\t\n]*\t){%d}" % batch.columns.index("invoice_date")
    texts = set(re.findall(rb"^%b([^\t\n]*)" % fields_before, batch.data, re.M))
    moments = [iso(text.decode()) for text in texts]
    return min(moments), max(moments)
