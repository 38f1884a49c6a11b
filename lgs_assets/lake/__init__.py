"""The lake: line-level tables as Parquet files in a folder or a bucket, for an engine to work on. Knows no Dagster.

Files are written under new names and never change. Which of them are a table is said by `lake_parts` in PostgreSQL, so
that a table in the lake changes as any other: in one transaction, as a whole or not at all.
"""
