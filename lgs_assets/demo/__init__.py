"""A synthetic dump with the anatomy of the UCI data, which cannot be shipped. Nothing in it is copied: all is invented.

The same number of lines and the same seed give the same bytes, as long as numpy and zlib are the same.
"""

from lgs_assets.demo.dump import DEMO_DUMP, DemoSummary, write_demo_dump

__all__ = ["DEMO_DUMP", "DemoSummary", "write_demo_dump"]
