"""Dagster, one concept per module. What Dagster is told about the domain; the domain knows nothing about Dagster."""
