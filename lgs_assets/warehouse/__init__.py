"""The engine that talks to PostgreSQL. Knows no Dagster."""
