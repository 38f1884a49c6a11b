"""The lineage: one asset a table, one module a subject, each asset a few lines. To write one here is to enter it."""
