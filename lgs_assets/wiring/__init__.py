"""Dagster, one concept a module. What Dagster is told of the domain; the domain knows nothing of it."""
