"""From a dump file to its lines, good or rejected. A dump is parsed, never executed. Knows no database."""

from lgs_assets.sources.columns import CANONICAL_COLUMNS
from lgs_assets.sources.compression import sha256_of
from lgs_assets.sources.dates import DateOrder
from lgs_assets.sources.dump import Dump, open_dump
from lgs_assets.sources.lines import Batch, Reject

__all__ = ["CANONICAL_COLUMNS", "Batch", "DateOrder", "Dump", "Reject", "open_dump", "sha256_of"]
