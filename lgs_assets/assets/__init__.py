"""The lineage: one asset per table, one module per subject, each asset a few lines. Defining one registers it."""
