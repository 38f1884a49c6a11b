"""A synthetic dump with the anatomy of the UCI data, which cannot be shipped. Nothing is copied: all of it is invented.

The same number of lines and the same seed give the same bytes, as long as numpy and zlib are the same.
"""

DEMO_DUMP = "demo-retail.sql.gz"
"""The name of the dump that stands in for a missing one."""
