"""Engines other than PostgreSQL that run the same models, one module an engine. Knows no Dagster."""
