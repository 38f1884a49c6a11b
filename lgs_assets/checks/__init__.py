"""What must hold for the tables: one query in `sql/checks` per check, and what happens when it finds a row."""

from lgs_assets.checks.sql_checks import ALL_CHECKS

__all__ = ["ALL_CHECKS"]
