"""The lake: line-level tables as Parquet files in a folder or a bucket, for an engine to work on. Knows no Dagster.

Files are written under new names and never change. `lake_parts` in PostgreSQL says which of them make up a table, so a
table in the lake changes like any other: in one transaction, completely or not at all.
"""
