"""Where things are: the folders of the checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SQL = ROOT / "sql"
TIME_ZONE = "Europe/London"  # of the retailer, and so of the timestamps of invoices
