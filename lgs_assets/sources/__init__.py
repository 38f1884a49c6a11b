"""From a dump file to blocks of lines in COPY's own format. A dump is parsed, never executed. Knows no database."""

from lgs_assets.sources.dump import CANONICAL_COLUMNS, Block, Dump, open_dump, sha256_of

__all__ = ["CANONICAL_COLUMNS", "Block", "Dump", "open_dump", "sha256_of"]
